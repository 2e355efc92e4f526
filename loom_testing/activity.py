"""What happens on a bridge, told as activities: agents come and go, events are published and delivered, calls
start and end.

A `loom_testing.tracker.Tracker` makes them from the steps of an engine's trace, as Control.Watch tells them.
It knows only what it has seen: a stream that was open before has an empty agent.

Times are whole microseconds: `at` since the Unix epoch, the others durations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar

__all__ = [
    "Activity",
    "AgentChanged",
    "AgentJoined",
    "AgentLeft",
    "AgentRefused",
    "BridgeDraining",
    "CallEnded",
    "CallStarted",
    "EventDelivered",
    "EventPublished",
    "NamespaceReset",
    "PublisherResumed",
    "PublisherSlowed",
    "Refused",
    "as_json",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    kind: ClassVar[str]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentJoined(_At):
    """An agent's stream is open: it hears and answers from now on."""

    kind = "agent.joined"
    agent: str
    subscriptions: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChanged(_At):
    """A live agent registered again, with other subscriptions or capabilities (REG-3)."""

    kind = "agent.changed"
    agent: str
    subscriptions: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRefused(_At):
    """A registration was refused (REG-1, REG-2)."""

    kind = "agent.refused"
    agent: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLeft(_At):
    """An agent is gone; `orderly` where it said goodbye."""

    kind = "agent.left"
    agent: str
    reason: str
    orderly: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPublished(_At):
    """The bridge took an event. `matched` counts its receivers where the publisher asked, else it is None.

    `answered_us` is set on a reply: how long its request had waited.
    """

    kind = "event.published"
    sender: str
    topic: str
    event_type: str
    event_id: str
    matched: int | None = None
    answered_us: int | None = None
    payload: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDelivered(_At):
    """A copy of an event was given out to an agent, `waited_us` after it was published (None: not seen)."""

    kind = "event.delivered"
    sender: str
    to: str
    topic: str
    event_type: str
    event_id: str
    waited_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(_At):
    """A call arrived. `call` is its number on this bridge, the same in the `CallEnded` that follows."""

    kind = "call.started"
    call: int
    caller: str
    capability: str
    version: str = ""
    payload: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(_At):
    """A call was answered, timed out or given up. `status` is OK, ERROR, TIMEOUT, RETRYABLE or CANCELLED.

    `provider` is empty where nobody was given the call; `took_us` is None where its start was not seen.
    """

    kind = "call.ended"
    call: int
    caller: str
    provider: str
    capability: str
    status: str
    code: str = ""
    message: str = ""
    took_us: int | None = None
    payload: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(_At):
    """The bridge refused something an agent sent; its stream goes on. `ref` is what it is about."""

    kind = "refused"
    agent: str
    code: str
    message: str
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherSlowed(_At):
    """An agent publishes faster than its subscribers take; it is read no further for now (FLOW-2)."""

    kind = "publisher.slowed"
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherResumed(_At):
    """A slowed agent is read again."""

    kind = "publisher.resumed"
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeDraining(_At):
    """The bridge is about to stop (LIM-3)."""

    kind = "bridge.draining"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceReset(_At):
    """A test ended every session and call (CTL-4)."""

    kind = "namespace.reset"


Activity = (
    AgentJoined
    | AgentChanged
    | AgentRefused
    | AgentLeft
    | EventPublished
    | EventDelivered
    | CallStarted
    | CallEnded
    | Refused
    | PublisherSlowed
    | PublisherResumed
    | BridgeDraining
    | NamespaceReset
)


def as_json(activity: Activity, *, payloads: bool = False) -> dict[str, Any]:
    """The activity as a JSON object: `kind`, `time` (ISO 8601, UTC), and its fields; durations as `…_us`.

    Args:
        activity: what to write.
        payloads: whether to add `payload`, as text. Payloads may be private, so they are left out otherwise.
    """
    found: dict[str, Any] = {"kind": activity.kind, "time": _iso(activity.at)}
    for each in fields(activity):
        value = getattr(activity, each.name)
        if each.name == "at" or (each.name == "payload" and not payloads):
            continue
        found[each.name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return found


def _iso(micros: int) -> str:
    seconds, rest = divmod(micros, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"
