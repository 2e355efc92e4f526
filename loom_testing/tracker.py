"""The tracker: steps of an engine in, activities out. See `loom_testing.activity` for what they say."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import DecodeError

from loom.envelope import CORRELATION_ID, REPLY_TO, SENDER
from loom.v1.event_pb2 import Event
from loom_testing.activity import (
    Activity,
    AgentChanged,
    AgentJoined,
    AgentLeft,
    AgentRefused,
    BridgeDraining,
    CallEnded,
    CallStarted,
    EventDelivered,
    EventPublished,
    NamespaceReset,
    PublisherResumed,
    PublisherSlowed,
    Refused,
)
from loom_testing.engine import inputs, messages, outputs

if TYPE_CHECKING:
    from loom_testing.engine.trace import Step

__all__ = ["Tracker"]

REMEMBERED = 10_000
"""How many publishes and requests are remembered for the latencies of what follows them."""

STATUSES = ("OK", "ERROR", "TIMEOUT", "RETRYABLE")
"""The names of loom.v1.ActionStatus, by number."""

CALLER = "x-agent-id"
PROBE = "loom.probe"
"""Metadata of a registration that only asks which bridge it is; it is refused, and not worth telling."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class _Recent(OrderedDict[Key, Value]):
    """A mapping that forgets its oldest entry when it is full."""

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > REMEMBERED:
            self.popitem(last=False)


@dataclass(slots=True)
class _Interests:
    """What an agent's newest registration says."""

    subscriptions: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


@dataclass(slots=True)
class _Call:
    """An open call; `provider` is None until it is dispatched."""

    at: int
    caller: str
    request: messages.ActionCall
    provider: str | None = None


@dataclass(slots=True)
class _Published:
    """An event that was taken, for the deliveries that follow."""

    at: int
    sender: str
    event: Event


