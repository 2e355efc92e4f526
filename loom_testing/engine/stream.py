"""One EventStream call as the engine knows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from loom_testing.engine.outbox import Outbox
from loom_testing.engine.states import StreamState

__all__ = ["Stream"]


@dataclass(slots=True, eq=False)
class Stream:
    """One stream, from its opening to its end."""

    number: int
    credit: int
    """How many more messages the shell takes before it reports (FLOW-1)."""
    state: StreamState = StreamState.AWAITING
    agent_id: str = ""
    epoch: int = 0
    features: frozenset[str] = frozenset()
    producer: int = 0
    outbox: Outbox = field(default_factory=Outbox)
    seq: int = 0
    """The number of the last delivery (feature `session`)."""
    dropped: int = 0
    """Realtime copies dropped since the client was last told (PUB-6)."""
    paused: bool = False
    held: bool = False
    last_heard: int = 0
    expiry: int | None = None
    """What the expiry timer is set to."""
    end_status: str = "OK"
    """With what a flushing stream will end."""
    end_message: str = ""
