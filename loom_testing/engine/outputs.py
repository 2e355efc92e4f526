"""What an engine wants done. A shell carries these out in order, and does nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from loom_testing.engine.messages import ActionResult, Capability, ServerMessage, Subscription

__all__ = [
    "Accept",
    "AgentSnapshot",
    "Answer",
    "CallSnapshot",
    "CapabilitiesReply",
    "Drained",
    "End",
    "HeartbeatReply",
    "Output",
    "PauseReading",
    "RegisterReply",
    "ResumeReading",
    "Send",
    "SnapshotReply",
]


@dataclass(slots=True)
class RegisterReply:
    """Answers `Register`. The shell adds server and limits, which are the bridge's own.

    `error_code` is empty on success. `heartbeat_interval_ms` and `registration` are 0 on failure.
    """

    call: int
    error_code: str = ""
    error_message: str = ""
    features: list[str] = field(default_factory=list)
    heartbeat_interval_ms: int = 0
    registration: int = 0


@dataclass(slots=True)
class Accept:
    """The handshake is accepted: send the response headers now (SES-3)."""

    stream: int


@dataclass(slots=True)
class Send:
    """Write this message; report it by `Writable` once the transport took it."""

    stream: int
    message: ServerMessage


@dataclass(slots=True)
class End:
    """End the stream with a gRPC status (its name, such as `ABORTED`) after writing what was sent before.

    `abrupt`: as a lost connection does, without writing what is still unwritten (CTL-4). The engine has
    forgotten the stream; inputs about it are ignored from here on.
    """

    stream: int
    status: str
    message: str = ""
    abrupt: bool = False


@dataclass(slots=True)
class PauseReading:
    """Read no further message from this stream until `ResumeReading` (FLOW-2)."""

    stream: int


@dataclass(slots=True)
class ResumeReading:
    """Read on."""

    stream: int


@dataclass(slots=True)
class Answer:
    """The result of an `Invoke`, with the caller's own id."""

    call: int
    result: ActionResult


@dataclass(slots=True)
class CapabilitiesReply:
    """Answers `ListCapabilities`."""

    call: int
    capabilities: list[Capability] = field(default_factory=list)


@dataclass(slots=True)
class HeartbeatReply:
    """Answers `Heartbeat`."""

    call: int
    timestamp_ms: int
    status: str = "ok"


@dataclass(slots=True)
class AgentSnapshot:
    """One agent in a snapshot."""

    agent_id: str
    registration: int
    state: str
    epoch: int
    features: list[str]
    subscriptions: list[Subscription]
    capabilities: list[str]
    queued_events: int
    queued_bytes: int
    waiting_events: int
    open_calls: int
    paused: bool
    held: bool


@dataclass(slots=True)
class CallSnapshot:
    """One open call in a snapshot."""

    id: str
    capability: str
    state: str
    caller: str
    provider: str
    waiters: int


@dataclass(slots=True)
class SnapshotReply:
    """Answers `Snapshot`: what the engine holds. Counters that are 0 are left out."""

    call: int
    now: int
    agents: list[AgentSnapshot] = field(default_factory=list)
    calls: list[CallSnapshot] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Drained:
    """After `DrainAll`: nothing is open any more, the bridge may stop."""


Output = (
    RegisterReply
    | Accept
    | Send
    | End
    | PauseReading
    | ResumeReading
    | Answer
    | CapabilitiesReply
    | HeartbeatReply
    | SnapshotReply
    | Drained
)
