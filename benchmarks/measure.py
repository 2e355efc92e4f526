"""Contestants, run in turns in one process, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

__all__ = ["Contestant", "Figures", "Row", "measure"]

Once = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way of doing the job. `ready` sets up what outlives a measurement and gives what is timed."""

    name: str
    ready: Callable[[], AbstractAsyncContextManager[Once]]
    peer: bool = False
    distributions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: the same job, done by several. The first contestant is ours.

    Attributes:
        name: also of its file under results/.
        job: what is done, in words.
        contestants: who does it.
        target: what we want of the figures, in words.
        times: how often a contestant does the job in one turn.
        operations: so many things are done by doing the job once; the figures are of one of them.
    """

    name: str
    job: str
    contestants: Sequence[Contestant]
    target: str
    times: int = 40
    operations: int = 1


@dataclass(slots=True)
class Figures:
    """What was measured of one contestant: milliseconds of one operation."""

    name: str
    samples: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        """The median of all samples."""
        return statistics.median(self.samples)

    @property
    def p99(self) -> float:
        """The 99th percentile of all samples."""
        return statistics.quantiles(self.samples, n=100, method="inclusive")[98]

    @property
    def spread(self) -> float:
        """How far the rounds' medians lie apart, as a part of the median."""
        return (max(self.rounds) - min(self.rounds)) / self.p50


async def measure(row: Row, rounds: int) -> list[Figures]:
    """Lets every contestant do the job `row.times` times in each round.

    Who begins turns from round to round.
    """
    figures = {contestant.name: Figures(contestant.name) for contestant in row.contestants}
    for number in range(rounds):
        shift = number % len(row.contestants)
        for contestant in [*row.contestants[shift:], *row.contestants[:shift]]:
            samples = [sample / row.operations for sample in await _round(contestant, row.times)]
            figures[contestant.name].samples += samples
            figures[contestant.name].rounds.append(statistics.median(samples))
    return list(figures.values())


async def _round(contestant: Contestant, times: int) -> list[float]:
    """One contestant's turn, after a tenth of it to warm up."""
    async with contestant.ready() as once:
        for _ in range(max(1, times // 10)):
            await once()
        gc.collect()
        samples = []
        for _ in range(times):
            began = time.perf_counter()
            await once()
            samples.append((time.perf_counter() - began) * 1000)
        return samples
