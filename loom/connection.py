"""An agent's connection: one task that registers, streams, and comes back after a jittered pause.

It owns the session, and the receipts that publishers wait for. What was lost with a stream is told at once;
what the session keeps goes on with the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import secrets
from typing import TYPE_CHECKING, Protocol

from loom.codes import Code
from loom.errors import (
    BridgeUnavailable,
    DeadlineExceeded,
    LoomError,
    NotConnected,
    PublishRefused,
    error_from_code,
)
from loom.happenings import UNKNOWN, Called, Cancelled, Confirmed, Delivered, Draining, Flushed, Live, Refused
from loom.line import Line
from loom.session import Session, State, is_final
from loom.stream import Stream
from loom.work import Work, work_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loom.clock import Clock
    from loom.endpoint import Endpoint
    from loom.happenings import Happening
    from loom.registration import Registration
    from loom.stream import Call
    from loom.v1 import action_pb2, agent_pb2, event_pb2

__all__ = ["Connection", "Receiver"]

PATIENCE_S = 5.0
"""How long something new waits for a bridge that is away, before it is refused."""
GOODBYE_S = 6.0
"""How long a bridge may take to flush and end a stream after a goodbye (SES-6: at most 5 s)."""

_log = logging.getLogger("loom.connection")


class Receiver(Protocol):
    """Who is told what comes in. Nothing here may block: long work belongs into a task."""

    def delivered(self, topic: str, event: event_pb2.Event) -> None:
        """An event for the agent."""

    def called(self, call: action_pb2.ActionCall) -> None:
        """A call of one of its capabilities; answered by `BridgeClient.answer`."""

    def cancelled(self, call_id: str, code: str) -> None:
        """Nobody waits for a call any more."""

    def lost(self, error: LoomError) -> None:
        """The stream is lost. Unless the error is final the client comes back by itself."""

    def room(self) -> Awaitable[None] | None:
        """None where more may be delivered; else what to wait for before reading on."""

    def busy(self) -> list[str]:
        """What the agent is busy with that is neither Loom's clock nor the bridge, a line each."""


class Transport(Protocol):
    """What a connection asks of its client."""

    endpoint: Endpoint
    clock: Clock

    async def register_agent(
        self, request: agent_pb2.AgentRegisterRequest
    ) -> agent_pb2.AgentRegisterResponse:
        """RegisterAgent."""

    def open_stream(self, metadata: tuple[tuple[str, str], ...]) -> Call:
        """EventStream, with more metadata."""

    async def drop_channel(self) -> None:
        """Throws away a channel whose connection is in doubt."""

    async def find_again(self) -> None:
        """The bridge is gone; it may be back elsewhere."""


