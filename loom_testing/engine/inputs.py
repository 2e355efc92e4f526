"""What can happen to an engine. A shell turns the world into these, and `Engine.handle` takes them.

`stream` and `call` are numbers the shell chooses, unique while the stream or call is open; the engine only
hands them back. A shell never reuses one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from loom_testing.engine.messages import ActionCall, Capability, ClientMessage, Subscription

__all__ = [
    "Abandon",
    "Break",
    "Disconnect",
    "DrainAll",
    "HalfClose",
    "Heartbeat",
    "Hold",
    "Input",
    "Invoke",
    "ListCapabilities",
    "Open",
    "Receive",
    "Register",
    "Release",
    "Reset",
    "Snapshot",
    "Tick",
    "Writable",
]


@dataclass(slots=True)
class Register:
    """RegisterAgent was called (REG). Answered by `RegisterReply`, at once.

    `echo` is None where the client left it unset.
    """

    call: int
    agent_id: str
    subscribed_topics: list[str] = field(default_factory=list)
    capabilities: list[Capability] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    echo: bool | None = None


@dataclass(slots=True)
class Open:
    """EventStream was called; the handshake is awaited (SES-1)."""

    stream: int


@dataclass(slots=True)
class Receive:
    """A message came in on a stream."""

    stream: int
    message: ClientMessage


@dataclass(slots=True)
class HalfClose:
    """The client will send nothing more, and left in order (SES-6)."""

    stream: int


@dataclass(slots=True)
class Break:
    """The stream was reset or its connection lost (SES-6)."""

    stream: int


@dataclass(slots=True)
class Writable:
    """The transport took `count` of the messages given out by `Send` (FLOW-1)."""

    stream: int
    count: int


@dataclass(slots=True)
class Invoke:
    """ForwardAction or Invoke was called (ACT). Answered by one `Answer`, unless abandoned before."""

    call: int
    request: ActionCall


@dataclass(slots=True)
class Abandon:
    """The caller of an open call left (ACT-3)."""

    call: int


@dataclass(slots=True)
class ListCapabilities:
    """ListCapabilities was called (ACT-11). Answered by `CapabilitiesReply`, at once."""

    call: int


@dataclass(slots=True)
class Heartbeat:
    """The unary Heartbeat was called (HB-1). Answered by `HeartbeatReply`, at once."""

    call: int
    timestamp_ms: int


@dataclass(slots=True)
class Tick:
    """Time has come to `next_deadline()`; nothing else happened."""


@dataclass(slots=True)
class DrainAll:
    """The bridge is about to stop (LIM-3). `Drained` follows when nothing is open any more."""

    grace_ms: int


@dataclass(slots=True)
class Snapshot:
    """A test looks inside (CTL-1). Answered by `SnapshotReply`, at once."""

    call: int


@dataclass(slots=True)
class Disconnect:
    """A test breaks an agent's stream (CTL-4). No effect without one."""

    agent_id: str


@dataclass(slots=True)
class Hold:
    """A test stops the writes to an agent (CTL-4): nothing is sent until `Release`."""

    agent_id: str


@dataclass(slots=True)
class Release:
    """A test lets the writes go on (CTL-4)."""

    agent_id: str


@dataclass(slots=True)
class Reset:
    """A test ends every session and call and forgets everything (CTL-4)."""


Input = (
    Register
    | Open
    | Receive
    | HalfClose
    | Break
    | Writable
    | Invoke
    | Abandon
    | ListCapabilities
    | Heartbeat
    | Tick
    | DrainAll
    | Snapshot
    | Disconnect
    | Hold
    | Release
    | Reset
)
