"""One mutant: what was changed where, and what became of it.

A mutant's key does not hold its line, so that an answer to it holds when the code above it moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

__all__ = ["CannotTryError", "Mutant", "Outcome", "numbered"]


class CannotTryError(Exception):
    """The mutants could not be made or tried; the text says why and what to do."""


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    """A test failed."""
    TIMEOUT = "timeout"
    """The tests did not end, which a run of them would notice as well."""
    SURVIVED = "survived"
    """Every test passed, or none runs the changed line."""
    UNVIABLE = "unviable"
    """It does not compile."""


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One change of one engine.

    Attributes:
        file: the file's name in the engine's folder.
        function: the function, with its class.
        change: what stood there, an arrow, what stands there now.
        line: where, in the file as it was mutated.
        name: what the tool calls it.
    """

    file: str
    function: str
    change: str
    line: int = field(compare=False)
    name: str = field(compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it as long as the changed line stays."""
        return (self.file, self.function, self.change)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}: {self.change}"


def numbered(mutants: Iterable[Mutant]) -> list[Mutant]:
    """The mutants in their order; where a function holds the same change twice, the later ones say which."""
    seen: Counter[tuple[str, str, str]] = Counter()
    result = []
    for mutant in mutants:
        seen[mutant.key] += 1
        times = seen[mutant.key]
        result.append(mutant if times == 1 else replace(mutant, change=f"{mutant.change} ({times})"))
    return result
