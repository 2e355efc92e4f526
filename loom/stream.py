"""One stream of one agent: three tasks that carry messages between a session and gRPC.

The reader owns the inbound side, the writer the outbound side (grpc.aio allows one write at a time, and a
write that is cancelled ends the call), the timer the heartbeat. Whichever ends first ends the stream; the
reason comes back as an error of Loom's own.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol, cast

import grpc
import grpc.aio

from loom.errors import BridgeUnavailable
from loom.status import error_from_rpc, error_from_status

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from loom.clock import Clock
    from loom.errors import LoomError
    from loom.happenings import Happening
    from loom.session import Session
    from loom.traffic import Traffic
    from loom.v1 import stream_pb2

    Call = grpc.aio.StreamStreamCall[stream_pb2.ClientEvent, stream_pb2.ServerEvent]

__all__ = ["Stream"]

ACCEPT_GRACE_S = 1.0
"""A base-level bridge may send its headers only with its first message; they are not waited for longer."""

STOOD_STILL_S = 1.0
"""A timer so late is worth a word: something blocks the event loop."""

_log = logging.getLogger("loom.connection")


class Shell(Protocol):
    """What a stream needs of its owner."""

    session: Session

    def happened(self, happening: Happening) -> None:
        """Something came in."""

    def taken(self) -> None:
        """Messages were taken from the session's outbox: there may be room for more."""

    def room(self) -> Awaitable[None] | None:
        """None where more may be delivered; else what to wait for before reading on."""


class Stream:
    """Carries one session over one EventStream call.

    Args:
        shell: its owner.
        call: the call, just made.
        address: the bridge's, for errors.
        clock: the agent's time.
        traffic: counts its messages.
    """

    def __init__(self, shell: Shell, call: Call, address: str, clock: Clock, traffic: Traffic) -> None:
        self._shell = shell
        self._session = shell.session
        self._call = call
        self._address = address
        self._clock = clock
        self._traffic = traffic
        self._wake = asyncio.Event()
        self._leaving = False

    async def run(self) -> LoomError | None:
        """Carries messages until the stream is over. Answers why; None where the bridge ended it in order."""
        self._session.handshake(self._clock.now(), heartbeats=self._clock.has_heartbeats)
        works = [("reader", self._read()), ("writer", self._write())]
        if self._session.next_deadline() is not None:
            works.append(("timer", self._keep_time()))
        tasks: list[asyncio.Task[LoomError | None]] = [
            asyncio.create_task(work, name=f"loom-{name}") for name, work in works
        ]
        openers: list[asyncio.Task[None]] = []
        if "session" not in self._session.features:
            openers.append(asyncio.create_task(self._open(), name="loom-opener"))
        self.wake()
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return _reason(next(task for task in tasks if task in done))
        finally:
            self._call.cancel()
            for task in (*openers, *tasks):
                task.cancel()
            await asyncio.gather(*openers, *tasks, return_exceptions=True)

    def wake(self) -> None:
        """The session's outbox holds something to write."""
        self._wake.set()

    def leave(self) -> None:
        """What is in the outbox is the last: half-close after it."""
        self._leaving = True
        self._wake.set()

    async def _open(self) -> None:
        """At the base level no message says that the stream is accepted; its headers do, or a little time."""
        headers = asyncio.ensure_future(self._call.initial_metadata())
        await asyncio.wait([headers], timeout=ACCEPT_GRACE_S)
        headers.cancel()
        if not self._call.done():
            self._tell(self._session.accepted(self._clock.now()))

    async def _read(self) -> LoomError | None:
        try:
            while True:
                message = await self._call.read()
                if message is grpc.aio.EOF:
                    return await self._ended()
                if message is None:  # gRPC's word for bytes that are none
                    return BridgeUnavailable(f"the bridge at {self._address} sent bytes that are no message")
                self._tell(self._session.receive(cast("stream_pb2.ServerEvent", message), self._clock.now()))
                self._traffic.take()
                room = self._shell.room()
                if room is not None:
                    await self._pause(room)
        except grpc.aio.AioRpcError as error:
            return error_from_rpc(error, self._address)

    async def _pause(self, room: Awaitable[None]) -> None:
        """Reads no further until there is room."""
        self._session.pause()
        self._traffic.pause(True)
        await room
        self._traffic.pause(False)
        self._session.resume(self._clock.now())

    async def _ended(self) -> LoomError | None:
        status = await self._call.code()
        if status is grpc.StatusCode.OK:
            return None
        return error_from_status(status, await self._call.details() or "", self._address)

    def _tell(self, happenings: list[Happening]) -> None:
        for happening in happenings:
            self._shell.happened(happening)
        if happenings:
            self._wake.set()  # what happened may have queued an answer

    async def _write(self) -> LoomError | None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while messages := self._session.take():
                    self._traffic.give(len(messages))
                    for message in messages:
                        await self._call.write(message)
                    self._shell.taken()
                if self._leaving:
                    await self._call.done_writing()
                    break
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # the stream is over; the reader knows why
        await asyncio.Event().wait()
        return None

    async def _keep_time(self) -> LoomError | None:
        while (due := self._session.next_deadline()) is not None:
            await self._clock.sleep(max(0.0, due - self._clock.now()), awaited=False)
            now = max(due, self._clock.now())  # not less, however the computer rounds
            stood_still = now - due
            if stood_still > STOOD_STILL_S:
                _log.warning(
                    "the event loop stood still for %.1f s, and the bridge hears nothing meanwhile: "
                    "make the handler that holds it synchronous (def), and it runs in a thread",
                    stood_still,
                )
            error = self._session.tick(now)
            if error is not None:
                return error
            self._wake.set()
        await asyncio.Event().wait()  # there are no heartbeats here
        return None


def _reason(task: asyncio.Task[LoomError | None]) -> LoomError | None:
    """Why a stream is over, by the first of its tasks to end."""
    if task.cancelled():  # by gRPC, when the channel was closed under it
        return BridgeUnavailable("the connection was closed under the stream: connect again")
    return task.result()
