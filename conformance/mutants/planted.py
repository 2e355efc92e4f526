"""The fake bridge with one mutant in it, as a program.

python -m mutants.planted NAME [FLAG ...]    `loom-testing serve --testing --json --port 0`, with the bug
"""

from __future__ import annotations

import runpy
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import TYPE_CHECKING

from mutants.mutant import ROOT, Mutant, load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

__all__ = ["PLAIN", "SERVE", "main", "plant", "serve"]

PLAIN = "--no-testing"
"""The flag that makes it one without its testing control."""
SERVE = ("--testing", "--json", "--port", "0", "--idle-exit", "600", "--log-level", "warning")


def plant(mutant: Mutant) -> None:
    """From now on, importing the mutant's module gives it with the bug.

    Raises:
        RuntimeError: the module was imported before.
    """
    name = mutant.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if name in sys.modules:
        raise RuntimeError(f"{name} is imported already: plant the mutant first")
    sys.meta_path.insert(0, _Finder(name, mutant))


class _Finder:
    """A finder on `sys.meta_path`. Its abstract class would cost each planted bridge a fifth of a second."""

    def __init__(self, name: str, mutant: Mutant) -> None:
        self._name = name
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = _Loader(fullname, str(ROOT / self._mutant.file), self._mutant)
        return spec


class _Loader(SourceFileLoader):
    """Compiles the mutated source each time, past the cache of compiled files."""

    def __init__(self, fullname: str, path: str, mutant: Mutant) -> None:
        super().__init__(fullname, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType | None:
        code: CodeType = compile(self._mutant.source(), self.path, "exec", dont_inherit=True)
        return code


def main(arguments: list[str]) -> int:
    """Serves until it is told to stop, or its stdin closes; 2 where the name is not a mutant's."""
    known = {mutant.name: mutant for mutant in load()}
    if not arguments or arguments[0] not in known:
        print(f"name a mutant: {', '.join(sorted(known))}", file=sys.stderr)  # noqa: T201  # a program's output
        return 2
    serve(known[arguments[0]], arguments[1:])
    return 0


def serve(mutant: Mutant, flags: Sequence[str] = ()) -> None:
    """Serves with the bug until it is told to stop, or its stdin closes."""
    plant(mutant)
    sys.argv = ["loom-testing", *SERVE, *flags]
    runpy.run_module("loom.cli.fake", run_name="__main__")  # under this name it follows its parent


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
