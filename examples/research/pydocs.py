"""The documentation that every Python installation carries, as documents.

Three sorts of it:

- `topic:` the language reference that `help("with")` shows (`pydoc_data.topics`);
- `source:` the docstrings of the standard library's modules, read from their source and never run;
- `builtin:` the docstrings of its modules written in C, which have no source here and are imported.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import sys
import sysconfig
import types
import warnings
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any

from examples.research.passage import Document, Passage, cut

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["documents", "read"]

_STDLIB = Path(sysconfig.get_path("stdlib"))

# Not the library's documentation: tests, tools, tables, what is installed beside it, what was dropped later.
_LEFT_OUT_NAMES = """
test tests idle_test idlelib lib2to3 distutils turtledemo ensurepip encodings pydoc_data site-packages
dist-packages __pycache__ __phello__
"""
_LEFT_OUT = frozenset(_LEFT_OUT_NAMES.split())
_LEFT_OUT_PREFIXES = (
    "_py",
    "_sysconfigdata",
    "_test",
    "_xx",
    "xx",
    "_tkinter",
    "_idle",
    "config-",
    "antigravity",
)
_TOLD_METHODS = ("__init__", "__new__", "__call__")
_RECEIVER = re.compile(r"^(?:self|cls|\$self|\$module|\$type)(?:, /)?(?:, |$)")
_BUILTIN_SIZE = 6_000  # bytes of source that an average C module weighs as much as


def documents() -> list[Document]:
    """Every document; nothing is opened yet."""
    found = [Document(f"topic:{name}", len(text) // 2) for name, text in topics.items()]
    for path, name in _sources():
        found.append(Document(f"source:{name}", path.stat().st_size))
    found += [Document(f"builtin:{name}", _BUILTIN_SIZE) for name in _builtin_modules()]
    return found


def _sources() -> Iterator[tuple[Path, str]]:
    """The library's source files, each with its name from the library's folder on."""
    for folder, folders, files in os.walk(_STDLIB):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        for file in files:
            path = Path(folder, file)
            name = path.relative_to(_STDLIB).as_posix()
            if file.endswith(".py") and not name.startswith(_LEFT_OUT_PREFIXES):
                yield path, name


def read(document: Document) -> list[Passage]:
    """The passages of one document; none when it cannot be read here."""
    sort, _, name = document.key.partition(":")
    match sort:
        case "topic":
            return list(_read_topic(document, name))
        case "source":
            return list(_read_source(document, name))
        case _:
            return list(_read_builtin(document, name))


def _read_topic(document: Document, name: str) -> Iterator[Passage]:
    for first, last, heading, piece in cut(topics.get(name, "")):
        yield Passage(
            key=f"{document.key}#{first + 1}",
            source=f'the topic "{name}"',
            heading=heading,
            place=f'help("{name}"), lines {first + 1}-{last + 1}',
            signature="",
            text=piece,
            kind="topic",
        )


def _read_source(document: Document, name: str) -> Iterator[Passage]:
    try:
        tree = ast.parse((_STDLIB / name).read_text("utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for node, owner in _described(tree, ""):
        raw = ast.get_docstring(node, clean=False)
        if not raw:
            continue
        text = inspect.cleandoc(raw)
        first_line = node.body[0].lineno + _leading_lines(raw)
        source = f"{module}.{owner}" if owner else module
        if owner:
            called = owner.removesuffix(".__init__").removesuffix(
                ".__new__"
            )  # a class is called by its own name
            source = f"{_public_home(module, owner.partition('.')[0])}.{called}"
        yield from _docstring_passages(document, source, _signature(node), text, name, first_line)


def _docstring_passages(
    document: Document, source: str, signature: str, text: str, path: str, first_line: int
) -> Iterator[Passage]:
    for first, last, heading, piece in cut(text):
        start, end = first_line + first, first_line + last
        yield Passage(
            key=f"{document.key}#{start}",
            source=source,
            heading=heading,
            place=f"Lib/{path}, lines {start}-{end}" if end > start else f"Lib/{path}, line {start}",
            signature=signature,
            text=piece,
            kind="docstring",
        )


_Described = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _described(node: _Described, owner: str) -> Iterator[tuple[_Described, str]]:
    """`node` and what is public in it, dotted names; inside `if` and `try` too, not inside functions."""
    yield node, owner
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in _definitions(node):
            if not child.name.startswith("_") or child.name in _TOLD_METHODS:
                yield from _described(child, f"{owner}.{child.name}" if owner else child.name)


def _definitions(node: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        elif isinstance(child, ast.If | ast.Try | ast.ExceptHandler | ast.With):
            yield from _definitions(child)


def _leading_lines(raw: str) -> int:
    return len(raw) - len(raw.lstrip("\n")) if raw.strip() else 0


def _signature(node: _Described) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return f"({_RECEIVER.sub('', ast.unparse(node.args), count=1)})"
    if isinstance(node, ast.ClassDef):
        maker = next((child for child in _definitions(node) if child.name == "__init__"), None)
        return _signature(maker) if maker else "()"
    return ""


@cache
def _public_home(module: str, name: str) -> str:
    """The package that offers `name` of its module as its own: `asyncio` for `asyncio.tasks.wait_for`."""
    package, _, own = module.rpartition(".")
    if not package:
        return module
    exports = _exports(package)
    if name in exports or f"{own}.*" in exports:
        return _public_home(package, name)
    return module


@cache
def _exports(package: str) -> frozenset[str]:
    """What a package's `__init__` takes from its own modules: names, and `module.*` where it takes all."""
    path = _STDLIB / package.replace(".", "/") / "__init__.py"
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and (node.level == 1 or node.module.startswith(f"{package}."))
        ):
            own = node.module.removeprefix(f"{package}.")
            found.update(f"{own}.*" if alias.name == "*" else alias.name for alias in node.names)
    return frozenset(found)


