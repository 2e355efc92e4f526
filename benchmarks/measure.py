"""Contestants, run in turns, so that what disturbs one disturbs all.

Standard library only: the players in a peer's environment use `timed` too.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.targets import Target

__all__ = ["Contestant", "ContestantError", "Figures", "Once", "Row", "Turn", "measure", "timed"]

Once = Callable[[], Awaitable[None]]
"""Does the job once."""

Turn = Callable[[int], Awaitable[list[float]]]
"""Does the job so many times, or as often as there is time for; how long each took, milliseconds."""

TURN_S = 2.0
"""A slow contestant's turn ends after this."""


class ContestantError(Exception):
    """A contestant could not do its job; the text says why. The others go on without it."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way of doing the job.

    Attributes:
        name: as it is shown.
        ready: sets up what outlives a turn, and gives the turn.
        peer: whether it is somebody else's.
        missing: why it cannot take part here, and how to install it; nothing where it can.
        versions: the versions of what it is made of.
    """

    name: str
    ready: Callable[[], AbstractAsyncContextManager[Turn]]
    peer: bool = False
    missing: Callable[[], str] = str
    versions: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: the same job, done by several. The first contestant is ours.

    Attributes:
        name: also of its file under results/.
        job: what is done, in words.
        contestants: who does it.
        targets: what we want of the figures.
        times: how often a contestant does the job in one turn.
        one_core: whether all of it is kept on one core, see `on_one_core`.
        operations: so many things are done by doing the job once; the figures are of one of them. Above one,
            the row is about how many are done in a second, not about how long each takes.
    """

    name: str
    job: str
    contestants: Sequence[Contestant]
    targets: Sequence[Target]
    times: int = 40
    one_core: bool = False
    operations: int = 1

    @property
    def is_rate(self) -> bool:
        """Whether the row is about how many are done in a second."""
        return self.operations > 1


@dataclass(slots=True)
class Figures:
    """What was measured of one contestant: milliseconds of one operation.

    Attributes:
        name: the contestant.
        samples: all of them.
        rounds: the median of each round.
        problem: why there are none; empty where there are.
    """

    name: str
    samples: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def p50(self) -> float:
        """The median of all samples."""
        return statistics.median(self.samples)

    @property
    def p99(self) -> float:
        """The 99th percentile of all samples."""
        if len(self.samples) < 2:
            return self.samples[0]
        return statistics.quantiles(self.samples, n=100, method="inclusive")[98]

    @property
    def per_second(self) -> float:
        """How many are done in a second, by the median."""
        return 1000 / self.p50

    @property
    def spread(self) -> float:
        """How far the rounds' medians lie apart, as a part of the median."""
        return (max(self.rounds) - min(self.rounds)) / self.p50


async def measure(row: Row, rounds: int, tell: Callable[[str], object] = str) -> list[Figures]:
    """Lets every contestant do the job `row.times` times in each round.

    Who begins turns from round to round. Who cannot take part, or fails, is left out and says why.

    Args:
        row: what is measured.
        rounds: how often each has its turn.
        tell: hears who does what now.
    """
    figures = {one.name: Figures(one.name, problem=one.missing()) for one in row.contestants}
    for number in range(rounds):
        shift = number % len(row.contestants)
        for contestant in [*row.contestants[shift:], *row.contestants[:shift]]:
            taken = figures[contestant.name]
            if taken.problem:
                continue
            tell(f"{row.name}: round {number + 1} of {rounds}, {contestant.name}")
            try:
                samples = [sample / row.operations for sample in await _round(contestant, row.times)]
            except ContestantError as error:
                taken.problem = f"failed: {error}"
                continue
            taken.samples += samples
            taken.rounds.append(statistics.median(samples))
    return list(figures.values())


async def _round(contestant: Contestant, times: int) -> list[float]:
    """One contestant's turn, after a tenth of it to warm up."""
    async with contestant.ready() as turn:
        await turn(max(1, times // 10))
        return await turn(times)


def timed(once: Once, seconds: float = TURN_S) -> Turn:
    """The turn that does a job again and again, one after the other, and no longer than so many seconds."""

    async def turn(times: int) -> list[float]:
        gc.collect()
        samples: list[float] = []
        end = time.perf_counter() + seconds
        while len(samples) < times and (not samples or time.perf_counter() < end):
            began = time.perf_counter()
            await once()
            samples.append((time.perf_counter() - began) * 1000)
        return samples

    return turn
