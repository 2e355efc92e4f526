"""`Stream`: one EventStream call, spoken message by message."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from grpc._cython.cygrpc import InternalError  # type: ignore[import-not-found]  # has no stubs

from loom.v1 import action_pb2, event_pb2, stream_pb2
from loom_conformance.expect import Violation, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance.tape import Tape

__all__ = ["PATIENCE", "End", "Stream"]

PATIENCE = 10.0
"""How long a check waits for what must come, seconds of real time."""
RPC = "EventStream"
PINGS = 1_000_000
"""A fence's timestamps begin here, so that they are told from those of a check's own pings."""


@dataclass(frozen=True, slots=True)
class End:
    """How a call ended.

    Attributes:
        code: the gRPC status.
        details: its text.
        events: what was read on the way to the end.
    """

    code: grpc.StatusCode
    details: str
    events: Sequence[stream_pb2.ServerEvent] = ()


class Stream:
    """One EventStream call of one agent.

    Messages go out and come in as bytes of our own making, so that a check can send what is no message.

    Attributes:
        who: the check's name for this side.
        agent_id: the agent's id, once `hello` was said.
        registration: what the bridge answered to the registration, where there was one.
        welcome: the Welcome, where the session has one and `Bench.join` read it.
        data: the bytes of the message that was read last.
    """

    def __init__(self, call: Any, who: str, tape: Tape) -> None:
        self.call = call
        self.who = who
        self.agent_id = ""
        self.registration: Any = None
        self.welcome: stream_pb2.Welcome | None = None
        self.data = b""
        self._tape = tape
        self._pings = itertools.count(PINGS)
        self._reading: asyncio.Task[stream_pb2.ServerEvent | End] | None = None

    # Sending.

    async def send(self, **message: Any) -> None:
        """Sends one ClientEvent: `send(ack=Ack(...))`.

        Raises:
            Violation: the bridge had ended the stream.
        """
        event = stream_pb2.ClientEvent(**message)
        self._tape.sent(self.who, RPC, event)
        await self._write(event.SerializeToString())

    async def send_bytes(self, data: bytes, what: str) -> None:
        """Sends bytes as they are; `what` says in the transcript what is wrong with them."""
        self._tape.sent(self.who, RPC, f"{what} ({len(data)} bytes)")
        await self._write(data)

    async def hello(self, agent_id: str, **ack: Any) -> None:
        """Sends the handshake: an Ack with the agent's id. Does not wait for anything."""
        self.agent_id = agent_id
        await self.send(ack=stream_pb2.Ack(message_id=agent_id, **ack))

    async def accepted(self) -> Sequence[tuple[str, Any]]:
        """Waits for the response headers (SES-3).

        Raises:
            Violation: the bridge ended the stream instead, or nothing came.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                headers: Any = await self.call.initial_metadata()
        except TimeoutError:
            raise Violation(f"the handshake of {self.who}", "response headers", "nothing in time") from None
        except grpc.aio.AioRpcError as error:
            raise self._refused("response headers", error.code(), error.details() or "") from None
        if self.call.done():
            raise self._refused("an open stream", await self.call.code(), await self.call.details() or "")
        self._tape.received(self.who, RPC, "response headers")
        return list(headers or ())

    def _refused(self, expected: str, code: grpc.StatusCode, details: str) -> Violation:
        """The bridge ended the stream in place of opening it."""
        self._tape.received(self.who, RPC, f"end: {code.name} {details}".rstrip())
        return Violation(f"the handshake of {self.who}", expected, f"{code.name} ({details})")

    async def publish(self, topic: str, payload: bytes = b"", **fields: Any) -> event_pb2.Event:
        """Publishes an event. `confirm` and `pub_seq` are fields of Publish, all others of the event."""
        ours = {name: fields.pop(name) for name in ("confirm", "pub_seq") if name in fields}
        fields.setdefault("id", f"event-{next(self._pings)}")
        event = event_pb2.Event(payload=payload, **fields)
        await self.send(publish=event_pb2.Publish(topic=topic, event=event, **ours))
        return event

    async def answer(self, call: action_pb2.ActionCall, output: bytes = b"", **fields: Any) -> None:
        """Answers a call, with ACTION_OK unless the fields say otherwise."""
        await self.send(action_result=action_pb2.ActionResult(id=call.id, output=output, **fields))

    async def half_close(self) -> None:
        """Says that nothing more will be sent."""
        self._tape.sent(self.who, RPC, "half-close")
        await self.call.done_writing()

    def reset(self) -> None:
        """Breaks the stream, as a client that was killed does."""
        self._tape.sent(self.who, RPC, "reset")
        self.call.cancel()

    # Reading.

    async def read(self) -> stream_pb2.ServerEvent:
        """The next message.

        Raises:
            Violation: the stream ended, or nothing came in time.
        """
        got = await self._next()
        if isinstance(got, End):
            raise Violation(
                f"the stream of {self.who}", "a message", f"its end with {got.code.name} ({got.details})"
            )
        return got

    async def until_pong(self) -> list[stream_pb2.ServerEvent]:
        """Everything that the bridge had for this session: pings, and reads up to the pong (HB-2).

        Raises:
            Violation: the stream ended, or no pong came.
        """
        stamp = next(self._pings)
        await self.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=stamp))
        seen: list[stream_pb2.ServerEvent] = []
        while True:
            event = await self.read()
            if event.WhichOneof("msg") == "pong" and event.pong.timestamp_ms == stamp:
                return seen
            seen.append(event)

    async def deliveries(self) -> list[event_pb2.Delivery]:
        """The deliveries among everything that the bridge had for this session.

        Raises:
            Violation: something else came as well.
        """
        seen = await self.until_pong()
        for event in seen:
            if event.WhichOneof("msg") != "delivery":
                raise Violation(f"what {self.who} received", "deliveries only", shown(event))
        return [event.delivery for event in seen]

    async def delivery(self) -> event_pb2.Delivery:
        """The next message, which must be a delivery."""
        return (await self._of("delivery")).delivery

    async def action_call(self) -> action_pb2.ActionCall:
        """The next message, which must be a call."""
        return (await self._of("action_call")).action_call

    async def receipt(self) -> stream_pb2.Receipt:
        """The next message, which must be a receipt."""
        return (await self._of("receipt")).receipt

    async def end(self) -> End:
        """Reads up to the stream's end.

        Raises:
            Violation: it goes on.
        """
        seen: list[stream_pb2.ServerEvent] = []
        while True:
            got = await self._next()
            if isinstance(got, End):
                return End(got.code, got.details, seen)
            seen.append(got)

    async def close(self) -> None:
        """Gives the stream up, whatever became of it."""
        self.call.cancel()
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
                await self._reading

    async def _of(self, kind: str) -> stream_pb2.ServerEvent:
        event = await self.read()
        if event.WhichOneof("msg") != kind:
            raise Violation(f"what {self.who} received", f"a message of kind {kind}", shown(event))
        return event

    async def _write(self, data: bytes) -> None:
        """Writes, past the public method: that loses the status of a call that the bridge has just ended."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.call.wait_for_connection()
                await self.call._cython_call.send_serialized_message(data)  # noqa: SLF001 - as said above
        except TimeoutError:
            raise Violation(f"the stream of {self.who}", "a bridge that reads", "no room in time") from None
        except (grpc.aio.AioRpcError, grpc.aio.UsageError, InternalError, asyncio.InvalidStateError):
            pass  # how it ended is what the check reads next

    async def _next(self) -> stream_pb2.ServerEvent | End:
        """The next message, or the end. A read that is given up is kept: cancelling it would end the call."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_one())
        done, _ = await asyncio.wait([self._reading], timeout=PATIENCE)
        if not done:
            raise Violation(
                f"the stream of {self.who}", "a message or its end", f"nothing within {PATIENCE:g} s"
            )
        reading, self._reading = self._reading, None
        return reading.result()

    async def _read_one(self) -> stream_pb2.ServerEvent | End:
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
            data = await self.call.read()
            if data is not grpc.aio.EOF:
                self.data = data
                event: stream_pb2.ServerEvent = stream_pb2.ServerEvent.FromString(data)
                self._tape.received(self.who, RPC, event)
                return event
        if asyncio.current_task().cancelling():  # type: ignore[union-attr]  # a task runs this
            raise asyncio.CancelledError
        end = End(await self.call.code(), await self.call.details() or "")
        self._tape.received(self.who, RPC, f"end: {end.code.name} {end.details}".rstrip())
        return end
