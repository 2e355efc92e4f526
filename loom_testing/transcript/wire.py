"""The methods of a bridge as a transcript sees them: what goes which way, and what a stream carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError, Message

from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom_testing.transcript.entry import Kind, Way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom_testing.transcript.recorder import Recorded

__all__ = ["METHODS", "ONEOFS", "Crossing", "crossings", "message_class", "method_of"]

METHODS: dict[str, tuple[type[Message], type[Message]]] = {
    "RegisterAgent": (agent_pb2.AgentRegisterRequest, agent_pb2.AgentRegisterResponse),
    "EventStream": (stream_pb2.ClientEvent, stream_pb2.ServerEvent),
    "ForwardAction": (action_pb2.ActionCall, action_pb2.ActionResult),
    "ForwardActionStream": (action_pb2.ActionCall, action_pb2.ActionStreamItem),
    "Invoke": (action_pb2.ActionCall, action_pb2.ActionResult),
    "ListCapabilities": (action_pb2.ListCapabilitiesRequest, action_pb2.ListCapabilitiesResponse),
    "Heartbeat": (stream_pb2.HeartbeatRequest, stream_pb2.HeartbeatResponse),
}
"""What each method takes and answers."""

ONEOFS = {
    stream_pb2.ClientEvent.DESCRIPTOR.full_name: "msg",
    stream_pb2.ServerEvent.DESCRIPTOR.full_name: "msg",
    action_pb2.ActionStreamItem.DESCRIPTOR.full_name: "item",
}


@dataclass(slots=True)
class Crossing:
    """One entry, its message taken apart.

    Attributes:
        item: as it was recorded.
        name: what it is, as in `Entry.name`.
        message: the message, without the stream's wrapping; None where there is none.
    """

    item: Recorded
    name: str
    message: Message | None = None

    @property
    def kind(self) -> Kind:
        """What it is; bytes that turned out to be no message are `BYTES`."""
        is_bytes = self.item.kind is Kind.MESSAGE and self.message is None and self.name == ""
        return Kind.BYTES if is_bytes else self.item.kind


def method_of(rpc: str) -> str:
    """A method's short name: `EventStream` of `/loom.v1.Bridge/EventStream`."""
    return rpc.rpartition("/")[2]


def message_class(rpc: str, way: Way) -> type[Message] | None:
    """The class of the messages that go this way; None where the method is not the bridge's."""
    classes = METHODS.get(method_of(rpc))
    return None if classes is None else classes[way is Way.RECEIVED]


def crossings(item: Recorded) -> Iterator[Crossing]:
    """What was recorded as one: usually one crossing; the messages of a batch each for themselves."""
    if item.kind is Kind.FAULT:
        message = _message(item, item.what[2])
        yield (
            next(_taken_apart(item, message), Crossing(item, ""))
            if message is not None
            else Crossing(item, "")
        )
        return
    message = _message(item, item.what) if item.kind is Kind.MESSAGE else None
    if message is None:
        yield Crossing(item, "")
        return
    yield from _taken_apart(item, message)


def _message(item: Recorded, what: Message | bytes | None) -> Message | None:
    """The message; None where the bytes are none of the method's."""
    cls = message_class(item.rpc, item.way)
    if isinstance(what, Message) or what is None or cls is None:
        return what if isinstance(what, Message) else None
    try:
        return cls.FromString(what)
    except DecodeError:
        return None


def _taken_apart(item: Recorded, message: Message) -> Iterator[Crossing]:
    oneof = ONEOFS.get(message.DESCRIPTOR.full_name)
    if oneof is None:
        yield Crossing(item, "request" if item.way is Way.SENT else "response", message)
        return
    member = message.WhichOneof(oneof)
    if member is None:
        yield Crossing(item, "empty", message)
    elif member == "batch":
        for inner in getattr(message, member).items:
            yield from _taken_apart(item, inner)
    else:
        yield Crossing(item, member, getattr(message, member))