def _builtin_modules() -> list[str]:
    names = set(sys.builtin_module_names)
    for entry in sys.path:
        folder = Path(entry)
        if folder.name == "lib-dynload":
            names |= {
                path.name.partition(".")[0]
                for path in folder.iterdir()
                if path.name.endswith(tuple(EXTENSION_SUFFIXES))
            }
    return sorted(name for name in names & sys.stdlib_module_names if not name.startswith(_LEFT_OUT_PREFIXES))


def _read_builtin(document: Document, name: str) -> Iterator[Passage]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it is read, not used
            module = importlib.import_module(name)
    except ImportError:
        return
    told: set[str] = set()
    for source, thing in _things(module, name):
        text = inspect.getdoc(thing) if isinstance(getattr(thing, "__doc__", None), str) else None
        if not text or source in told:
            continue
        told.add(source)
        signature, text = _split_signature(source, thing, text)
        for first, last, heading, piece in cut(text):
            lines = (
                f", lines {first + 1}-{last + 1} of its documentation"
                if (first or last < text.count("\n"))
                else ""
            )
            yield Passage(
                key=f"{document.key}#{source}:{first + 1}",
                source=source,
                heading=heading,
                place=f"built into Python, help({source!r}){lines}",
                signature=signature,
                text=piece,
                kind="docstring",
            )


def _things(module: types.ModuleType, name: str) -> Iterator[tuple[str, Any]]:
    """A C module's public things, named by where they are offered: `struct.pack`, not `_struct.pack`."""
    yield _offered_by(name), module
    seen: set[int] = set()
    for key, value in sorted(vars(module).items()):
        if key.startswith("_") or id(value) in seen or not (callable(value) or isinstance(value, type)):
            continue
        seen.add(id(value))
        home = getattr(value, "__module__", None) or name
        if home.split(".")[0] not in sys.stdlib_module_names:
            continue
        source = f"{_offered_by(home)}.{getattr(value, '__qualname__', key)}"
        yield source, value
        if isinstance(value, type):
            for method, member in sorted(vars(value).items()):
                if not method.startswith("_") and callable(member):
                    yield f"{source}.{method}", member


def _offered_by(module: str) -> str:
    """The module that people import for what a C module holds: `struct` for `_struct`, `os` for `posix`."""
    if module in {"posix", "nt"}:
        return "os"
    return module[1:] if module.startswith("_") and module[1:] in sys.stdlib_module_names else module


def _split_signature(source: str, thing: Any, text: str) -> tuple[str, str]:
    """The signature of something written in C, which its documentation may begin with."""
    own = getattr(thing, "__text_signature__", None)
    if isinstance(own, str):
        return f"({_RECEIVER.sub('', own.removeprefix('(').removesuffix(')'), count=1)})", text
    short = source.rpartition(".")[2]
    first, _, rest = text.partition("\n")
    if first.startswith(f"{short}(") and rest.strip():
        return first.removeprefix(short), text
    return "", text
