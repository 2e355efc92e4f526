"""When to ping, and when silence means that the other side is dead (SES-7). Reads no clock: times come in."""

from __future__ import annotations

__all__ = ["DEFAULT_INTERVAL_S", "SILENT_INTERVALS", "Heartbeat"]

DEFAULT_INTERVAL_S = 3.0
SILENT_INTERVALS = 3
"""A peer silent for so many intervals is taken for dead."""


class Heartbeat:
    """The heartbeat of one stream.

    Args:
        now: when the stream began, seconds of any clock that only goes forward.
        interval: seconds between pings.
        judges: whether silence counts from the beginning; else only once a ping was answered.
    """

    def __init__(self, now: float, interval: float, *, judges: bool) -> None:
        self.interval = interval
        self._judges = judges
        self._heard = now
        self._ping_at = now + interval
        self._paused = False

    @property
    def patience(self) -> float:
        """How long the other side may be silent, seconds."""
        return SILENT_INTERVALS * self.interval

    def heard(self, now: float) -> None:
        """Something came in."""
        self._heard = now

    def answered(self) -> None:
        """A ping was answered: who answers one answers the next, or is dead."""
        self._judges = True

    def pause(self) -> None:
        """Nobody reads for now: silence means nothing until `resume`."""
        self._paused = True

    def resume(self, now: float) -> None:
        """Somebody reads on."""
        self._paused = False
        self._heard = now

    def next_deadline(self) -> float:
        """When `tick` wants to be called."""
        return min(self._ping_at, self._heard + self.patience) if self._counts else self._ping_at

    def tick(self, now: float) -> bool:
        """Whether it is time to ping. Called at or after `next_deadline`; earlier it does nothing.

        A call that comes late means that this process itself stood still; that time is not counted against
        the other side, whose messages may be waiting to be read.
        """
        late = now - self.next_deadline()
        if late < 0:
            return False
        self._heard += late
        if now < self._ping_at:
            return False
        self._ping_at = now + self.interval
        return True

    def is_dead(self, now: float) -> bool:
        """Whether the other side has been silent for too long."""
        return self._counts and now >= self._heard + self.patience

    @property
    def _counts(self) -> bool:
        return self._judges and not self._paused
