"""Bytes from and to the wire, on the shell's side of the engine's border.

Every gRPC handler of the bridge takes and gives raw bytes, so that malformed protobuf is answered here and in
one way: `Malformed`. A carried event stays the bytes it came in (`loom.view.v1`); the engine checks it.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import DecodeError, Message

from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom.view.v1.view_pb2 import ClientEvent, ServerEvent
from loom_testing.engine import messages
from loom_testing.engine.inputs import Heartbeat, Invoke, ListCapabilities, Register
from loom_testing.strict import NotStrict, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loom_testing.engine.limits import Limits
    from loom_testing.engine.outputs import Answer, CapabilitiesReply, HeartbeatReply, RegisterReply

__all__ = [
    "PROTOCOL",
    "SERVER_NAME",
    "Malformed",
    "decode_client_event",
    "decode_heartbeat",
    "decode_invoke",
    "decode_list_capabilities",
    "decode_register",
    "encode_answer",
    "encode_capabilities",
    "encode_heartbeat",
    "encode_register_reply",
    "encode_server_message",
    "parse",
]

SERVER_NAME = "loom-testing"
PROTOCOL = "1.0"

M = TypeVar("M", bound=Message)


class Malformed(Exception):  # noqa: N818 - it is a verdict on bytes, answered where the bytes came in
    """The bytes are no well-formed message of the kind expected; the text says which."""


def parse(kind: type[M], data: bytes) -> M:
    """Reads a message.

    Raises:
        Malformed: `data` is not one.
    """
    try:
        message = kind.FromString(data)
        check(message, data)
    except (DecodeError, NotStrict):
        name = kind.DESCRIPTOR.full_name.replace("loom.view.", "loom.")  # the view is ours alone
        raise Malformed(f"the message is not a well-formed {name}") from None
    return message


# Unary calls: requests.


def decode_register(call: int, data: bytes) -> Register:
    """RegisterAgent's request."""
    request = parse(agent_pb2.AgentRegisterRequest, data)
    return Register(
        call,
        agent_id=request.agent_id,
        subscribed_topics=list(request.subscribed_topics),
        capabilities=[
            messages.Capability(item.name, item.version, item.provider, dict(item.metadata))
            for item in request.capabilities
        ],
        metadata=dict(request.metadata),
        subscriptions=_subscriptions(request.subscriptions),
        features=list(request.features),
        echo=request.echo if request.HasField("echo") else None,
    )


def decode_invoke(call: int, data: bytes) -> Invoke:
    """ForwardAction's and Invoke's request."""
    return Invoke(call, _call(parse(action_pb2.ActionCall, data)))


def decode_list_capabilities(call: int, data: bytes) -> ListCapabilities:
    """ListCapabilities' request."""
    parse(action_pb2.ListCapabilitiesRequest, data)
    return ListCapabilities(call)


def decode_heartbeat(call: int, data: bytes) -> Heartbeat:
    """Heartbeat's request."""
    return Heartbeat(call, parse(stream_pb2.HeartbeatRequest, data).timestamp_ms)


# Unary calls: answers.


def encode_register_reply(reply: RegisterReply, limits: Limits, *, virtual_clock: bool = False) -> bytes:
    """RegisterAgent's answer, with what the bridge says about itself."""
    response = agent_pb2.AgentRegisterResponse(
        success=not reply.error_code,
        error_message=reply.error_message,
        error_code=reply.error_code,
        features=reply.features,
        heartbeat_interval_ms=reply.heartbeat_interval_ms,
        registration=reply.registration,
        virtual_clock=virtual_clock and not reply.error_code,
    )
    return response.SerializeToString() + _about_bridge(limits)


def encode_answer(reply: Answer) -> bytes:
    """ForwardAction's and Invoke's answer."""
    return _wire_result(reply.result).SerializeToString()


def encode_capabilities(reply: CapabilitiesReply) -> bytes:
    """ListCapabilities' answer."""
    return action_pb2.ListCapabilitiesResponse(
        capabilities=[
            action_pb2.CapabilityDescriptor(
                name=item.name,
                version=item.version,
                provider=_open_enum(item.provider),
                metadata=item.metadata,
            )
            for item in reply.capabilities
        ]
    ).SerializeToString()


def encode_heartbeat(reply: HeartbeatReply) -> bytes:
    """Heartbeat's answer."""
    return stream_pb2.HeartbeatResponse(
        timestamp_ms=reply.timestamp_ms, status=reply.status
    ).SerializeToString()


# The stream: what clients send.


def decode_client_event(data: bytes) -> messages.ClientMessage:
    """One message of EventStream.

    Raises:
        Malformed: it is not a well-formed ClientEvent.
    """
    event = parse(ClientEvent, data)
    kind = event.WhichOneof("msg")
    decode = _CLIENT.get(kind) if kind is not None else None
    if decode is None:
        return messages.Unknown(kind or "")
    return decode(event)


def _publish(event: ClientEvent) -> messages.Publish:
    publish = event.publish
    carried = publish.event if publish.HasField("event") else None
    return messages.Publish(publish.topic, carried, publish.confirm, publish.pub_seq)


def _ack(event: ClientEvent) -> messages.Ack:
    ack = event.ack
    done = [(run.first, run.last) for run in ack.done]
    return messages.Ack(ack.message_id, ack.epoch, ack.seq, done, ack.registration, ack.producer)


