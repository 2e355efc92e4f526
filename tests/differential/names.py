"""The names of both engines, read from their sources, so that a test can hold them beside each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loom.codes import CODES
from loom_testing.engine import inputs, messages, outputs, states, topics, trace
from loom_testing.engine.counters import Counter
from loom_testing.engine.limits import FEATURES, Limits
from loom_testing.engine.timers import TimerKind
from tests.differential.rust import ROOT

PYTHON = ROOT / "loom_testing" / "engine"
RUST = ROOT / "bridge" / "engine" / "src"

Modules = dict[str, set[str]]
"""The public names of each module."""

DEFINED = re.compile(
    r"^\s*pub(?:\([a-z]+\))? (?:const fn|fn|struct|enum|const|type|static) (?:r#)?(\w+)"
    r"|^\s*(?:crate::names::)?(?:names|union)! \{\s*(?:///[^\n]*\s*)*(\w+) \{",
    re.MULTILINE,
)


def python_modules(folder: Path = PYTHON) -> Modules:
    """What each module of the Python engine offers, and the table of codes."""
    modules = {path.stem: set(_offered(path)) for path in folder.glob("*.py") if path.stem != "__init__"}
    return {**modules, "codes": {"Code"}}


def rust_modules(folder: Path = RUST) -> Modules:
    """What each module of the Rust engine defines for others."""
    return {
        path.stem: {one or other for one, other in DEFINED.findall(path.read_text(encoding="utf-8"))}
        for path in folder.glob("*.rs")
        if path.stem != "lib"
    }


def _offered(path: Path) -> list[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def python_tables() -> dict[str, Any]:
    """The Python engine's tables, in the shape in which `loom-engine tables` prints its own."""
    named = ("SessionState", "SessionTrigger", "StreamState", "StreamTrigger", "CallState", "CallTrigger")
    return {
        "trace": trace.VERSION,
        "states": {name: [str(member) for member in getattr(states, name)] for name in named},
        "transitions": {
            name: [
                [str(before), str(on), str(after)] for (before, on), after in getattr(states, name).items()
            ]
            for name in ("SESSION", "STREAM", "CALL")
        },
        "timers": [str(kind) for kind in TimerKind],
        "counters": [str(counter) for counter in Counter],
        "inputs": kinds(inputs.Input),
        "outputs": kinds(outputs.Output),
        "client_messages": kinds(messages.ClientMessage),
        "server_messages": kinds(messages.ServerMessage),
        "features": list(FEATURES),
        "limits": {name: getattr(Limits(), name) for name in Limits.__slots__},
        "topics": {"TOPIC_BYTES": topics.TOPIC_BYTES, "AGENT_ID_BYTES": topics.AGENT_ID_BYTES},
        "codes": {str(code): info.meaning for code, info in CODES.items()},
    }


def kinds(union: Any) -> list[str]:
    """The names of a union's members."""
    return [member.__name__ for member in union.__args__]


def differences(python: Any, rust: Any, place: str = "tables") -> Iterator[str]:
    """Every place where two tables differ."""
    if isinstance(python, dict) and isinstance(rust, dict):
        for name in sorted(python.keys() | rust.keys()):
            yield from differences(python.get(name), rust.get(name), f"{place}.{name}")
    elif isinstance(python, list) and isinstance(rust, list) and sorted(python) != sorted(rust):
        yield from (f"{place}: {item} only in Python" for item in python if item not in rust)
        yield from (f"{place}: {item} only in Rust" for item in rust if item not in python)
    elif isinstance(python, list) and isinstance(rust, list):
        return
    elif python != rust:
        yield f"{place}: {python} in Python, {rust} in Rust"


def missing_names(python: Modules, rust: Modules, one_sided: dict[str, str]) -> Iterator[str]:
    """Every module or public name of one engine that the other lacks, but for those that have a reason.

    Of Rust's names only modules are asked for in Python: what Rust must make public between its modules is
    more than what Python lists.
    """
    found = [f"{module}.{name}" for module in python for name in python[module] - rust.get(module, set())]
    found += [f"{module} (Python's module)" for module in python.keys() - rust.keys()]
    found += [f"{module} (Rust's module)" for module in rust.keys() - python.keys()]
    yield from sorted(name for name in found if name not in one_sided)
    yield from sorted(f"{name} is excused, but both have it" for name in one_sided if name not in found)
