"""A gRPC call to the bridge, counted: what a test's clock compares with the bridge's own counts (CTL-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Traffic"]


class Traffic:
    """One call. On a real clock nobody asks for its counts.

    Attributes:
        number: its number among the calls of this program; 0 on a real clock.
        metadata: what it tells the bridge beside the request.
        sent: messages given to the stream.
        received: messages taken in.
        paused: whether the stream is read no further for now.

    Args:
        number: its number.
        metadata: what it tells the bridge beside the request.
        changed: called when a count has changed.
        over: called when the call is over.
    """

    __slots__ = ("_changed", "_over", "metadata", "number", "paused", "received", "sent")

    def __init__(
        self,
        number: int = 0,
        metadata: tuple[tuple[str, str], ...] = (),
        changed: Callable[[], object] | None = None,
        over: Callable[[int], object] | None = None,
    ) -> None:
        self.number = number
        self.metadata = metadata
        self.sent = 0
        self.received = 0
        self.paused = False
        self._changed = changed
        self._over = over

    def give(self, messages: int) -> None:
        """So many messages are on their way to the bridge."""
        self.sent += messages
        if self._changed is not None:
            self._changed()

    def take(self) -> None:
        """A message came in, and its consequences have begun."""
        self.received += 1
        if self._changed is not None:
            self._changed()

    def pause(self, paused: bool) -> None:
        """The stream is read no further, or read on."""
        self.paused = paused
        if self._changed is not None:
            self._changed()

    def end(self) -> None:
        """The call is over."""
        if self._over is not None:
            self._over(self.number)
