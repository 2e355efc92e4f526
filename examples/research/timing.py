"""How long exchanges took, for the summary at the end."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from examples.research.events import Timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Stopwatch", "summary"]


class Stopwatch:
    """Collects the timings of one piece of work."""

    def __init__(self) -> None:
        self.timings: list[Timing] = []

    @contextmanager
    def time(self, what: Literal["request", "barrier", "call"], name: str) -> Iterator[None]:
        """Time what is done inside, also when it fails."""
        start = time.perf_counter()
        try:
            yield
        finally:
            took = (time.perf_counter() - start) * 1000
            self.timings.append(Timing(what=what, name=name, milliseconds=took))


def summary(timings: Sequence[Timing]) -> list[str]:
    """One line for each kind of exchange: how many, the median and the longest, in milliseconds."""
    names = dict.fromkeys((timing.what, timing.name) for timing in timings)
    lines: list[str] = []
    for what, name in names:
        took = sorted(one.milliseconds for one in timings if (one.what, one.name) == (what, name))
        median = took[(len(took) - 1) // 2]
        lines.append(f"{what} {name}: {len(took)}, p50 {median:.1f} ms, max {took[-1]:.1f} ms")
    return lines
