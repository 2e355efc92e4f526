"""The client's half of the protocol, without I/O: it reads no clock, draws no random number, owns no socket.

The shell (`loom.client`) carries messages between this and a stream:

    request = session.register()              -> RegisterAgent
    more = session.registered(response)       -> perhaps RegisterAgent again, in the base level's form
    session.handshake(now)                    -> opens EventStream
    for what in session.receive(message, now) -> what happened
    session.take()                            -> messages to write, in order
    session.tick(now) at session.next_deadline()
    error = session.lost(error, now)          -> the stream is over; wait session.delay(random()), start again

States: NEW -> REGISTERED -> STREAMING -> NEW (after a lost stream) or CLOSED (for good). The session itself
goes on across streams: it keeps every publish that the bridge has not confirmed, and sends it again under the
same number, by which the bridge recognises it (PUB-9).

Against a bridge that answers no features it falls back to the base level: no receipts, no judging of silence.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

from loom.codes import Code
from loom.errors import (
    BridgeUnavailable,
    InvalidInput,
    PermissionDenied,
    ProtocolError,
    PublishRefused,
    RegistrationRefused,
    Superseded,
    Unauthenticated,
    error_from_code,
)
from loom.happenings import UNKNOWN, Called, Cancelled, Confirmed, Delivered, Draining, Flushed, Live, Refused
from loom.heartbeat import DEFAULT_INTERVAL_S, Heartbeat
from loom.v1 import action_pb2, stream_pb2

if TYPE_CHECKING:
    from loom.errors import LoomError
    from loom.happenings import Happening
    from loom.registration import Registration
    from loom.v1 import agent_pb2, event_pb2

__all__ = ["FEATURES", "Session", "State", "is_final"]

FEATURES = frozenset({"cancel", "confirm", "drain", "session", "subscriptions"})
"""What this SDK speaks beyond the base level."""

DEFAULT_OUTCOMES = 1_024
DEFAULT_MESSAGE_BYTES = 4 * 1024 * 1024
FRAME_BYTES = 1024
"""What a message needs around its event: the topic and the numbers."""

BACKOFF_FIRST_S = 0.1
BACKOFF_MOST_S = 2.0
STABLE_S = 5.0
"""A stream that was live for so long was worth coming back for: the back-off begins again."""


class State(StrEnum):
    """Where a session stands, spelled as in the bridges."""

    NEW = "NEW"
    REGISTERED = "REGISTERED"
    STREAMING = "STREAMING"
    CLOSED = "CLOSED"


class Session:
    """One agent's session, across its streams.

    Args:
        registration: what the agent registers; may be replaced (REG-3).
        producer: a random number chosen when the agent starts, above 0: the bridge recognises repeated
            publishes under it (PUB-9).
    """

    def __init__(self, registration: Registration, producer: int) -> None:
        self.registration = registration
        self.producer = producer
        self.state = State.NEW
        self.features: frozenset[str] = frozenset()
        self.epoch = 0
        self.attempt = 0
        """Streams lost, or not reached, since the last one that was live for a while."""
        self.base_level = False
        self._number = 0
        self._outcomes = DEFAULT_OUTCOMES
        self._message_bytes = DEFAULT_MESSAGE_BYTES
        self._event_bytes = DEFAULT_MESSAGE_BYTES - FRAME_BYTES
        self._opening: deque[stream_pb2.ClientEvent] = deque()
        self._outbox: deque[stream_pb2.ClientEvent] = deque()
        self._pub_seq = 0
        self._flushes = 0
        self._unconfirmed: dict[int, stream_pb2.ClientEvent] = {}
        self._reasons: dict[int, str] = {}
        self._fatal: LoomError | None = None
        self._interval = DEFAULT_INTERVAL_S
        self._heartbeat: Heartbeat | None = None
        self._live_since = 0.0

    # Registration.

    def register(self) -> agent_pb2.AgentRegisterRequest:
        """What to register with, before each stream."""
        return self.registration.request(FEATURES)

    def registered(self, response: agent_pb2.AgentRegisterResponse) -> agent_pb2.AgentRegisterRequest | None:
        """Takes the bridge's answer; what it returns is to be registered as well, and answered again.

        Raises:
            RegistrationRefused: the bridge refused it; what it said stands in the message.
        """
        if not response.success:
            raise _refusal(self.registration.agent_id, response)
        first_answer = self.state is not State.REGISTERED
        self.state = State.REGISTERED
        self.features = FEATURES.intersection(response.features)
        self.base_level = not self.features
        self._number = response.registration
        self._outcomes = response.limits.producer_outcomes or DEFAULT_OUTCOMES
        self._message_bytes = response.limits.message_bytes or DEFAULT_MESSAGE_BYTES
        self._event_bytes = response.limits.event_bytes or self._message_bytes - FRAME_BYTES
        self._interval = response.heartbeat_interval_ms / 1000 or DEFAULT_INTERVAL_S
        if first_answer and "subscriptions" not in self.features:
            return self.registration.base_level_request()
        return None

    def replace(self, registration: Registration) -> agent_pb2.AgentRegisterRequest:
        """What to register with in place of the registration in force; a live stream goes on (REG-3)."""
        self.registration = registration
        return registration.base_level_request() if self.base_level else registration.request(self.features)

    def replaced(self, response: agent_pb2.AgentRegisterResponse) -> None:
        """Takes the bridge's answer to `replace`.

        Raises:
            RegistrationRefused: the bridge refused it; the registration before it is still in force.
        """
        if not response.success:
            raise _refusal(self.registration.agent_id, response)
        self._number = response.registration

    # The stream.

    def handshake(self, now: float, *, heartbeats: bool = True) -> None:
        """The stream is open: its first message is the agent's id (SES-1).

        Args:
            now: the time.
            heartbeats: whether silence means anything; not on a test's clock (CTL-2).
        """
        self._fatal = None
        judges = "session" in self.features
        self._heartbeat = Heartbeat(now, self._interval, judges=judges) if heartbeats else None
        ack = stream_pb2.Ack(message_id=self.registration.agent_id)
        if not self.base_level:
            ack.registration = self._number
            ack.producer = self.producer if "confirm" in self.features else 0
        self._opening.clear()
        self._opening.append(stream_pb2.ClientEvent(ack=ack))
        if self.base_level:
            # No welcome will come, and perhaps no headers: a pong says that the stream is accepted.
            self._opening.append(stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest()))

    def accepted(self, now: float) -> list[Happening]:
        """The response headers came. At the base level, where nothing else says so, the session is live."""
        if "session" in self.features or self.state is not State.REGISTERED:
            return []
        return self._go_live(0, now)

    def receive(self, message: stream_pb2.ServerEvent, now: float) -> list[Happening]:
        """What a message from the bridge means. Messages it does not know mean nothing."""
        if self._heartbeat is not None:
            self._heartbeat.heard(now)
        kind = message.WhichOneof("msg")
        if kind == "welcome":
            return self._go_live(message.welcome.epoch, now)
        # At the base level the first message says what the headers may not have said yet.
        return [*self.accepted(now), *self._meaning(kind, message)]

    def lost(self, error: LoomError | None, now: float) -> LoomError:
        """The stream is over, or was never reached. What the bridge said on it comes before how it ended.

        What was not written yet is forgotten, but for publishes: those without a receipt are kept.
        """
        reason = self._fatal or error or BridgeUnavailable("the bridge ended the stream: connect again")
        if self.state is State.STREAMING and now >= self._live_since + STABLE_S:
            self.attempt = 0
        self.attempt += 1
        self.state = State.CLOSED if is_final(reason) else State.NEW
        self.epoch = 0
        self._heartbeat = None
        self._outbox = deque(item for item in self._outbox if _is_plain_publish(item))
        return reason

    def end(self) -> None:
        """Nothing more will be sent or received."""
        self.state = State.CLOSED
        self._outbox.clear()
        self._unconfirmed.clear()

    def take(self) -> list[stream_pb2.ClientEvent]:
        """The messages to write, in order; they are the shell's now.

        Before the stream is live only the handshake may be written. Feature `batch` would gather them here.
        """
        taken = list(self._opening)
        self._opening.clear()
        if self.state is State.STREAMING:
            taken += self._outbox
            self._outbox.clear()
        return taken

    def close(self, reason: str = "") -> bool:
        """Says goodbye (SES-6). Answers whether the bridge understands it; else a half-close must do."""
        if self.state is not State.STREAMING or self.base_level:
            return False
        self._outbox.append(stream_pb2.ClientEvent(goodbye=stream_pb2.Goodbye(reason=reason)))
        return True

    def flush(self) -> int:
        """Asks for what the bridge has queued so far. Answers a number; `Flushed` comes with it."""
        self._flushes += 1
        # The bridge only echoes the time of a ping: one before the epoch is no heartbeat's.
        ping = stream_pb2.HeartbeatRequest(timestamp_ms=-self._flushes)
        self._outbox.append(stream_pb2.ClientEvent(ping=ping))
        return self._flushes

    # Publishing and answering.

    @property
    def has_room(self) -> bool:
        """Whether one more publish may be open: unconfirmed at the bridge, or waiting to be written."""
        return len(self._unconfirmed) < self._outcomes and len(self._outbox) < DEFAULT_OUTCOMES

    @property
    def confirms(self) -> bool:
        """Whether the bridge confirms publishes; where it is away, whether it did."""
        return "confirm" in self.features

    def publish(self, topic: str, event: event_pb2.Event, *, confirm: bool) -> int:
        """Queues an event. Answers its number, under which `Confirmed` will come; 0 where none will.

        Raises:
            PublishRefused: the event is larger than the bridge takes (LIM-1). Sent all the same it would cost
                the stream, and then, sent again, the next one.
        """
        size = event.ByteSize()
        if size > self._event_bytes:
            raise PublishRefused(
                f"the event for {topic} has {size} bytes; at most {self._event_bytes} are taken: send less",
                code=Code.LIMIT_EXCEEDED,
            )
        message = stream_pb2.ClientEvent()
        message.publish.topic = topic
        message.publish.event.CopyFrom(event)
        if not (confirm and self.confirms):
            self._outbox.append(message)
            return 0
        self._pub_seq += 1
        message.publish.confirm = True
        message.publish.pub_seq = self._pub_seq
        self._unconfirmed[self._pub_seq] = message
        if self.state is State.STREAMING:
            self._outbox.append(message)
        return self._pub_seq

    def forget(self, pub_seq: int) -> None:
        """Nobody waits for this publish any more: it is not sent again."""
        self._unconfirmed.pop(pub_seq, None)
        self._reasons.pop(pub_seq, None)

    def answer(self, result: action_pb2.ActionResult) -> bool:
        """Queues the result of a call. False where the stream it came on is gone: nobody waits (ACT-4).

        An answer larger than the bridge takes becomes an error that says so.
        """
        if self.state is not State.STREAMING:
            return False
        size = result.ByteSize()
        if size > self._message_bytes - FRAME_BYTES:
            result = _too_large(result.id, size, self._message_bytes)
        self._outbox.append(stream_pb2.ClientEvent(action_result=result))
        return True

    def check_call(self, call: action_pb2.ActionCall) -> None:
        """Refuses a call that the bridge would not take.

        Raises:
            InvalidInput: it is larger than a message may be (LIM-1).
        """
        size, most = call.ByteSize(), self._message_bytes - FRAME_BYTES
        if size > most:
            raise InvalidInput(
                f"the call of {call.capability} has {size} bytes; at most {most} are taken: send less, or a "
                "reference",
                code=Code.LIMIT_EXCEEDED,
            )

    # Time. Seconds of any clock that only goes forward.

    def next_deadline(self) -> float | None:
        """When `tick` wants to be called; None while there is no stream, or where it has no heartbeats."""
        return None if self._heartbeat is None else self._heartbeat.next_deadline()

    def tick(self, now: float) -> LoomError | None:
        """Pings when it is time, and says so when the bridge has been silent too long (SES-7)."""
        if self._heartbeat is None:
            return None
        is_time = self._heartbeat.tick(now)
        if self._heartbeat.is_dead(now):
            silent = self._heartbeat.patience
            return BridgeUnavailable(
                f"the bridge was silent for {silent:g} s: see whether it is frozen or cut off",
                code=Code.HEARTBEAT_TIMEOUT,
            )
        if is_time and self.state is State.STREAMING:
            ping = stream_pb2.HeartbeatRequest(timestamp_ms=int(now * 1000))
            self._outbox.append(stream_pb2.ClientEvent(ping=ping))
        return None

    def pause(self) -> None:
        """The shell reads no further for now: silence means nothing until `resume`."""
        if self._heartbeat is not None:
            self._heartbeat.pause()

    def resume(self, now: float) -> None:
        """The shell reads on."""
        if self._heartbeat is not None:
            self._heartbeat.resume(now)

    def delay(self, fraction: float) -> float:
        """How long to wait before the next attempt, seconds.

        It doubles with each attempt up to a bound, and is spread over its upper half by `fraction`, a random
        number from 0 to 1, so that agents do not come back all at once.
        """
        longest = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * float(1 << min(self.attempt, 16)))
        return longest * (0.5 + 0.5 * fraction)

    # What messages mean.

    def _go_live(self, epoch: int, now: float) -> list[Happening]:
        self.state = State.STREAMING
        self.epoch = epoch
        self._live_since = now
        happenings: list[Happening] = [Live(epoch)]
        if self.confirms:
            again = list(self._unconfirmed.values())
            self._outbox.extendleft(reversed(again))
            return happenings
        # This bridge confirms nothing: they are sent once more, and nobody will say what became of them.
        for pub_seq, message in self._unconfirmed.items():
            message.publish.confirm = False
            message.publish.pub_seq = 0
            self._outbox.append(message)
            happenings.append(Confirmed(pub_seq, UNKNOWN))
        self._unconfirmed.clear()
        return happenings

    def _meaning(self, kind: str | None, message: stream_pb2.ServerEvent) -> list[Happening]:
        match kind:
            case "delivery":
                return [Delivered(message.delivery.topic, message.delivery.event)]
            case "receipt":
                return self._receipt(message.receipt)
            case "action_call":
                return [Called(message.action_call)]
            case "action_cancel":
                return [Cancelled(message.action_cancel.id, message.action_cancel.code)]
            case "err":
                return self._err(message.err)
            case "pong":
                if self._heartbeat is not None:
                    self._heartbeat.answered()
                if message.pong.timestamp_ms < 0:
                    return [Flushed(-message.pong.timestamp_ms)]
            case "drain":
                return [Draining(message.drain.grace_ms)]
        return []

    def _receipt(self, receipt: stream_pb2.Receipt) -> list[Happening]:
        if self._unconfirmed.pop(receipt.ref, None) is None:
            return []
        reason = self._reasons.pop(receipt.ref, "")
        return [Confirmed(receipt.ref, receipt.matched, receipt.code, reason)]

    def _err(self, err: stream_pb2.Error) -> list[Happening]:
        if err.fatal:
            self._fatal = error_from_code(err.code, err.message, other=ProtocolError)
            return []
        if err.ref.isascii() and err.ref.isdigit() and int(err.ref) in self._unconfirmed:
            self._reasons[int(err.ref)] = err.message  # its receipt follows
            return []
        return [Refused(err.code, err.message, err.ref)]


def is_final(error: LoomError) -> bool:
    """Whether coming back would be of no use: the session ends for good (SES-4, SEC-1, REG)."""
    return (
        isinstance(error, Superseded | Unauthenticated | PermissionDenied | RegistrationRefused)
        and not error.retry
    )


def _refusal(agent_id: str, response: agent_pb2.AgentRegisterResponse) -> LoomError:
    said = response.error_message or "it gave no reason"
    return RegistrationRefused(
        f"the bridge refused the registration of {agent_id}: {said}", code=response.error_code
    )


def _too_large(call_id: str, size: int, most: int) -> action_pb2.ActionResult:
    message = f"the answer has {size} bytes; the bridge takes {most}: answer with less, or with a reference"
    error = action_pb2.ActionError(code=Code.INVALID_OUTPUT, message=message)
    return action_pb2.ActionResult(id=call_id, status=action_pb2.ACTION_ERROR, error=error)


def _is_plain_publish(message: stream_pb2.ClientEvent) -> bool:
    return message.WhichOneof("msg") == "publish" and not message.publish.confirm
