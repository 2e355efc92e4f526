"""What a client sends, as bytes: made with the generated messages of loom.v1 and nothing of ours beside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.differential.normal import Beginning

__all__ = ["METHODS", "Requests"]

METHODS = {
    "RegisterAgent": "/loom.v1.Bridge/RegisterAgent",
    "EventStream": "/loom.v1.Bridge/EventStream",
    "ForwardAction": "/loom.v1.Bridge/ForwardAction",
    "Heartbeat": "/loom.v1.Bridge/Heartbeat",
    "Invoke": "/loom.v1.ActionBroker/Invoke",
    "ListCapabilities": "/loom.v1.ActionBroker/ListCapabilities",
}


class Requests:
    """Encodes what a case says for one bridge, with the numbers that this bridge gave out."""

    def __init__(self, beginning: Beginning) -> None:
        self._beginning = beginning

    def unary(self, asked: i.Register | i.Heartbeat | i.ListCapabilities) -> bytes:
        """The request of a call that is answered at once."""
        if isinstance(asked, i.Heartbeat):
            return stream_pb2.HeartbeatRequest(timestamp_ms=asked.timestamp_ms).SerializeToString()
        if isinstance(asked, i.ListCapabilities):
            return action_pb2.ListCapabilitiesRequest().SerializeToString()
        request = agent_pb2.AgentRegisterRequest(
            agent_id=asked.agent_id,
            subscribed_topics=asked.subscribed_topics,
            capabilities=[
                action_pb2.CapabilityDescriptor(
                    name=item.name,
                    version=item.version,
                    provider=_open(item.provider),
                    metadata=item.metadata,
                )
                for item in asked.capabilities
            ],
            metadata=asked.metadata,
            subscriptions=_subscriptions(asked.subscriptions),
            features=asked.features,
        )
        if asked.echo is not None:
            request.echo = asked.echo
        return request.SerializeToString()

    def call(self, call: m.ActionCall) -> bytes:
        """The request of ForwardAction and Invoke."""
        return action_pb2.ActionCall(
            id=call.id,
            capability=call.capability,
            version=call.version,
            payload=call.payload,
            headers=call.headers,
            timeout_ms=call.timeout_ms,
            correlation_id=call.correlation_id,
            qos=_open(call.qos),
        ).SerializeToString()

    def message(self, message: m.ClientMessage) -> bytes:
        """A message of a stream."""
        match message:
            case m.Publish(topic, event, confirm, pub_seq):
                return _publish(topic, event, confirm, pub_seq)
            case m.Ack():
                return stream_pb2.ClientEvent(ack=self._ack(message)).SerializeToString()
            case m.Ping(timestamp_ms):
                ping = stream_pb2.HeartbeatRequest(timestamp_ms=timestamp_ms)
                return stream_pb2.ClientEvent(ping=ping).SerializeToString()
            case m.ActionResult():
                return stream_pb2.ClientEvent(action_result=self._result(message)).SerializeToString()
            case m.Subscribe(ref, items):
                subscribe = stream_pb2.Subscribe(ref=ref, subscriptions=_subscriptions(items))
                return stream_pb2.ClientEvent(subscribe=subscribe).SerializeToString()
            case m.Unsubscribe(ref, items):
                unsubscribe = stream_pb2.Unsubscribe(ref=ref, subscriptions=_subscriptions(items))
                return stream_pb2.ClientEvent(unsubscribe=unsubscribe).SerializeToString()
            case m.Goodbye(reason):
                return stream_pb2.ClientEvent(goodbye=stream_pb2.Goodbye(reason=reason)).SerializeToString()
            case m.Unknown("batch"):
                return stream_pb2.ClientEvent(batch=stream_pb2.ClientBatch()).SerializeToString()
            case m.Unknown("action_chunk"):
                return stream_pb2.ClientEvent(action_chunk=action_pb2.ActionChunk()).SerializeToString()
            case _:
                return stream_pb2.ClientEvent().SerializeToString()

    def _ack(self, ack: m.Ack) -> stream_pb2.Ack:
        return stream_pb2.Ack(
            message_id=ack.message_id,
            epoch=self._beginning.number_there(ack.epoch),
            seq=ack.seq,
            done=[stream_pb2.SeqRange(first=first, last=last) for first, last in ack.done],
            registration=self._beginning.number_there(ack.registration),
            producer=ack.producer,
        )

    def _result(self, result: m.ActionResult) -> action_pb2.ActionResult:
        wire = action_pb2.ActionResult(
            id=self._beginning.id_there(result.id), status=_open(result.status), output=result.output
        )
        if result.error is not None:
            wire.error.SetInParent()
            wire.error.code, wire.error.message = result.error.code, result.error.message
            wire.error.details.update(result.error.details)
        return wire


def _publish(topic: str, event: bytes | None, confirm: bool, pub_seq: int) -> bytes:
    """The event goes in as the bytes it is, well-formed or not: on the wire a message within is bytes."""
    publish = event_pb2.Publish(topic=topic, confirm=confirm, pub_seq=pub_seq).SerializeToString()
    if event is not None:
        publish += b"\x12" + _varint(len(event)) + event
    return b"\x0a" + _varint(len(publish)) + publish


def _varint(number: int) -> bytes:
    encoded = b""
    while number >= 128:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def _subscriptions(items: Iterable[m.Subscription]) -> list[agent_pb2.Subscription]:
    return [
        agent_pb2.Subscription(
            topic=item.topic,
            event_types=item.event_types,
            qos=_open(item.qos),
            group=item.group,
            observer=item.observer,
        )
        for item in items
    ]


def _open(number: int | None) -> Any:
    """proto3 enums are open: a number without a name goes as it is, which the stubs do not know."""
    return number
