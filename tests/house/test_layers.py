"""Which part may know which: the SDK stands without the fake, the engine without everything."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEAKING = ("bench", "control", "declared", "expect", "peer", "stream", "tape", "target", "wire")
"""The modules of the conformance suite that a check speaks through."""
HEAVY = {"grpc", "google", "pydantic", "pydantic_core"}


def imported(path: Path) -> set[str]:
    """The top packages that a module imports, wherever in it."""
    return {name.partition(".")[0] for name in modules_of(path)}


def modules_of(path: Path) -> set[str]:
    """What a module imports, wherever in it, by full names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module)
            case _:
                continue
    return names


def loaded_by(statement: str) -> set[str]:
    """The top packages that the statement loads in a fresh Python."""
    code = f"import sys\nbefore = set(sys.modules)\n{statement}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_sdk_does_not_know_the_fake():
    knowing = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "loom").rglob("*.py"))
        if "loom_testing" in imported(path) and path.relative_to(ROOT).parts[1] != "cli"
    ]
    assert knowing == []


def test_nothing_that_is_shipped_needs_what_is_not():
    for package in ("loom", "loom_testing", "conformance/loom_conformance"):
        for path in sorted((ROOT / package).rglob("*.py")):
            foreign = {"tests", "scripts", "examples", "benchmarks", "docs", "mutants"}
            assert not imported(path) & foreign, path


def test_the_checks_speak_over_the_wire_only():
    """No bug of the SDK, or of the fake's own client, can hide one of a bridge."""
    allowed = {"loom.v1", "loom.testing.v1"}
    package = ROOT / "conformance" / "loom_conformance"
    paths = [*sorted((package / "checks").glob("*.py")), *(package / f"{name}.py" for name in SPEAKING)]
    assert len(paths) > 10
    for path in paths:
        ours = {name for name in modules_of(path) if name.partition(".")[0] in ("loom", "loom_testing")}
        foreign = {name for name in ours if not name.startswith(tuple(allowed))}
        assert foreign == set(), path


@pytest.mark.parametrize(
    "statement",
    ["import loom", "import loom.cli", "import loom.cli.conformance", "import loom_testing.cli"],
)
def test_what_must_answer_at_once_loads_nothing_heavy(statement: str):
    assert not loaded_by(statement) & (HEAVY | {"asyncio"})


def test_the_engine_loads_nothing_heavy():
    assert not loaded_by("import loom_testing.engine.engine") & (HEAVY | {"asyncio", "random"})
