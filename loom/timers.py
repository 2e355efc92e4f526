"""Timers of a clock that stands still until it is told: what fires next, and in which order."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Timer", "Timers"]

ROOM = 64
"""So many timers are kept at least, cancelled ones included, before those are looked for."""


class Timer:
    """One timer. `cancel` it when it is of no use any more.

    Attributes:
        when: when it fires, microseconds.
        owner: whose it is.
        awaited: whether somebody waits for it; heartbeats are not waited for.
        fire: what happens then; None once it was cancelled or has fired.
    """

    __slots__ = ("awaited", "fire", "order", "owner", "when")

    def __init__(
        self, when: int, owner: str, number: int, fire: Callable[[], object], *, awaited: bool
    ) -> None:
        self.when = when
        self.owner = owner
        self.order = (when, owner, number)
        self.awaited = awaited
        self.fire: Callable[[], object] | None = fire

    def __lt__(self, other: Timer) -> bool:
        return self.order < other.order

    def cancel(self) -> None:
        """It will not fire. Cancelling what has fired does nothing."""
        self.fire = None


class Timers:
    """Timers in order: by time, then by owner, then as they were set.

    By owner, so that the order does not depend on which of several agents was quicker to set its own.
    """

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._numbers = itertools.count()
        self._room = ROOM

    def __len__(self) -> int:
        return sum(timer.fire is not None for timer in self._heap)

    def add(self, when: int, owner: str, fire: Callable[[], object], *, awaited: bool = True) -> Timer:
        """Sets a timer."""
        timer = Timer(when, owner, next(self._numbers), fire, awaited=awaited)
        if len(self._heap) >= self._room:
            self._heap = self.take_all()
            self._room = max(ROOM, 2 * len(self._heap))
        heapq.heappush(self._heap, timer)
        return timer

    def next(self) -> Timer | None:
        """The one that fires next."""
        while self._heap and self._heap[0].fire is None:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def next_awaited(self) -> int | None:
        """When the next fires that somebody waits for."""
        return min(
            (timer.when for timer in self._heap if timer.fire is not None and timer.awaited), default=None
        )

    def fire_next(self, now: int) -> bool:
        """Fires the next one, if it is due. Answers whether it was."""
        timer = self.next()
        if timer is None or timer.when > now:
            return False
        heapq.heappop(self._heap)
        fire, timer.fire = timer.fire, None
        assert fire is not None
        fire()
        return True

    def take_all(self) -> list[Timer]:
        """All of them, in order; none is left."""
        taken = sorted(timer for timer in self._heap if timer.fire is not None)
        self._heap = []
        return taken
