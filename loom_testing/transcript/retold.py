"""What an engine was told, as the messages that it came in: the inverse of `loom_testing.codec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.v1 import action_pb2, agent_pb2
from loom.view.v1.view_pb2 import ClientEvent
from loom_testing.engine import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.engine.inputs import Register

__all__ = ["retold_call", "retold_capability", "retold_message", "retold_registration"]


def retold_registration(came: Register) -> agent_pb2.AgentRegisterRequest:
    """RegisterAgent's request."""
    request = agent_pb2.AgentRegisterRequest(
        agent_id=came.agent_id,
        subscribed_topics=came.subscribed_topics,
        capabilities=[retold_capability(item) for item in came.capabilities],
        metadata=came.metadata,
        subscriptions=[_subscription(item) for item in came.subscriptions],
        features=came.features,
    )
    if came.echo is not None:
        request.echo = came.echo
    return request


def retold_capability(item: messages.Capability) -> action_pb2.CapabilityDescriptor:
    """One capability."""
    return action_pb2.CapabilityDescriptor(
        name=item.name, version=item.version, provider=_open_enum(item.provider), metadata=item.metadata
    )


def retold_call(call: messages.ActionCall) -> action_pb2.ActionCall:
    """ForwardAction's request."""
    return action_pb2.ActionCall(
        id=call.id,
        capability=call.capability,
        version=call.version,
        payload=call.payload,
        headers=call.headers,
        timeout_ms=call.timeout_ms,
        correlation_id=call.correlation_id,
        qos=_open_enum(call.qos),
    )


def retold_message(message: messages.ClientMessage) -> bytes:
    """One message of EventStream, encoded. The event within is the bytes that came."""
    event = ClientEvent()
    fill = _FILL.get(type(message))
    if fill is not None:
        fill(event, message)
    return event.SerializeToString()


def _publish(event: ClientEvent, message: messages.Publish) -> None:
    publish = event.publish
    publish.topic, publish.confirm, publish.pub_seq = message.topic, message.confirm, message.pub_seq
    if message.event is not None:
        publish.event = message.event
    publish.SetInParent()


def _ack(event: ClientEvent, message: messages.Ack) -> None:
    ack = event.ack
    ack.message_id, ack.epoch, ack.seq = message.message_id, message.epoch, message.seq
    ack.registration, ack.producer = message.registration, message.producer
    for first, last in message.done:
        ack.done.add(first=first, last=last)
    ack.SetInParent()


def _ping(event: ClientEvent, message: messages.Ping) -> None:
    event.ping.timestamp_ms = message.timestamp_ms
    event.ping.SetInParent()


def _result(event: ClientEvent, message: messages.ActionResult) -> None:
    result = event.action_result
    result.id, result.status, result.output = message.id, _open_enum(message.status), message.output
    if message.error is not None:
        error = result.error
        error.code, error.message = message.error.code, message.error.message
        error.details.update(message.error.details)
        error.SetInParent()
    result.SetInParent()


def _subscribe(event: ClientEvent, message: messages.Subscribe) -> None:
    event.subscribe.ref = message.ref
    event.subscribe.subscriptions.extend(_subscription(item) for item in message.subscriptions)
    event.subscribe.SetInParent()


def _unsubscribe(event: ClientEvent, message: messages.Unsubscribe) -> None:
    event.unsubscribe.ref = message.ref
    event.unsubscribe.subscriptions.extend(_subscription(item) for item in message.subscriptions)
    event.unsubscribe.SetInParent()


def _goodbye(event: ClientEvent, message: messages.Goodbye) -> None:
    event.goodbye.reason = message.reason
    event.goodbye.SetInParent()


_FILL: dict[type, Callable[[ClientEvent, Any], None]] = {
    messages.Publish: _publish,
    messages.Ack: _ack,
    messages.Ping: _ping,
    messages.ActionResult: _result,
    messages.Subscribe: _subscribe,
    messages.Unsubscribe: _unsubscribe,
    messages.Goodbye: _goodbye,
}


def _subscription(item: messages.Subscription) -> agent_pb2.Subscription:
    made = agent_pb2.Subscription(
        topic=item.topic, event_types=item.event_types, group=item.group, observer=item.observer
    )
    if item.qos is not None:
        made.qos = _open_enum(item.qos)
    return made


def _open_enum(number: int) -> Any:
    """proto3 enums are open: a number without a name is carried as it is, which the stubs do not know."""
    return number
