"""The lint that keeps the engine pure, tried on planted violations, and the engine itself."""

from __future__ import annotations

import pytest

from scripts.purity import ENGINE, check_folder, check_source, main


def test_the_engine_is_pure():
    assert [str(violation) for violation in check_folder(ENGINE)] == []


def test_the_engine_is_looked_at():
    assert len(list(ENGINE.rglob("*.py"))) >= 4


@pytest.mark.parametrize(
    "module",
    [
        "asyncio",
        "datetime",
        "google.protobuf",
        "grpc",
        "io",
        "logging",
        "loom",
        "loom.client",
        "loom_testing.driver",
        "os",
        "os.path",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "sys",
        "threading",
        "time",
        "uuid",
    ],
)
def test_a_banned_import_is_found(module: str):
    for line in (f"import {module}", f"from {module} import thing", f"def f():\n    import {module} as m"):
        assert len(check_source(line)) == 1, line


@pytest.mark.parametrize(
    "line", ["from loom import client", "from loom_testing import driver", "from .. import driver"]
)
def test_an_import_around_the_corner_is_found(line: str):
    assert len(check_source(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "from loom.codes import Code",
        "from loom import codes",
        "from loom_testing.engine.limits import Limits",
        "from loom_testing.engine import limits",
        "from collections.abc import Iterator",
        "from . import limits",
        "from .limits import Limits",
        "import heapq, json",
    ],
)
def test_what_only_computes_may_be_imported(line: str):
    assert check_source(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "open('x')",
        "print(1)",
        "hash(x)",
        "sorted(xs, key=id)",
        "eval('1')",
        "exec('1')",
        "input()",
        "x.__hash__()",
    ],
)
def test_a_call_that_looks_outside_is_found(line: str):
    assert len(check_source(line)) == 1


@pytest.mark.parametrize(
    "source", ["async def f(): pass", "async def f():\n    await g()", "def f():\n    global x\n    x = 1"]
)
def test_waiting_and_global_state_are_found(source: str):
    assert check_source(source)


@pytest.mark.parametrize(
    "source",
    [
        "for x in {1, 2}: pass",
        "for x in set(xs): pass",
        "names = {n for n in ns}\nfor n in names: pass",
        "def f(names: frozenset[str]):\n    return [n for n in names]",
        "def f(names: set[str] | None):\n    return list(names)",
        "def __init__(self):\n    self.live: set[int] = set()\ndef f(self):\n    for x in self.live: pass",
        "class A:\n    live: set[int]\n    def f(self):\n        return self.live.pop()",
        "def f(a: set[str], b: set[str]):\n    return tuple(a | b)",
        "def f(a: set[str]):\n    return ','.join(a)",
        "def f(a: set[str]):\n    return [*a]",
        "def f(a: 'set[str]'):\n    return dict(enumerate(a))",
        "def f(a: set[str], b: list[str]):\n    return list(a.union(b))",
    ],
)
def test_walking_over_a_set_is_found(source: str):
    assert len(check_source(source)) == 1, source


@pytest.mark.parametrize(
    "source",
    [
        "def f(names: set[str]):\n    return sorted(names)",
        "def f(names: set[str]):\n    return len(names), 'x' in names, max(names)",
        "def f(names: set[str]):\n    for n in sorted(names): pass",
        "def f(names: dict[str, None]):\n    for n in names: pass",
        "def f(names: list[int]):\n    return names.pop()",
    ],
)
def test_a_set_whose_order_does_not_show_is_fine(source: str):
    assert check_source(source) == []


def test_the_command_prints_each_violation_and_fails(tmp_path, capsys):
    (tmp_path / "clock.py").write_text("import time\nimport random\n")
    assert main([str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("clock.py:1: imports time; the engine computes, it looks at nothing outside")


def test_the_command_is_silent_when_all_is_pure(tmp_path, capsys):
    (tmp_path / "pure.py").write_text("import heapq\n")
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
