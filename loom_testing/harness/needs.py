"""What a test's bridge must be able to do: found in the test's own code, so that nobody need say it twice.

Agents connect when a test runs them, and a fault may come later. So it must be known before whether a proxy
is to stand between. A test (or a fixture of it, or a function of its module or a method of its class that it
calls) tells so by its byte code: it takes `.faults` or `.process` of something called as a bridge is
(`loom_bridge`, `bridge`, `loom_bridge.sync`, another name given to one), or `.faults.drop` and the like of
anything. Where it does so further away, the marker says it: `@pytest.mark.loom(faults=True)`.
"""

from __future__ import annotations

import dis
import inspect
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

__all__ = ["FAULTS", "PROCESS", "used_by"]

FAULTS, PROCESS = "faults", "process"
NAMES = {FAULTS, PROCESS}
OF = ("bridge", "sync")
"""What the bridge is called: `loom_bridge`, `bridge`, `loom_bridge.sync`."""
EFFECTS = {
    *("drop", "delay", "duplicate", "reorder", "corrupt", "disconnect", "stall", "slow", "refuse", "fail"),
    "script",
}
"""What only faults of a bridge have: whatever it is called that they are taken of, it is one."""
DEEPEST = 6


def used_by(item: pytest.Function) -> set[str]:
    """Which of `faults` and `process` a test uses of its bridge."""
    functions = [item.function, *_fixtures(item)]
    found: set[str] = set()
    seen: set[CodeType] = set()
    for function in functions:
        found |= _used(inspect.unwrap(function), seen, DEEPEST, getattr(item, "cls", None))
    return found


def _fixtures(item: pytest.Function) -> Iterator[Any]:
    """The functions of its fixtures, but for those of this project."""
    found = item._fixtureinfo.name2fixturedefs  # noqa: SLF001 - pytest shows them nowhere else
    for definitions in found.values():
        function = definitions[-1].func
        if not getattr(function, "__module__", "").startswith("loom_testing."):
            yield function


def _used(function: Any, seen: set[CodeType], depth: int, of: type | None) -> set[str]:
    if isinstance(function, staticmethod | classmethod) or inspect.ismethod(function):
        function = function.__func__
    if not isinstance(function, FunctionType) or function.__code__ in seen or not depth:
        return set()
    seen.add(function.__code__)
    found: set[str] = set()
    for code in _codes(function.__code__):
        found |= _attributes(code)
        for name in code.co_names:
            called = function.__globals__.get(name)
            if isinstance(called, FunctionType) and called.__module__ == function.__module__:
                found |= _used(called, seen, depth - 1, of)
            # A property or the like is left alone: looking at it must not run it.
            method = inspect.getattr_static(of, name, None)
            if isinstance(method, FunctionType | staticmethod | classmethod):
                found |= _used(method, seen, depth - 1, of)
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _attributes(code: CodeType) -> set[str]:
    """What the code takes of something that is called as a bridge is."""
    found: set[str] = set()
    others: set[str] = set()
    before, last = "", ""
    for action, name in _steps(code):
        is_bridge = last.endswith(OF) or last in others
        if action == "STORE":
            (others.add if is_bridge else others.discard)(name)
        elif action == "ATTR" and name in NAMES and is_bridge:
            found.add(name)
        elif action == "ATTR" and name in EFFECTS and last == FAULTS and before:
            found.add(FAULTS)
        before, last = last, name
    return found


def _steps(code: CodeType) -> Iterator[tuple[str, str]]:
    """The names that the code loads and stores, and the attributes it takes, in order; "" for all else."""
    for step in dis.get_instructions(code):
        if step.opname == "EXTENDED_ARG":  # a part of the next, in functions with many names
            continue
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            yield "ATTR", str(step.argval)
        elif isinstance(step.argval, tuple):
            # Newer Pythons load and store two local names in one step: STORE_FAST_LOAD_FAST.
            actions = [word for word in step.opname.split("_") if word in ("LOAD", "STORE")]
            yield from zip(actions, map(str, step.argval), strict=False)
        elif isinstance(step.argval, str) and step.opname.startswith(("LOAD", "STORE")):
            yield step.opname.partition("_")[0], step.argval
        else:
            yield "", ""
