"""Holds the engine to what it promises: no I/O, no clock, no randomness, a defined order everywhere.

    python -m scripts.purity [FOLDER]

Checks every module of the folder (by default loom_testing/engine) by its syntax tree: it imports only
modules that compute, calls nothing that looks outside, awaits nothing, and walks over no set. What a
set holds comes out in an order that differs from process to process; `sorted(...)` gives it one.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Violation", "check_folder", "check_source"]

ENGINE = Path(__file__).resolve().parent.parent / "loom_testing" / "engine"

ALLOWED_MODULES = frozenset(
    [
        "__future__",
        "base64",
        "bisect",
        "collections",
        "collections.abc",
        "dataclasses",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "json",
        "loom.codes",
        "operator",
        "re",
        "types",
        "typing",
    ]
)
ALLOWED_PACKAGE = "loom_testing.engine"

# Builtins that look outside, depend on memory addresses or hash seeds, or hide what is called.
BANNED_CALLS = frozenset(
    [
        "__import__",
        "breakpoint",
        "compile",
        "eval",
        "exec",
        "globals",
        "hash",
        "id",
        "input",
        "locals",
        "open",
        "print",
    ]
)

# What shows the order of what it is given.
ORDERED = frozenset(
    [
        "deque",
        "dict",
        "enumerate",
        "filter",
        "iter",
        "list",
        "map",
        "next",
        "reversed",
        "tuple",
        "zip",
    ]
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where the engine is not pure."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def check_folder(folder: Path) -> list[Violation]:
    """Every violation in the folder's modules, by file and line."""
    return [
        violation
        for path in sorted(folder.rglob("*.py"))
        for violation in check_source(path.read_text(encoding="utf-8"), str(path))
    ]


def check_source(source: str, path: str = "<source>") -> list[Violation]:
    """Every violation in one module."""
    tree = ast.parse(source, filename=path)
    sets = _names_of_sets(tree)
    found = [
        Violation(path, line, message)
        for node in ast.walk(tree)
        for line, message in (*_imports(node), *_calls(node), *_waits(node), *_walks_over_sets(node, sets))
    ]
    return sorted(found, key=lambda violation: (violation.line, violation.message))


def _imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Import(names=names):
            modules = [alias.name for alias in names]
        case ast.ImportFrom(module=module, level=0, names=names):
            # `from loom import codes` names the module loom.codes.
            modules = [module or ""]
            if module in {"loom", "loom_testing"}:
                modules = [f"{module}.{alias.name}" for alias in names]
        case ast.ImportFrom(level=level) if level > 1:
            modules = ["a module above the engine"]
        case _:
            return
    for module in modules:
        inside = module == ALLOWED_PACKAGE or module.startswith(f"{ALLOWED_PACKAGE}.")
        if module not in ALLOWED_MODULES and not inside:
            yield node.lineno, f"imports {module}; the engine computes, it looks at nothing outside"


def _calls(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in BANNED_CALLS:
        yield node.lineno, f"uses {node.id}(), which looks outside or differs from run to run"
    if isinstance(node, ast.Attribute) and node.attr == "__hash__":
        yield node.lineno, "uses __hash__, which differs from run to run"


def _waits(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield node.lineno, "waits; the engine's calls return at once"
        case ast.Global():
            yield node.lineno, "keeps state outside the engine; one engine is one namespace"
        case _:
            return


def _walks_over_sets(node: ast.AST, sets: frozenset[str]) -> Iterator[tuple[int, str]]:
    message = "walks over a set, whose order is not defined; use sorted(...) or a dict"
    match node:
        case ast.For(iter=walked) | ast.comprehension(iter=walked) | ast.Starred(value=walked):
            if _is_set(walked, sets):
                yield walked.lineno, message
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in ORDERED:
            for argument in arguments:
                if _is_set(argument, sets):
                    yield argument.lineno, message
        case ast.Call(func=ast.Attribute(attr="pop", value=value), args=[]) if _is_set(value, sets):
            yield value.lineno, "pops from a set, whose order is not defined; use a dict"
        case ast.Call(func=ast.Attribute(attr="join" | "extend"), args=[argument]) if _is_set(argument, sets):
            yield argument.lineno, message
        case _:
            return


def _is_set(node: ast.expr, sets: frozenset[str]) -> bool:
    """Whether the expression is a set, as far as its syntax and the module's annotations tell."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(
            func=ast.Attribute(
                attr="union" | "intersection" | "difference" | "symmetric_difference" | "copy", value=value
            )
        ):
            return _is_set(value, sets)
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
            return _is_set(left, sets) or _is_set(right, sets)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in sets
        case _:
            return False


def _names_of_sets(tree: ast.Module) -> frozenset[str]:
    """The names, of variables and of attributes, that this module says are sets."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=annotated, annotation=annotation) if _says_set(annotation):
                names.update(_name_of(annotated))
            case ast.arg(arg=name, annotation=ast.expr() as annotation) if _says_set(annotation):
                names.add(name)
            case ast.Assign(targets=targets, value=value) if _is_set(value, frozenset()):
                for target in targets:
                    names.update(_name_of(target))
            case _:
                continue
    return frozenset(names)


def _says_set(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Name(id=name):
            return name in {"set", "frozenset", "Set", "AbstractSet", "MutableSet", "FrozenSet"}
        case ast.Subscript(value=value):
            return _says_set(value)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _says_set(left) or _says_set(right)
        case ast.Constant(value=str() as text):
            return _says_set(ast.parse(text, mode="eval").body)
        case _:
            return False


def _name_of(target: ast.expr) -> list[str]:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return [name]
        case _:
            return []


def main(arguments: list[str]) -> int:
    """Prints the violations; 1 where there are any."""
    folder = Path(arguments[0]) if arguments else ENGINE
    violations = check_folder(folder)
    for violation in violations:
        print(violation)  # noqa: T201  # a command's output
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
