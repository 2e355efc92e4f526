"""A call as the engine knows it, and the results it keeps for repeats (ACT-8)."""

from __future__ import annotations

from dataclasses import dataclass, field

from loom_testing.engine.messages import ActionCall, ActionResult
from loom_testing.engine.states import CallState
from loom_testing.engine.text import utf8_size

__all__ = ["Call", "CallKey", "KeptResult", "Waiter", "same_content"]

CallKey = tuple[str, str]
"""The caller and its own id of the call."""


@dataclass(slots=True, eq=False)
class Waiter:
    """One caller waiting for a call; `token` is the shell's number of its RPC."""

    token: int
    call: int
    own_id: str
    deadline: int


@dataclass(slots=True, eq=False)
class Call:
    """One open call."""

    number: int
    id: str
    """The bridge's own id, told to the provider (ACT-1)."""
    request: ActionCall
    key: CallKey | None
    waiters: dict[int, Waiter] = field(default_factory=dict)
    state: CallState = CallState.QUEUED
    provider: str = ""
    stream: int = 0
    """The stream it was given to."""
    size: int = 0
    """How many bytes of payload and headers it carries."""

    def __post_init__(self) -> None:
        headers = self.request.headers
        self.size = len(self.request.payload) + sum(
            utf8_size(name) + utf8_size(value) for name, value in headers.items()
        )

    def deadline(self) -> int:
        """When its last caller gives up."""
        return max(waiter.deadline for waiter in self.waiters.values())


@dataclass(slots=True, eq=False)
class KeptResult:
    """A provider's own OK or ERROR, kept for repeats of the call."""

    request: ActionCall
    result: ActionResult
    expires: int
    size: int


def same_content(one: ActionCall, other: ActionCall) -> bool:
    """Whether two calls ask for the same: capability, version and payload."""
    return (one.capability, one.version, one.payload) == (other.capability, other.version, other.payload)
