"""Runs a program with one line of its source changed: a fault that the fuzzer has to find.

    python -m tests.differential.planted MODULE OLD NEW PROGRAM [ARGUMENT ...]

In the source of MODULE, OLD becomes NEW; it must stand there once. PROGRAM is a module, run as `python -m`
does.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

__all__ = ["main", "plant"]


def main(arguments: Sequence[str]) -> None:
    """Plants the fault and runs the program."""
    module, old, new, program, *rest = arguments
    plant(module, old, new)
    sys.argv = [program, *rest]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


def plant(module: str, old: str, new: str) -> None:
    """From now on the module is imported with this change.

    Raises:
        ValueError: the old text does not stand there once, or the module was imported already.
    """
    path = _source(module)
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in {module}; it must stand there once")
    if module in sys.modules:
        raise ValueError(f"{module} was imported already")
    code = compile(text.replace(old, new), str(path), "exec", dont_inherit=True)
    sys.meta_path.insert(0, _Finder(module, str(path), code))


def _source(module: str) -> Path:
    """Where a module's source is. Nothing is imported: a package may import what is to be changed."""
    package, *rest = module.split(".")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"there is no package {package}")
    return Path(found.submodule_search_locations[0], *rest).with_suffix(".py")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, path: str, code: CodeType) -> None:
        self._module = module
        self._path = path
        self._code = code

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> Any:
        if fullname != self._module:
            return None
        loader = _Loader(fullname, self._path, self._code)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, code: CodeType) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


if __name__ == "__main__":
    main(sys.argv[1:])
