"""`Mutant`: one small bug of the fake bridge, and `load`: all of them."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Mutant", "load"]

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: mutants are of its sources."""


WITHOUT = ("__main__", "matrix", "mutant", "nursery", "planted", "trial")
"""Modules that hold no mutants. A planted bridge starts sooner where it does not import them."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug.

    Attributes:
        clause: the clause that it breaks.
        name: its own name, words joined by dashes.
        why: what the fake does wrongly, in words.
        file: the source, from the root of the checkout.
        old: the text that is replaced; it stands there exactly once.
        new: what stands there instead.
        killed_by: the reason for which its check must fail: a pattern found in the violation's text.
    """

    clause: str
    name: str
    why: str
    file: str
    old: str
    new: str
    killed_by: str

    def source(self) -> str:
        """The file with the bug in it.

        Raises:
            ValueError: the old text does not stand there exactly once, or nothing is changed.
        """
        text = (ROOT / self.file).read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1:
            raise ValueError(
                f"mutant {self.name}: its old text stands {found} times in {self.file}, not once"
            )
        if self.old == self.new:
            raise ValueError(f"mutant {self.name} changes nothing")
        mutated = text.replace(self.old, self.new)
        compile(mutated, self.file, "exec")
        return mutated

    def reason(self) -> re.Pattern[str]:
        """`killed_by`, compiled; it looks at the whole text, in whatever case."""
        return re.compile(self.killed_by, re.IGNORECASE | re.DOTALL)


def load() -> list[Mutant]:
    """Every mutant, in the order of the modules and within them.

    Raises:
        ValueError: two have one name.
    """
    found: dict[str, Mutant] = {}
    package = importlib.import_module("mutants")
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
        if module.name in WITHOUT:
            continue
        for mutant in getattr(importlib.import_module(f"mutants.{module.name}"), "MUTANTS", ()):
            if mutant.name in found:
                raise ValueError(f"two mutants are named {mutant.name}")
            found[mutant.name] = mutant
    return list(found.values())