def _ping(event: ClientEvent) -> messages.Ping:
    return messages.Ping(event.ping.timestamp_ms)


def _result(event: ClientEvent) -> messages.ActionResult:
    result = event.action_result
    error = None
    if result.HasField("error"):
        error = messages.ActionError(result.error.code, result.error.message, dict(result.error.details))
    return messages.ActionResult(result.id, result.status, result.output, error)


def _subscribe(event: ClientEvent) -> messages.Subscribe:
    return messages.Subscribe(event.subscribe.ref, _subscriptions(event.subscribe.subscriptions))


def _unsubscribe(event: ClientEvent) -> messages.Unsubscribe:
    return messages.Unsubscribe(event.unsubscribe.ref, _subscriptions(event.unsubscribe.subscriptions))


def _goodbye(event: ClientEvent) -> messages.Goodbye:
    return messages.Goodbye(event.goodbye.reason)


_CLIENT: dict[str, Callable[[ClientEvent], messages.ClientMessage]] = {
    "publish": _publish,
    "ack": _ack,
    "ping": _ping,
    "action_result": _result,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "goodbye": _goodbye,
}


# The stream: what the bridge sends.


def encode_server_message(message: messages.ServerMessage) -> bytes:
    """One message of EventStream."""
    event = ServerEvent()
    _SERVER[type(message)](event, message)
    return event.SerializeToString()


def _fill_delivery(event: ServerEvent, message: messages.Delivery) -> None:
    delivery = event.delivery
    delivery.topic = message.topic
    delivery.event = message.event
    if message.seq:
        delivery.seq = message.seq


def _fill_pong(event: ServerEvent, message: messages.Pong) -> None:
    event.pong.timestamp_ms = message.timestamp_ms
    event.pong.status = message.status


def _fill_err(event: ServerEvent, message: messages.Err) -> None:
    err = event.err
    err.code, err.message, err.ref, err.fatal = message.code, message.message, message.ref, message.fatal


def _fill_call(event: ServerEvent, message: messages.ActionCall) -> None:
    call = event.action_call
    call.id, call.capability, call.version = message.id, message.capability, message.version
    call.payload = message.payload
    call.headers.update(message.headers)
    call.timeout_ms, call.correlation_id = message.timeout_ms, message.correlation_id
    call.qos = _open_enum(message.qos)


def _fill_welcome(event: ServerEvent, message: messages.Welcome) -> None:
    welcome = event.welcome
    welcome.epoch, welcome.resumed = message.epoch, message.resumed
    welcome.lost, welcome.credit = message.lost, message.credit


def _fill_receipt(event: ServerEvent, message: messages.Receipt) -> None:
    receipt = event.receipt
    receipt.ref, receipt.matched, receipt.code = message.ref, message.matched, message.code


def _fill_cancel(event: ServerEvent, message: messages.ActionCancel) -> None:
    event.action_cancel.id, event.action_cancel.code = message.id, message.code


def _fill_drain(event: ServerEvent, message: messages.Drain) -> None:
    event.drain.grace_ms = message.grace_ms
    event.drain.SetInParent()


_SERVER: dict[type, Callable[[ServerEvent, Any], None]] = {
    messages.Delivery: _fill_delivery,
    messages.Pong: _fill_pong,
    messages.Err: _fill_err,
    messages.ActionCall: _fill_call,
    messages.Welcome: _fill_welcome,
    messages.Receipt: _fill_receipt,
    messages.ActionCancel: _fill_cancel,
    messages.Drain: _fill_drain,
}


# Shared pieces.


def _call(call: action_pb2.ActionCall) -> messages.ActionCall:
    return messages.ActionCall(
        id=call.id,
        capability=call.capability,
        version=call.version,
        payload=call.payload,
        headers=dict(call.headers),
        timeout_ms=call.timeout_ms,
        correlation_id=call.correlation_id,
        qos=call.qos,
    )


def _wire_result(result: messages.ActionResult) -> action_pb2.ActionResult:
    wire = action_pb2.ActionResult(id=result.id, status=_open_enum(result.status), output=result.output)
    if result.error is not None:
        error = wire.error
        error.code, error.message = result.error.code, result.error.message
        error.details.update(result.error.details)
        error.SetInParent()
    return wire


def _subscriptions(wire: Iterable[agent_pb2.Subscription]) -> list[messages.Subscription]:
    return [
        messages.Subscription(
            topic=item.topic,
            event_types=list(item.event_types),
            qos=item.qos if item.HasField("qos") else None,
            group=item.group,
            observer=item.observer,
        )
        for item in wire
    ]


def _open_enum(number: int) -> Any:
    """proto3 enums are open: a number without a name is carried as it is, which the stubs do not know."""
    return number


@lru_cache(maxsize=64)
def _about_bridge(limits: Limits) -> bytes:
    """The part of a registration's answer that is always the same. Encoded messages join by concatenation."""
    names = [name for name in agent_pb2.Limits.DESCRIPTOR.fields_by_name if hasattr(limits, name)]
    return agent_pb2.AgentRegisterResponse(
        server=agent_pb2.ServerInfo(name=SERVER_NAME, version=version("loom-py"), protocol=PROTOCOL),
        limits=agent_pb2.Limits(**{name: getattr(limits, name) for name in names}),
    ).SerializeToString()
