# The few verbs of this project. Each makes .venv if need be (scripts/venv.py) and calls the standard tool.
PYTHON ?= python3
QUESTION ?=
ARGS ?=

RUN = $(PYTHON) scripts/venv.py
export QUESTION

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench fuzz mutants clean

help: ## This list.
	@sed -n 's/^\([a-z]*\): ## /\1\t/p' Makefile | expand -t 8

demo: ## Run the research trio; QUESTION="..." asks your own.
	@$(RUN) examples python -m examples.research $(if $(QUESTION),"$$QUESTION") $(ARGS)

test: ## Everything CI checks, in the lanes that can run on this machine.
	@$(RUN) tools python -m scripts.lanes $(ARGS)

lint: ## Ruff, mypy, purity of the engine, changelog.
	@$(RUN) tools python -m tox run -e lint

docs: ## Build the documentation into docs/_build/html.
	@$(RUN) tools python -m tox run -e docs

bench: ## Measure ratios side by side; rows go to benchmarks/results/.
	@$(RUN) tools python -m tox run -e bench-autogen,bench -- $(ARGS)

fuzz: ## Both bridges, driven with the same random operations; ARGS="--long", ARGS="--help".
	@$(RUN) tools python -m tox run -e fuzz -- $(ARGS)

mutants: ## Mutate both engines, an hour or two; ARGS="--resume", ARGS="python", ARGS="--since COMMIT".
	@$(RUN) tools python -m tox run -e mutants -- $(or $(ARGS),python rust)

clean: ## Remove what was built (not .venv).
	rm -rf .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis docs/_build dist out .coverage .coverage.*