class Tracker:
    """Follows one namespace. Feed it every step in order; it never fails on what it does not know."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._registrations: dict[int, inputs.Register] = {}
        self._interests: dict[str, _Interests] = {}
        self._handshakes: dict[int, str] = {}
        self._streams: dict[int, str] = {}
        self._live: dict[str, int] = {}
        self._fatal: dict[int, messages.Err] = {}
        self._calls: dict[int, _Call] = {}
        self._published: _Recent[tuple[str, int], _Published] = _Recent()
        self._requests: _Recent[tuple[str, str], int] = _Recent()

    @property
    def agents(self) -> list[str]:
        """The agents that are there now, in the order of their arrival."""
        return list(self._live)

    def open_calls(self) -> list[CallStarted]:
        """The calls that are still open, oldest first."""
        return [_started(number, call) for number, call in self._calls.items()]

    def feed(self, step: Step) -> list[Activity]:
        """What this step brought, in order."""
        came = self._came_in(step.at, step.input, step.outputs)
        for output in step.outputs:
            came.extend(self._went_out(step.at, output))
        return came

    # What came in.

    def _came_in(self, at: int, came: inputs.Input, went: list[outputs.Output]) -> list[Activity]:
        match came:
            case inputs.Register():
                self._registrations[came.call] = came
            case inputs.Receive():
                return self._received(at, came.stream, came.message, went)
            case inputs.HalfClose():
                return self._left(at, came.stream, "said goodbye", orderly=True)
            case inputs.Break():
                return self._left(at, came.stream, "its connection was lost", orderly=False)
            case inputs.Disconnect():
                stream = self._live.get(came.agent_id, -1)
                return self._left(at, stream, "a test broke its connection", orderly=False)
            case inputs.Invoke():
                return self._called(at, came)
            case inputs.Abandon():
                return self._ended(at, came.call, "CANCELLED", message="its caller left")
            case inputs.DrainAll():
                return [BridgeDraining(at=at)]
            case inputs.Reset():
                self._forget()
                return [NamespaceReset(at=at)]
            case _:
                pass
        return []

    def _received(
        self, at: int, stream: int, message: messages.ClientMessage, went: list[outputs.Output]
    ) -> list[Activity]:
        match message:
            case messages.Ack() if stream not in self._streams:
                self._handshakes[stream] = message.message_id
            case messages.Publish():
                return self._publish(at, stream, message, went)
            case messages.Goodbye():
                said = f"said goodbye: {message.reason}" if message.reason else "said goodbye"
                return self._left(at, stream, said, orderly=True)
            case _:
                pass
        return []

    def _publish(
        self, at: int, stream: int, message: messages.Publish, went: list[outputs.Output]
    ) -> list[Activity]:
        if message.event is None or _was_refused(stream, message, went):
            return []
        event = _decode(message.event)
        sender = event.metadata.get(SENDER, "") or self._streams.get(stream, "")
        self._published[_key(message.topic, message.event)] = _Published(at, sender, event)
        return [
            EventPublished(
                at=at,
                sender=sender,
                topic=message.topic,
                event_type=event.type,
                event_id=event.id,
                matched=_matched(stream, message, went),
                answered_us=self._answers(at, message.topic, event),
                payload=event.payload,
            )
        ]

    def _answers(self, at: int, topic: str, event: Event) -> int | None:
        """How long the request that this event answers had waited; remembers the event if it asks itself."""
        correlation, reply_to = event.metadata.get(CORRELATION_ID, ""), event.metadata.get(REPLY_TO, "")
        asked = self._requests.get((topic, correlation))
        if correlation and reply_to:
            self._requests[reply_to, correlation] = at
        return None if asked is None else at - asked

    def _called(self, at: int, came: inputs.Invoke) -> list[Activity]:
        call = _Call(at, came.request.headers.get(CALLER, ""), came.request)
        self._calls[came.call] = call
        return [_started(came.call, call)]

    # What went out.

    def _went_out(self, at: int, output: outputs.Output) -> list[Activity]:
        match output:
            case outputs.RegisterReply():
                return self._registered(at, output)
            case outputs.Accept():
                return self._accepted(at, output.stream)
            case outputs.Send():
                return self._sent(at, output.stream, output.message)
            case outputs.End():
                return self._stream_ended(at, output)
            case outputs.Answer():
                error = output.result.error or messages.ActionError("")
                status = STATUSES[output.result.status] if output.result.status < len(STATUSES) else "ERROR"
                return self._ended(at, output.call, status, error.code, error.message, output.result.output)
            case outputs.PauseReading() if output.stream in self._streams:
                return [PublisherSlowed(at=at, agent=self._streams[output.stream])]
            case outputs.ResumeReading() if output.stream in self._streams:
                return [PublisherResumed(at=at, agent=self._streams[output.stream])]
            case _:
                return []

    def _registered(self, at: int, reply: outputs.RegisterReply) -> list[Activity]:
        asked = self._registrations.pop(reply.call, None)
        if asked is None or PROBE in asked.metadata:
            return []
        if reply.error_code:
            code, message = reply.error_code, reply.error_message
            return [AgentRefused(at=at, agent=asked.agent_id, code=code, message=message)]
        new = _interests(asked)
        old, self._interests[asked.agent_id] = self._interests.get(asked.agent_id), new
        if asked.agent_id not in self._live or new == old:
            return []
        changed = AgentChanged(
            at=at, agent=asked.agent_id, subscriptions=new.subscriptions, capabilities=new.capabilities
        )
        return [changed]

    def _accepted(self, at: int, stream: int) -> list[Activity]:
        agent = self._handshakes.pop(stream, "")
        came: list[Activity] = []
        if agent in self._live:
            came = self._left(at, self._live[agent], "another process took its id over", orderly=False)
        self._streams[stream] = agent
        self._live[agent] = stream
        interests = self._interests.get(agent, _Interests())
        joined = AgentJoined(
            at=at, agent=agent, subscriptions=interests.subscriptions, capabilities=interests.capabilities
        )
        return [*came, joined]

    def _sent(self, at: int, stream: int, message: messages.ServerMessage) -> list[Activity]:
        match message:
            case messages.Delivery():
                return [self._delivered(at, stream, message)]
            case messages.ActionCall():
                self._dispatched(stream, message)
            case messages.Err() if message.fatal:
                self._fatal[stream] = message
            case messages.Err():
                agent = self._streams.get(stream, "")
                return [
                    Refused(at=at, agent=agent, code=message.code, message=message.message, ref=message.ref)
                ]
            case _:
                pass
        return []

    def _delivered(self, at: int, stream: int, message: messages.Delivery) -> Activity:
        published = self._published.get(_key(message.topic, message.event))
        event = published.event if published else _decode(message.event)
        return EventDelivered(
            at=at,
            sender=published.sender if published else event.metadata.get(SENDER, ""),
            to=self._streams.get(stream, ""),
            topic=message.topic,
            event_type=event.type,
            event_id=event.id,
            waited_us=at - published.at if published else None,
        )

    def _dispatched(self, stream: int, message: messages.ActionCall) -> None:
        """The bridge's id does not tell which call this is, but what it carries does; queues keep order."""
        for call in self._calls.values():
            if call.provider is None and _same_call(call.request, message):
                call.provider = self._streams.get(stream, "")
                return

    def _ended(
        self, at: int, number: int, status: str, code: str = "", message: str = "", output: bytes = b""
    ) -> list[Activity]:
        call = self._calls.pop(number, None)
        if call is None:
            return []
        return [
            CallEnded(
                at=at,
                call=number,
                caller=call.caller,
                provider=call.provider or "",
                capability=call.request.capability,
                status=status,
                code=code,
                message=message,
                took_us=at - call.at,
                payload=output,
            )
        ]

    def _stream_ended(self, at: int, output: outputs.End) -> list[Activity]:
        self._handshakes.pop(output.stream, None)
        fatal = self._fatal.pop(output.stream, None)
        why = f"{fatal.code}: {fatal.message}" if fatal else f"{output.status} {output.message}".strip()
        return self._left(at, output.stream, why, orderly=False)

    def _left(self, at: int, stream: int, reason: str, *, orderly: bool) -> list[Activity]:
        """The stream's agent is gone, unless that was told before or a newer stream took over."""
        agent = self._streams.pop(stream, None)
        if agent is None:
            return []
        if self._live.get(agent) == stream:
            del self._live[agent]
        return [AgentLeft(at=at, agent=agent, reason=reason, orderly=orderly)]


