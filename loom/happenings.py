"""What a message from the bridge means to an agent: what `Session.receive` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom.v1 import action_pb2, event_pb2

__all__ = [
    "UNKNOWN",
    "Called",
    "Cancelled",
    "Confirmed",
    "Delivered",
    "Draining",
    "Happening",
    "Flushed",
    "Live",
    "Refused",
]

UNKNOWN = -1
"""The number of receivers of a publish where the bridge does not tell."""


@dataclass(frozen=True, slots=True)
class Live:
    """The stream is accepted; `epoch` is 0 at the base level."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event for the agent."""

    topic: str
    event: event_pb2.Event


@dataclass(frozen=True, slots=True)
class Called:
    """A call of one of the agent's capabilities."""

    call: action_pb2.ActionCall


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nobody waits for a call any more; `code` is TIMEOUT or CANCELLED."""

    call_id: str
    code: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The outcome of a confirmed publish.

    `matched` counts its receivers (`UNKNOWN` where the bridge does not tell); `code` is empty when accepted.
    """

    pub_seq: int
    matched: int
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Flushed:
    """Everything that the bridge had queued for this session before `Session.flush` has come in (HB-2)."""

    number: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The bridge refused something that was not a confirmed publish."""

    code: str
    message: str
    ref: str


@dataclass(frozen=True, slots=True)
class Draining:
    """The bridge is about to stop; open calls may go on for `grace_ms`."""

    grace_ms: int


Happening = Live | Delivered | Called | Cancelled | Confirmed | Flushed | Refused | Draining
