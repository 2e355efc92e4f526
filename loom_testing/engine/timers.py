"""The engine's deadlines: one table of what may be waited for, one heap.

A timer is known by its kind and the thing it belongs to, so that setting it again moves it. Cancelled and
moved entries stay in the heap until they surface or outnumber the live ones.
"""

from __future__ import annotations

import heapq
from enum import StrEnum

__all__ = ["TimerKey", "TimerKind", "Timers"]


class TimerKind(StrEnum):
    """Everything an engine waits for."""

    HANDSHAKE = "handshake"
    """A stream must begin with its handshake (SES-1); per stream."""
    LAPSE = "lapse"
    """A registration must be followed by a stream (REG-4); per agent."""
    LIVENESS = "liveness"
    """A session's client must be heard from (SES-7); per stream."""
    FLUSH = "flush"
    """A leaving agent's queue is flushed for so long (SES-6); per stream."""
    SLOW = "slow"
    """A full subscriber's transport must make progress (FLOW-3); per stream."""
    EXPIRY = "expiry"
    """The next queued event expires (PUB-7); per stream."""
    WAITER = "waiter"
    """A caller's deadline (ACT-3); per call of a caller."""
    KEPT = "kept"
    """The oldest kept result is forgotten (ACT-8); one."""
    PRODUCER = "producer"
    """The outcomes of a producer whose stream is gone are forgotten (PUB-9); per producer."""
    DRAIN = "drain"
    """The grace of a bridge that is about to stop ends (LIM-3); one."""


TimerKey = tuple[TimerKind, int | str]
"""A timer's kind, and the number or name of what it belongs to."""


class Timers:
    """Deadlines in whole microseconds; equal ones fire in the order in which they were set."""

    def __init__(self) -> None:
        self._live: dict[TimerKey, tuple[int, int]] = {}
        self._heap: list[tuple[int, int, TimerKey]] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._live)

    def set(self, kind: TimerKind, of: int | str, deadline: int) -> None:
        """Sets or moves a timer."""
        key = (kind, of)
        self._order += 1
        self._live[key] = (deadline, self._order)
        heapq.heappush(self._heap, (deadline, self._order, key))
        if len(self._heap) > 64 and len(self._heap) > 2 * len(self._live):
            self._compact()

    def cancel(self, kind: TimerKind, of: int | str) -> None:
        """Forgets a timer; one that is not set is no error."""
        self._live.pop((kind, of), None)

    def is_set(self, kind: TimerKind, of: int | str) -> bool:
        """Whether the timer is set."""
        return (kind, of) in self._live

    def next_deadline(self) -> int | None:
        """When the next timer fires, or None."""
        self._surface()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int) -> TimerKey | None:
        """Takes the next timer that is due at `now`, or None."""
        self._surface()
        if not self._heap or self._heap[0][0] > now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._live[key]
        return key

    def _surface(self) -> None:
        """Drops entries that were cancelled or moved from the top of the heap."""
        while self._heap:
            deadline, order, key = self._heap[0]
            if self._live.get(key) == (deadline, order):
                return
            heapq.heappop(self._heap)

    def _compact(self) -> None:
        self._heap = [(deadline, order, key) for key, (deadline, order) in self._live.items()]
        heapq.heapify(self._heap)
