"""`WireMessage`: one message on its way, as a fault's predicates see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError, Message

from loom_testing.transcript.entry import Way
from loom_testing.transcript.wire import ONEOFS, message_class, method_of

if TYPE_CHECKING:
    from loom.v1.event_pb2 import Event

__all__ = ["CALLS", "EVENTS", "KINDS", "ONLY_ANSWERS", "STREAM", "Direction", "WireMessage", "kinds_of"]

STREAM = "EventStream"
CALLER = "x-agent-id"


class Direction(StrEnum):
    """Which way a message goes."""

    TO_BRIDGE = "to_bridge"
    TO_AGENT = "to_agent"

    @property
    def way(self) -> Way:
        """The same as a transcript says it."""
        return Way.SENT if self is Direction.TO_BRIDGE else Way.RECEIVED


TO_BRIDGE, TO_AGENT = Direction.TO_BRIDGE, Direction.TO_AGENT

KINDS: dict[str, Direction | None] = {
    # Of calls by themselves.
    "register": TO_BRIDGE,
    "registered": TO_AGENT,
    "call": TO_BRIDGE,
    "answer": TO_AGENT,
    "chunk": TO_AGENT,
    "list": TO_BRIDGE,
    "listed": TO_AGENT,
    "heartbeat": TO_BRIDGE,
    "heartbeat_answer": TO_AGENT,
    # Of an agent's stream.
    "handshake": TO_BRIDGE,
    "ack": TO_BRIDGE,
    "publish": TO_BRIDGE,
    "ping": TO_BRIDGE,
    "action_result": TO_BRIDGE,
    "subscribe": TO_BRIDGE,
    "unsubscribe": TO_BRIDGE,
    "goodbye": TO_BRIDGE,
    "welcome": TO_AGENT,
    "delivery": TO_AGENT,
    "receipt": TO_AGENT,
    "pong": TO_AGENT,
    "err": TO_AGENT,
    "action_call": TO_AGENT,
    "action_cancel": TO_AGENT,
    "action_credit": TO_AGENT,
    "flow": TO_AGENT,
    "drain": TO_AGENT,
    "action_chunk": None,
    "batch": None,
}
"""Every kind of message, and which way it goes; None for both."""

EVENTS = frozenset({"publish", "delivery"})
"""Kinds that have a topic and a type."""
CALLS = frozenset({"call", "action_call"})
"""Kinds that name a capability."""

ONLY_ANSWERS = frozenset({"registered", "answer", "listed", "heartbeat_answer"})
"""Kinds that are the one answer of their call, unless it is of a method that streams."""

_UNARY = {
    "RegisterAgent": ("register", "registered"),
    "ForwardAction": ("call", "answer"),
    "ForwardActionStream": ("call", "answer"),
    "Invoke": ("call", "answer"),
    "ListCapabilities": ("list", "listed"),
    "Heartbeat": ("heartbeat", "heartbeat_answer"),
}


def kinds_of(rpc: str, direction: str = "") -> set[str]:
    """The kinds of message that a method carries, this way or both."""
    kinds: set[str] = set()
    for way in Direction:
        cls = message_class(rpc, way.way) if direction in ("", way) else None
        if cls is None:
            continue
        oneof = ONEOFS.get(cls.DESCRIPTOR.full_name)
        if oneof is None:
            kinds.add(_UNARY[rpc][way is TO_AGENT])
        else:
            members = {field.name for field in cls.DESCRIPTOR.oneofs_by_name[oneof].fields}
            kinds |= {"answer" if name == "result" else name for name in members}
            kinds |= {"handshake"} if "ack" in members else set()
    return kinds


@dataclass(eq=False)
class WireMessage:
    """One message.

    Attributes:
        direction: which way it goes.
        rpc: the gRPC method by its short name: `EventStream`, `ForwardAction`.
        data: its bytes, as protobuf writes them.
        first: whether it is the first of its call this way.
        agent: whose connection it goes over; empty where nobody has said so.
        asked: of an answer: the call it answers, where that is known.
        held_back: the faults that hold back a message before it, to be overtaken.
    """

    direction: Direction
    rpc: str
    data: bytes
    first: bool = False
    agent: str = ""
    asked: WireMessage | None = None
    held_back: frozenset[int] = frozenset()

    @cached_property
    def parsed(self) -> Message | None:
        """The message without the stream's wrapping; None where the bytes are none."""
        found = self._whole
        if found is None:
            return None
        oneof = ONEOFS.get(found.DESCRIPTOR.full_name)
        if oneof is None:
            return found
        member = found.WhichOneof(oneof)
        return None if member is None else getattr(found, member)

    @cached_property
    def kind(self) -> str:
        """What it is, one of `KINDS`; empty where it is something else."""
        found = self._whole
        if found is None:
            return ""
        oneof = ONEOFS.get(found.DESCRIPTOR.full_name)
        if oneof is None:
            return _UNARY.get(method_of(self.rpc), ("", ""))[self.direction is TO_AGENT]
        member = found.WhichOneof(oneof) or ""
        if member == "ack" and self.first and getattr(self.parsed, "message_id", ""):
            return "handshake"
        return "answer" if member == "result" else member

    @property
    def is_only_answer(self) -> bool:
        """Whether its call is answered by this one message, which gRPC takes once."""
        cls = message_class(self.rpc, self.direction.way)
        return self.direction is TO_AGENT and cls is not None and cls.DESCRIPTOR.full_name not in ONEOFS

    @property
    def event(self) -> Event | None:
        """The event it carries."""
        carried: Event | None = getattr(self.parsed, "event", None) if self.kind in EVENTS else None
        return carried

    @property
    def topic(self) -> str:
        """The topic of its event."""
        return str(getattr(self.parsed, "topic", "")) if self.kind in EVENTS else ""

    @property
    def type(self) -> str:
        """The type of its event."""
        event = self.event
        return "" if event is None else str(event.type)

    @property
    def capability(self) -> str:
        """The capability that it calls, or whose answer it is."""
        if self.kind in CALLS:
            return str(getattr(self.parsed, "capability", ""))
        return "" if self.asked is None else self.asked.capability

    @property
    def names(self) -> str:
        """The agent that it says it is from; empty where it does not say."""
        message: Any = self.parsed
        match self.kind:
            case "register":
                return str(message.agent_id)
            case "handshake":
                return str(message.message_id)
            case "call":
                return str(message.headers.get(CALLER, ""))
        return ""

    @cached_property
    def _whole(self) -> Message | None:
        cls = message_class(self.rpc, self.direction.way)
        if cls is None:
            return None
        try:
            return cls.FromString(self.data)
        except DecodeError:
            return None