def _started(number: int, call: _Call) -> CallStarted:
    return CallStarted(
        at=call.at,
        call=number,
        caller=call.caller,
        capability=call.request.capability,
        version=call.request.version,
        payload=call.request.payload,
    )


def _interests(asked: inputs.Register) -> _Interests:
    topics = dict.fromkeys([*asked.subscribed_topics, *(each.topic for each in asked.subscriptions)])
    names = (f"{each.name}@{each.version}" if each.version else each.name for each in asked.capabilities)
    return _Interests(tuple(topics), tuple(names))


def _same_call(asked: messages.ActionCall, given: messages.ActionCall) -> bool:
    return (
        asked.capability == given.capability
        and asked.payload == given.payload
        and asked.correlation_id == given.correlation_id
    )


def _was_refused(stream: int, message: messages.Publish, went: list[outputs.Output]) -> bool:
    """Whether the step refuses this publish: an err on its stream, not fatal, that answers it."""
    ref = str(message.pub_seq) if message.confirm else None
    return any(
        isinstance(output, outputs.Send)
        and output.stream == stream
        and isinstance(output.message, messages.Err)
        and not output.message.fatal
        and (ref is None or output.message.ref == ref)
        for output in went
    )


def _matched(stream: int, message: messages.Publish, went: list[outputs.Output]) -> int | None:
    for output in went:
        if isinstance(output, outputs.Send) and output.stream == stream:
            answer = output.message
            if isinstance(answer, messages.Receipt) and message.confirm and answer.ref == message.pub_seq:
                return answer.matched
    return None


def _key(topic: str, event: bytes) -> tuple[str, int]:
    return topic, hash(event)


def _decode(event: bytes) -> Event:
    try:
        return Event.FromString(event)
    except DecodeError:
        return Event()