class Connection:
    """Keeps one agent connected.

    Args:
        transport: makes the calls.
        registration: what to register.
        receiver: who is told what comes in.
    """

    def __init__(self, transport: Transport, registration: Registration, receiver: Receiver) -> None:
        self.session = Session(registration, producer=secrets.randbits(63) | 1)
        self._transport = transport
        self._clock = transport.clock
        self._receiver = receiver
        self._stream: Stream | None = None
        self._task: asyncio.Task[None] | None = None
        self._who = registration.agent_id
        self._leaving = False
        self._was_live = False
        self._live = False
        self._over = asyncio.Event()
        self._line = Line(lambda: self.session.has_room)
        self._receipts: dict[int, asyncio.Future[int]] = {}
        self._fragile: set[int] = set()
        self._flushes: set[int] = set()
        self._changes: set[asyncio.Future[None]] = set()
        self._last_error: LoomError | None = None
        self._ended_by: LoomError | None = None

    @property
    def _address(self) -> str:
        return self._transport.endpoint.address

    @property
    def is_live(self) -> bool:
        """Whether the stream is open now."""
        return self.session.state is State.STREAMING

    @property
    def is_over(self) -> bool:
        """Whether the stream is over for good."""
        return self._over.is_set()

    async def begin(self, timeout: float) -> None:
        """Starts the task, and waits for the first stream.

        Raises:
            BridgeUnavailable: no bridge answered in `timeout` seconds.
            BridgeError: the bridge refused.
        """
        context = contextvars.copy_context()
        work_in(context, Work())  # it is nothing of the work, if any, that starts an agent
        self._task = asyncio.create_task(
            self._run(), name=f"loom-connection-{self.session.registration.agent_id}", context=context
        )
        await self._until(lambda: self._live, timeout)
        if self._ended_by is not None:
            raise self._ended_by
        if not self._live:
            raise self._last_error or BridgeUnavailable(
                f"the bridge at {self._address} did not answer within {timeout:g} s: "
                "see whether it is frozen, or check the address"
            )

    async def until_live(self, timeout: float) -> None:
        """Waits while the bridge is away, at most for `timeout` and 5 seconds.

        Raises:
            BridgeError: it is still away, or the stream ended for good.
        """
        if self.is_live:
            return
        patience = min(timeout, PATIENCE_S)
        await self._until(lambda: self._live, patience, self._clock)
        self._check_open()
        if not self.is_live:
            raise BridgeUnavailable(
                f"the bridge at {self._address} is away, and was not back in {patience:g} s: "
                "see whether it runs, and try again"
            )

    async def wait_over(self) -> None:
        """Waits until the stream is over for good.

        Raises:
            BridgeError: what ended it, unless `leave` did.
        """
        await self._over.wait()
        if self._ended_by is not None:
            raise self._ended_by

    async def publish(self, topic: str, event: event_pb2.Event, *, confirm: bool, resend: bool) -> int:
        """Publishes, and waits for the receipt; the caller sets the deadline. See `BridgeClient.publish`."""
        self._check_open()
        if not (confirm and resend and self.session.confirms):
            await self.until_live(PATIENCE_S)
        await self._line.enter()
        self._check_open()
        try:
            pub_seq = self.session.publish(topic, event, confirm=confirm)
        finally:
            self._line.let_next_in()
        self._wake()
        if not pub_seq:
            return UNKNOWN
        receipt: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._receipts[pub_seq] = receipt
        if not resend:
            self._fragile.add(pub_seq)
        try:
            return await receipt
        finally:
            self.session.forget(pub_seq)
            self._receipts.pop(pub_seq, None)
            self._fragile.discard(pub_seq)

    def post(self, topic: str, event: event_pb2.Event) -> bool:
        """Publishes without waiting for anything. False where the bridge is away, or it is too large."""
        if not self.is_live:
            return False
        try:
            self.session.publish(topic, event, confirm=False)
        except PublishRefused as error:
            _log.warning("%s: %s", self._who, error)
            return False
        self._wake()
        return True

    def answer(self, result: action_pb2.ActionResult) -> bool:
        """Answers a call. False where nobody waits any more."""
        answered = self.session.answer(result)
        self._wake()
        return answered

    async def flush(self, timeout: float) -> None:
        """Waits until what the bridge had queued so far has come in (HB-2), or time or stream is over."""
        if not self.is_live:
            return
        number = self.session.flush()
        self._flushes.add(number)
        self._wake()
        await self._until(lambda: number not in self._flushes, timeout)
        self._flushes.discard(number)

    async def leave(self, reason: str) -> None:
        """Says goodbye and waits until the bridge ended the stream, at most 6 s. Then everything is over."""
        self._leaving = True
        if self._stream is not None and self.is_live:
            if self.session.close(reason):
                self._stream.wake()  # a goodbye needs no half-close after it (SES-6)
            else:
                self._stream.leave()
            await self._until(self._over.is_set, GOODBYE_S)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._finish(None)

    # What the stream tells (`loom.stream.Shell`).

    def happened(self, happening: Happening) -> None:
        """Something came in."""
        match happening:
            case Delivered(topic, event):
                self._receiver.delivered(topic, event)
            case Confirmed():
                self._confirmed(happening)
            case Called(call):
                self._receiver.called(call)
            case Cancelled(call_id, code):
                self._receiver.cancelled(call_id, code)
            case Live(epoch):
                self._went_live(epoch)
            case Flushed(number):
                self._flushes.discard(number)
                self._change()
            case Draining(grace_ms):
                _log.info("%s: the bridge is about to stop, in %g s", self._who, grace_ms / 1000)
            case Refused(code, message, ref):
                about = f" (about {ref})" if ref else ""
                # A late answer is refused as a matter of course: its caller has been told already (ACT-3).
                level = logging.DEBUG if code == Code.UNKNOWN_CALL else logging.WARNING
                _log.log(level, "%s: the bridge refused something: %s: %s%s", self._who, code, message, about)

    def taken(self) -> None:
        """Messages left the outbox."""
        self._line.let_next_in()

    def room(self) -> Awaitable[None] | None:
        """Whether more may be delivered."""
        return self._receiver.room()

    # The task.

    async def _run(self) -> None:
        try:
            while not self._leaving:
                ended = await self._one_stream()
                if self._leaving:
                    break
                error = self._lost(ended)
                if self._is_final(error):
                    self._finish(error)
                    return
                await self._pause(error)
            self._finish(None)
        except Exception as error:
            _log.exception("%s: the connection failed in a way it should not", self._who)
            self._finish(LoomError(f"the connection failed: {type(error).__name__}: {error}"))

    def _lost(self, ended: LoomError | None) -> LoomError:
        error = self.session.lost(ended, self._clock.now())
        self._last_error = error
        for pub_seq in self._fragile:
            self.session.forget(pub_seq)
            if not self._receipts[pub_seq].done():
                self._receipts[pub_seq].set_exception(error)
        self._flushes.clear()
        self._change()
        if self._live:
            self._live = False
            self._receiver.lost(error)
        return error

    def _is_final(self, error: LoomError) -> bool:
        """Whether to give up. Before the first stream also where waiting would be of no use."""
        may_pass = isinstance(error, BridgeUnavailable | DeadlineExceeded)
        return self.session.state is State.CLOSED or not (self._was_live or may_pass)

    async def _pause(self, error: LoomError) -> None:
        if error.code in (Code.HEARTBEAT_TIMEOUT, Code.TIMEOUT):
            await self._transport.drop_channel()  # it would speak to the same frozen peer
        delay = self.session.delay(self._clock.jitter())
        level = logging.WARNING if self.session.attempt == 1 else logging.DEBUG
        _log.log(level, "%s: %s; trying again, from %.1f s on", self._who, error.message, delay)
        # Until the first stream it is the start that waits, and that is real time.
        await (self._clock.sleep(delay) if self._was_live else asyncio.sleep(delay))

    async def _one_stream(self) -> LoomError | None:
        """Registers and streams once. Answers why it is over; None where the bridge ended it in order."""
        try:
            more = self.session.registered(await self._transport.register_agent(self.session.register()))
            if more is not None:
                self.session.registered(await self._transport.register_agent(more))
        except LoomError as error:
            if not is_final(error):
                await self._seek()
            return error
        traffic = self._clock.begin_call()
        try:
            call = self._transport.open_stream(traffic.metadata)
            self._stream = Stream(self, call, self._address, self._clock, traffic)
            return await self._stream.run()
        finally:
            self._stream = None
            traffic.end()

    async def _seek(self) -> None:
        """The bridge cannot be reached: the channel is of no use, and perhaps the address."""
        await self._transport.drop_channel()
        try:
            await self._transport.find_again()
        except LoomError as error:
            _log.debug("%s: %s", self._who, error)

    def _went_live(self, epoch: int) -> None:
        again = "again " if self._was_live else ""
        self._was_live = True
        self._live = True
        self._change()
        level = "the base level only" if self.session.base_level else f"epoch {epoch}"
        _log.info("%s: connected %sto %s (%s)", self._who, again, self._address, level)

    def _confirmed(self, outcome: Confirmed) -> None:
        self._line.let_next_in()
        receipt = self._receipts.get(outcome.pub_seq)
        if receipt is None or receipt.done():
            return
        if outcome.code:
            receipt.set_exception(error_from_code(outcome.code, outcome.message, other=PublishRefused))
        else:
            receipt.set_result(outcome.matched)

    def _finish(self, error: LoomError | None) -> None:
        """Everything is over: who waits is told."""
        if self._over.is_set():
            return
        self._ended_by = error
        self.session.end()
        self._over.set()
        self._change()
        self._line.close()
        told = error or NotConnected("the agent was stopped before the publish was confirmed")
        for receipt in self._receipts.values():
            if not receipt.done():
                receipt.set_exception(told)

    def _check_open(self) -> None:
        if self._over.is_set():
            raise self._ended_by or NotConnected("the agent was stopped: start it again to publish or call")

    def _wake(self) -> None:
        if self._stream is not None:
            self._stream.wake()

    def _change(self) -> None:
        """Something has changed that somebody may wait for."""
        changes, self._changes = self._changes, set()
        for change in changes:
            if not change.done():
                change.set_result(None)

    async def _until(self, is_so: Callable[[], bool], timeout: float, clock: Clock | None = None) -> None:
        """Waits until it is so, or everything over; without a clock for seconds of real time at the most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout) if clock is None else clock.timeout(timeout):
                while not (is_so() or self._over.is_set()):
                    change = asyncio.get_running_loop().create_future()
                    self._changes.add(change)
                    try:
                        await change
                    finally:
                        self._changes.discard(change)
