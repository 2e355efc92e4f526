"""Finds the agents of a file or module, as the user wrote them.

A target is `path/to/file.py` or `package.module`, either with `:name` to take one agent of it. A file within
a package is imported as that package's module, so that its imports work; any other file with its folder on
the path, as `python file.py` does. A package without an agent stands for its module `agent` or `agents`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loom.cli import console
from loom.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from loom.agent import Agent

__all__ = ["Target", "find_agents"]


@dataclass(frozen=True, slots=True)
class Target:
    """What the user named: a file or a module, and perhaps one agent of it."""

    text: str
    file: Path | None
    module: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """Reads a target.

        Raises:
            Failure: it names no file and can be no module.
        """
        place, name = _split(text)
        place = place.rstrip("/") or place
        path = Path(place).expanduser()
        if path.is_dir() and not (place.isidentifier() and (path / "__init__.py").exists()):
            raise Failure(_folder(path), Exit.USAGE)
        if path.is_file():
            if path.suffix != ".py":
                raise Failure(f"{place} is no Python file; name one that ends in .py", Exit.USAGE)
            return cls(text, path.resolve(), "", name)
        if place.endswith(".py") or os.sep in place:
            raise Failure(f"there is no file {place}; check the path (this is {Path.cwd()})", Exit.USAGE)
        if not all(part.isidentifier() for part in place.split(".")):
            raise Failure(
                f"{place!r} is neither a file nor a module; write FILE.py or package.module", Exit.USAGE
            )
        return cls(text, None, place, name)

    @property
    def root(self) -> Path:
        """The folder whose changes matter, and from which its imports start."""
        if self.file is None:
            return Path.cwd()
        folder = self.file.parent
        while (folder / "__init__.py").exists():
            folder = folder.parent
        return folder


def find_agents(target: Target) -> list[Agent]:
    """Imports the target and takes its agents, in the order in which they stand there.

    Raises:
        Failure: it cannot be imported (the user's own traceback is shown), or it holds no such agent.
    """
    from loom.agent import Agent

    module = _load(target, lambda: _import(target))
    found = {name: value for name, value in vars(module).items() if isinstance(value, Agent)}
    inner = None if found else _inner(module)
    if inner is not None:
        module = _load(target, lambda: importlib.import_module(inner))
        found = {name: value for name, value in vars(module).items() if isinstance(value, Agent)}
    if target.name:
        if target.name not in found:
            others = f"it has {', '.join(found)}" if found else "it has none"
            raise Failure(f"{module.__name__} has no agent named {target.name!r}; {others}", Exit.USAGE)
        return [found[target.name]]
    if not found and Path(target.text).is_dir():
        raise Failure(_folder(Path(target.text)), Exit.USAGE)
    if not found:
        raise Failure(
            f'{target.text} has no agent at its top level; write `agent = Agent("name")` there', Exit.USAGE
        )
    return list({id(agent): agent for agent in found.values()}.values())


def _split(text: str) -> tuple[str, str]:
    """The place and the name; a Windows drive's colon is no separator."""
    place, colon, name = text.rpartition(":")
    return (place, name) if colon and len(place) > 1 and name.isidentifier() else (text, "")


def _folder(path: Path) -> str:
    files = sorted(file for file in path.rglob("*.py") if "Agent(" in file.read_text("utf-8", "replace"))
    hint = f", such as {files[0]}" if files else ""
    return f"{path} is a folder; name a file of it{hint}"


def _inner(module: ModuleType) -> str | None:
    """The module of a package in which its agents stand."""
    if not hasattr(module, "__path__"):
        return None
    names = (f"{module.__name__}.{name}" for name in ("agent", "agents"))
    return next((name for name in names if importlib.util.find_spec(name) is not None), None)


def _load(target: Target, load: Callable[[], ModuleType]) -> ModuleType:
    from loom.errors import LoomError

    root = str(target.root)
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        return load()
    except LoomError as error:  # its message says it all, once it is known where
        raise Failure(f"{_place(target, error)}: {error.message}") from error
    except Exception as error:
        _show_users_traceback(error)
        raise Failure(_why(target, error)) from error
    except SystemExit as error:
        raise Failure(
            f"{target.text} ended the process while it was imported (exit code {error.code}); put what only "
            'a script does under `if __name__ == "__main__":`'
        ) from error


def _import(target: Target) -> ModuleType:
    if target.file is None:
        return importlib.import_module(target.module)
    name = ".".join(target.file.relative_to(target.root).with_suffix("").parts)
    if "." in name:
        return importlib.import_module(name)
    # A plain file may be called as a module that exists; it must not take that one's place.
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"_loom_{name}"
    spec = importlib.util.spec_from_file_location(name, target.file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _why(target: Target, error: Exception) -> str:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing and target.file is None and f"{target.module}.".startswith(f"{missing}."):
        return f"there is no module {target.module!r} here or installed; check the name, or name a file"
    said = " ".join(str(error).split())
    return f"{target.text} cannot be imported: {type(error).__name__}: {said}"


def _place(target: Target, error: Exception) -> str:
    """The last line of the user's own files that the error came through."""
    files = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_loom(frame.filename)]
    frame = next((each for each in reversed(files) if not each.filename.startswith("<")), None)
    if frame is None:
        return target.text
    return f"{os.path.relpath(frame.filename)}:{frame.lineno}"


def _is_loom(file: str) -> bool:
    return file.startswith((str(Path(__file__).parents[1]), importlib.__file__ or "<none>"))


def _show_users_traceback(error: Exception) -> None:
    """The frames of the user's own files; ours and the import machinery's say nothing to them."""
    ours = str(Path(__file__).parent)
    shown = traceback.TracebackException.from_exception(error)
    shown.stack = traceback.StackSummary.from_list(
        frame
        for frame in shown.stack
        if not frame.filename.startswith((ours, "<frozen importlib", importlib.__file__ or "<none>"))
    )
    if shown.stack or isinstance(error, SyntaxError):
        console.say("".join(shown.format(chain=False)).rstrip())
