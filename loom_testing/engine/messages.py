"""The messages that cross the engine's border, as plain data.

They mirror `loom.v1` field for field, so that a shell's codec only copies. What the engine merely
carries (an event, a payload, an answer) is bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "Ack",
    "ActionCall",
    "ActionCancel",
    "ActionError",
    "ActionResult",
    "Capability",
    "ClientMessage",
    "Delivery",
    "Drain",
    "Err",
    "Goodbye",
    "Ping",
    "Pong",
    "Publish",
    "Receipt",
    "ServerMessage",
    "Subscribe",
    "Subscription",
    "Unknown",
    "Unsubscribe",
    "Welcome",
]


@dataclass(slots=True)
class Subscription:
    """One subscription; `qos` is None where the client left it unset."""

    topic: str
    event_types: list[str] = field(default_factory=list)
    qos: int | None = None
    group: str = ""
    observer: bool = False


@dataclass(slots=True)
class Capability:
    """One capability an agent offers."""

    name: str
    version: str = ""
    provider: int = 0
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ActionError:
    """Why a call failed."""

    code: str
    message: str = ""
    details: dict[str, str] = field(default_factory=dict)


# What a client sends on its stream.


@dataclass(slots=True)
class Ack:
    """The handshake; later, what is done."""

    message_id: str = ""
    epoch: int = 0
    seq: int = 0
    done: list[tuple[int, int]] = field(default_factory=list)
    registration: int = 0
    producer: int = 0


@dataclass(slots=True)
class Publish:
    """An event for a topic; `event` is None where the client sent none."""

    topic: str
    event: bytes | None = None
    confirm: bool = False
    pub_seq: int = 0


@dataclass(slots=True)
class Ping:
    """Asks for a pong."""

    timestamp_ms: int = 0


@dataclass(slots=True)
class ActionResult:
    """How a call ended: from a provider, and to a caller."""

    id: str
    status: int = 0
    output: bytes = b""
    error: ActionError | None = None


@dataclass(slots=True)
class Subscribe:
    """Adds subscriptions to the live session."""

    ref: int = 0
    subscriptions: list[Subscription] = field(default_factory=list)


@dataclass(slots=True)
class Unsubscribe:
    """Takes subscriptions of the same topic and group back."""

    ref: int = 0
    subscriptions: list[Subscription] = field(default_factory=list)


@dataclass(slots=True)
class Goodbye:
    """The client leaves."""

    reason: str = ""


@dataclass(slots=True)
class Unknown:
    """A message this engine does not know; `name` tells which where the shell can."""

    name: str = ""


ClientMessage = Ack | Publish | Ping | ActionResult | Subscribe | Unsubscribe | Goodbye | Unknown


# What a bridge sends on a stream.


@dataclass(slots=True)
class Delivery:
    """An event for the agent; `seq` is 0 where the session has no `session` feature."""

    topic: str
    event: bytes
    seq: int = 0


@dataclass(slots=True)
class Pong:
    """The answer to a ping."""

    timestamp_ms: int = 0
    status: str = "ok"


@dataclass(slots=True)
class Err:
    """Something was refused, or (fatal) the stream ends."""

    code: str
    message: str
    ref: str = ""
    fatal: bool = False


@dataclass(slots=True)
class ActionCall:
    """A call: from a caller, and to a provider."""

    id: str = ""
    capability: str = ""
    version: str = ""
    payload: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    timeout_ms: int = 0
    correlation_id: str = ""
    qos: int = 0


@dataclass(slots=True)
class Welcome:
    """The first message of a session with the `session` feature."""

    epoch: int
    resumed: bool = False
    lost: int = 0
    credit: int = 0


@dataclass(slots=True)
class Receipt:
    """The outcome of a confirmed publish or of a change of subscriptions."""

    ref: int
    matched: int = 0
    code: str = ""


@dataclass(slots=True)
class ActionCancel:
    """Nobody waits for a call any more."""

    id: str
    code: str


@dataclass(slots=True)
class Drain:
    """The bridge is about to stop."""

    grace_ms: int


ServerMessage = Delivery | Pong | Err | ActionCall | Welcome | Receipt | ActionCancel | Drain
