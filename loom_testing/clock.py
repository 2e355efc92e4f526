"""The clocks of a namespace: whole microseconds since the Unix epoch that never go back.

An engine reads no clock; its driver reads one of these and hands the time in.
"""

from __future__ import annotations

import time

__all__ = ["Clock", "RealClock", "VirtualClock"]

NANOS_PER_MICRO = 1000


class RealClock:
    """The wall clock when it is made, from then on the monotonic clock, so that it never goes back."""

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """The time, microseconds since the Unix epoch."""
        return (time.monotonic_ns() + self._offset) // NANOS_PER_MICRO


class VirtualClock:
    """Starts at the wall clock's time and moves only when told (CTL-2)."""

    __slots__ = ("_now",)

    def __init__(self) -> None:
        self._now = time.time_ns() // NANOS_PER_MICRO

    def now(self) -> int:
        """The time, microseconds since the Unix epoch."""
        return self._now

    def move_to(self, moment: int) -> None:
        """Moves forward to `moment`; a moment that has passed changes nothing."""
        self._now = max(self._now, moment)


Clock = RealClock | VirtualClock
