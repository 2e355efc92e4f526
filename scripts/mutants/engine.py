"""What the two engines have in common: where they lie, and how their mutants are listed and tried."""

from __future__ import annotations

import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.mutants.mutant import Mutant, Outcome

__all__ = ["Engine", "Place", "say"]

MEMORY = 6 << 30
"""What one process may take at most, bytes: a mutant that never ends must not take the machine with it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run works.

    Attributes:
        root: the project.
        work: a folder of this run's own; what it holds is what a resumed run goes on with.
        jobs: how many mutants are tried at once.
    """

    root: Path
    work: Path
    jobs: int


class Engine(ABC):
    """One of the two engines."""

    language: str
    folder: str
    """Where its sources are, below the root."""
    suffix: str

    def __init__(self, place: Place) -> None:
        self.place = place

    @abstractmethod
    def versions(self) -> tuple[str, str]:
        """The tool and the compiler, with their versions.

        Raises:
            CannotTryError: the tool is not there.
        """

    @abstractmethod
    def mutants(self) -> list[Mutant]:
        """Every mutant there is.

        Raises:
            CannotTryError: they could not be made.
        """

    @abstractmethod
    def attempt(self, mutants: Sequence[Mutant], *, chosen: bool, resume: bool) -> dict[Mutant, Outcome]:
        """Tries the mutants: all there are, or where `chosen`, these. Resumed, those that were killed stand.

        Raises:
            CannotTryError: the tests fail without any mutant, or the tool gave up.
        """

    def timed_attempt(
        self, mutants: Sequence[Mutant], *, chosen: bool, resume: bool
    ) -> tuple[dict[Mutant, Outcome], float]:
        """Tries the mutants; answers also the seconds, with those of the runs that this one resumed."""
        clock = self.place.work / f"{self.language}-seconds.json"
        before = json.loads(clock.read_text()) if resume and clock.exists() else 0.0
        began = time.monotonic()
        try:
            outcomes = self.attempt(mutants, chosen=chosen, resume=resume)
        finally:
            seconds = before + time.monotonic() - began
            clock.parent.mkdir(parents=True, exist_ok=True)
            clock.write_text(json.dumps(seconds))
        return outcomes, seconds


def limit_memory() -> None:
    """Bounds the memory of every process that is started from here on."""
    import resource  # not on Windows, where neither tool runs

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    bound = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


def say(line: str) -> None:
    """Progress, for whoever waits."""
    sys.stderr.write(f"mutants: {line}\n")
    sys.stderr.flush()
