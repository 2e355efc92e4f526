"""`loom new`: what it writes, and what it refuses."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loom.cli.new import name_problem
from tests.loom.cli.processes import dev_command, loom_command, running

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


def test_a_project_is_written(loom: Loom) -> None:
    done = loom("new", "paper-reader")
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    folder = Path("paper-reader")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {
        ".gitignore",
        "README.md",
        "loom.toml",
        "pyproject.toml",
        "paper_reader/__init__.py",
        "paper_reader/agent.py",
        "paper_reader/events.py",
        "tests/test_agent.py",
    }
    for path in files:
        text = (folder / path).read_text()
        assert "$" not in text, path
        if path.endswith(".py"):
            ast.parse(text)
    for path in files:
        assert path in done.stderr
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["name"] == "paper-reader"
    assert project["project"]["dependencies"][0].startswith("loom-py[testing]>=")
    assert 'Agent("paper-reader")' in (folder / "paper_reader/agent.py").read_text()
    tomllib.loads((folder / "loom.toml").read_text())


def test_it_goes_where_it_is_told(loom: Loom) -> None:
    assert loom("new", "x", "--dir", "deep/down").exit_code == 0
    assert Path("deep/down/x/agent.py").is_file()


def test_an_empty_folder_is_taken(loom: Loom) -> None:
    Path("x").mkdir()
    assert loom("new", "x").exit_code == 0


def test_a_folder_with_something_in_it_is_left_alone(loom: Loom) -> None:
    Path("x").mkdir()
    Path("x/mine").write_text("keep")
    done = loom("new", "x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "error: x is not empty; choose another place with --dir, or empty it first\n"
    assert [path.name for path in Path("x").iterdir()] == ["mine"]


def test_a_file_is_in_the_way(loom: Loom) -> None:
    Path("x").write_text("")
    done = loom("new", "y", "--dir", "x")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1


def test_a_place_that_cannot_be_written(loom: Loom) -> None:
    Path("file").write_text("")
    done = loom("new", "x", "--dir", "file/below")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: cannot write to file/below: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["a", "hello", "paper-reader", "a_b-c9", "x" * 64])
def test_good_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("", "my-agent"),
        ("Hello", "hello"),
        ("my agent", "my-agent"),
        ("ünï", "my-agent"),
        ("9lives", "my-agent"),
        ("a--b", "a-b"),
        ("a.b", "a-b"),
        ("../up", "my-agent"),
        ("-x", "x"),
        ("x" * 65, "x" * 64),
        ("json", "json-agent"),
        ("class", "class-agent"),
        ("loom", "loom-agent"),
        ("tests", "tests-agent"),
        ("pytest", "pytest-agent"),
        ("pydantic", "pydantic-agent"),
        ("grpc", "grpc-agent"),
        ("google", "google-agent"),
        ("loom-testing", "loom-testing-agent"),
    ],
)
def test_bad_names_are_refused_with_a_better_one(loom: Loom, name: str, hint: str) -> None:
    done = loom("new", "--", name)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert f"'{hint}'" in done.stderr
    assert list(Path().iterdir()) == []


def test_the_project_runs_and_its_tests_pass(loom: Loom, tmp_path: Path) -> None:
    assert loom("new", "first-steps").exit_code == 0
    folder = tmp_path / "first-steps"
    # As in an environment that has only what the project asks for.
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONWARNINGS": "error"}
    with running(["-m", "pytest", "-q", "-p", "loom_testing.plugin"], folder, **alone) as tests:
        assert tests.ended() == 0, (tests.out, tests.err)
        assert "2 passed" in tests.out[-1]
    with running(dev_command("--json", "first_steps"), folder) as dev:
        joined = dev.wait_for_activity("agent.joined", agent="first-steps")
        assert joined["capabilities"] == ["first-steps.wording@1.0"]
        with running(loom_command("call", "first-steps.wording", "name=Ada"), folder) as call:
            assert call.ended() == 0
            assert call.out == ["Hello, Ada!"]
        with running(loom_command("emit", "visitor.arrived", '{"name": "Ada"}'), folder) as emit:
            assert emit.ended() == 0
        dev.wait_for_activity("event.published", topic="visitor.greeted", sender="first-steps")
