"""`Tape`: what crossed the wire in one check, in the order in which the check saw it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["Crossing", "Tape"]

MOST = 5_000
"""How many crossings a tape keeps."""

Direction = Literal["sent", "received", "note"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """One message, or a note between the messages.

    Attributes:
        at: microseconds since the tape began.
        who: the check's name for its side: an agent, a caller, `control`.
        direction: seen from the check.
        rpc: the method, such as `EventStream`.
        what: the message; text where there is none (a status, bytes that are no message, time that passed).
    """

    at: int
    who: str
    direction: Direction
    rpc: str
    what: Message | str


@dataclass(slots=True)
class Tape:
    """The crossings of one check. What is over `MOST` is counted only."""

    crossings: list[Crossing] = field(default_factory=list)
    left_out: int = 0
    _sealed: bool = False
    _began: float = field(default_factory=time.monotonic)

    def sent(self, who: str, rpc: str, what: Message | str) -> None:
        """The check sent it."""
        self._add(who, "sent", rpc, what)

    def received(self, who: str, rpc: str, what: Message | str) -> None:
        """The bridge sent it."""
        self._add(who, "received", rpc, what)

    def note(self, who: str, text: str) -> None:
        """Something happened that is no message."""
        self._add(who, "note", "", text)

    def seal(self) -> None:
        """From now on nothing is kept: the check is over, and what follows is clearing up."""
        self._sealed = True

    def _add(self, who: str, direction: Direction, rpc: str, what: Message | str) -> None:
        if self._sealed:
            return
        if len(self.crossings) >= MOST:
            self.left_out += 1
            return
        at = int((time.monotonic() - self._began) * 1_000_000)
        self.crossings.append(Crossing(at, who, direction, rpc, what))
