"""Taking part in a test's clock: one participant for the agents of an event loop (CTL-3).

It keeps their timers, counts their gRPC calls, and holds a stream to the bridge on which it is told the time
and reports how it stands. It reports once nothing in its event loop is ready to run: then what it says stays
true until a message or a time comes.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import secrets
import time
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import grpc.aio

from loom.channel import open_channel
from loom.errors import BridgeUnavailable
from loom.quiet import when_quiet
from loom.status import error_from_rpc
from loom.testing.v1 import control_pb2, control_pb2_grpc
from loom.timers import Timer, Timers
from loom.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom.endpoint import Endpoint

__all__ = ["Member", "Participant"]

METADATA = "loom-participant"
MICROS = 1_000_000
JOIN_S = 5.0
"""How long a bridge may take to let a participant join."""
MOST_S = 1e9
"""Timers are not set further ahead: about thirty years."""

_log = logging.getLogger("loom.clock")


class Member(Protocol):
    """An agent that a participant takes part for."""

    def busy(self) -> list[str]:
        """What it is busy with, a line each."""


class Participant:
    """One event loop's part in the clock of one namespace.

    Attributes:
        id: its id.
        endpoint: the bridge and the namespace.
        loop: the event loop.
        liveness: whether silent peers are taken for dead there (SES-7).
        is_lost: whether the stream to the bridge broke; from then on the time is real.

    Args:
        endpoint: the bridge and the namespace.
        liveness: what is known of that before the bridge has said it.
        holds: what of the program, outside of the agents, is busy; a line each.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        liveness: bool = False,
        holds: Callable[[], list[str]] = list,
    ) -> None:
        self.id = f"{os.getpid()}-{secrets.token_hex(6)}"
        self.endpoint = endpoint
        self.liveness = liveness
        self._holds = holds
        self.loop = asyncio.get_running_loop()
        self._members: set[Member] = set()
        self._timers = Timers()
        self._numbers = itertools.count(1)
        self._calls: dict[int, Traffic] = {}
        self._now = 0
        self._offset: int | None = None
        self._lost_at: float | None = None
        self._turn = 0
        self._reporting = False
        self._looking = False
        self._reported: control_pb2.Report | None = None
        self._outbox: asyncio.Queue[control_pb2.Report] = asyncio.Queue()
        self._joining = asyncio.Lock()
        self._channel: grpc.aio.Channel | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_lost(self) -> bool:
        """Whether the stream to the bridge broke; from then on the time is real."""
        return self._lost_at is not None

    @property
    def has_joined(self) -> bool:
        """Whether the bridge knows of it."""
        return bool(self._tasks) and not self.is_lost

    @property
    def is_used(self) -> bool:
        """Whether an agent takes part, or a call to the bridge is open."""
        return bool(self._members or self._calls)

    # Who takes part.

    def enter(self, member: Member) -> None:
        """An agent takes part."""
        self._members.add(member)
        self.touch()

    async def leave(self, member: Member) -> None:
        """It does not any more. With the last one the stream ends."""
        self._members.discard(member)
        self.touch()
        if not self.is_used:
            await self.close()

    async def join(self) -> None:
        """Joins, where it has not yet.

        Raises:
            LoomError: the bridge does not let it.
        """
        async with self._joining:
            if not self.has_joined:
                await self._join()

    async def close(self) -> None:
        """Leaves the bridge; who enters again may join again."""
        tasks, self._tasks = self._tasks, []
        channel, self._channel = self._channel, None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if channel is not None:
            await channel.close()
        self._reporting = False

    # Time. Microseconds, from 0 when this was made.

    def now(self) -> float:
        """Seconds since this was made, by the test's clock."""
        real = 0.0 if self._lost_at is None else time.monotonic() - self._lost_at
        return self._now / MICROS + real

    def call_in(
        self, seconds: float, owner: str, fire: Callable[[], object], *, awaited: bool = True
    ) -> Timer:
        """Calls `fire` after so many seconds, unless the timer was cancelled before."""
        seconds = min(seconds, MOST_S)
        when = self._now + max(1, round(seconds * MICROS))
        if self.is_lost:
            timer = Timer(when, owner, 0, fire, awaited=awaited)
            self._make_real(timer, seconds)
            return timer
        timer = self._timers.add(when, owner, fire, awaited=awaited)
        self.touch()
        return timer

    def next_timer(self) -> Timer | None:
        """The one that fires next."""
        return self._timers.next()

    # What is under way.

    def begin_call(self) -> Traffic:
        """A gRPC call to the bridge begins."""
        number = next(self._numbers)
        metadata = ((METADATA, f"{self.id}/{number}"),)
        traffic = self._calls[number] = Traffic(number, metadata, self.touch, self._call_over)
        self.touch()
        return traffic

    def _call_over(self, number: int) -> None:
        self._calls.pop(number, None)
        self.touch()

    def touch(self) -> None:
        """Something has changed: where reports are asked for, one follows when the event loop is at rest."""
        if self._reporting and not self._looking:
            self._looking = True
            when_quiet(self.loop, self._look)

    def _look(self, is_quiet: bool) -> None:
        self._looking = False
        if not self._reporting:
            return
        report = self._report(is_quiet)
        if report != self._reported:
            self._reported = report
            self._outbox.put_nowait(report)
        if not is_quiet:
            self.touch()

    def _report(self, is_quiet: bool) -> control_pb2.Report:
        busy = [line for member in self._members for line in member.busy()]
        busy += self._holds()
        if not is_quiet:
            busy.append("an event loop that never rests: something in it runs again and again")
        first, awaited = self.next_timer(), self._timers.next_awaited()
        offset = self._offset or 0
        return control_pb2.Report(
            turn=self._turn,
            busy=sorted(busy),
            next_us=0 if first is None else first.when + offset,
            next_of="" if first is None else first.owner,
            awaited_us=0 if awaited is None else awaited + offset,
            calls=[
                control_pb2.OpenCall(
                    number=call.number, sent=call.sent, received=call.received, paused=call.paused
                )
                for call in self._calls.values()
            ],
        )

    # The stream.

    async def _join(self) -> None:
        channel = open_channel(self.endpoint)
        stub: Any = control_pb2_grpc.ControlStub(channel)
        call = stub.Participate()
        join = control_pb2.Join(namespace=self.endpoint.namespace, participant=self.id)
        try:
            told = await _first_told(call, join)
        except grpc.aio.AioRpcError as error:
            await channel.close()
            raise error_from_rpc(error, self.endpoint.address) from None
        except BaseException:
            await channel.close()
            raise
        if told is None:
            await channel.close()
            raise BridgeUnavailable(
                f"the clock of the bridge at {self.endpoint.address} could not be joined within {JOIN_S:g} s"
            )
        self._channel = channel
        self._outbox = asyncio.Queue()
        self._reported = None
        if self._offset is None:
            self._offset = told.now_us - self._now
        self.heed(told)
        self._tasks = [
            asyncio.create_task(self._read(call), name="loom-clock-reader"),
            asyncio.create_task(self._write(call), name="loom-clock-writer"),
        ]

    async def _read(self, call: Any) -> None:
        why = "the bridge ended it"
        try:
            while (told := await call.read()) is not grpc.aio.EOF:
                self.heed(told)
        except grpc.aio.AioRpcError as error:
            why = error.details() or str(error.code())
        self._lose(why)

    async def _write(self, call: Any) -> None:
        try:
            while True:
                report = await self._outbox.get()
                await call.write(control_pb2.ParticipateRequest(report=report))
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # the stream is over; the reader knows why

    def heed(self, told: control_pb2.ParticipateResponse) -> None:
        """Takes in what the bridge tells."""
        self._turn = told.turn
        self._now = max(self._now, told.now_us - (self._offset or 0))
        self.liveness = told.liveness
        self._reporting = told.report
        if told.fire:
            self._timers.fire_next(self._now)
        self.touch()

    def _lose(self, why: str) -> None:
        """The bridge is gone, and with it the test's clock: what waits goes on in real time."""
        if self.is_lost:
            return
        _log.debug("the clock of the bridge is lost (%s): time is real from here", why)
        self._lost_at = time.monotonic()
        self._reporting = False
        for timer in self._timers.take_all():
            self._make_real(timer, max(0, timer.when - self._now) / MICROS)

    def _make_real(self, timer: Timer, seconds: float) -> None:
        def fire() -> None:
            if timer.fire is not None:
                timer.fire()

        self.loop.call_later(seconds, fire)


async def _first_told(call: Any, join: control_pb2.Join) -> control_pb2.ParticipateResponse | None:
    """Joins. Answers what is told first; None where that does not come in time."""
    try:
        async with asyncio.timeout(JOIN_S):
            await call.write(control_pb2.ParticipateRequest(join=join))
            told = await call.read()
    except TimeoutError:
        return None
    return None if told is grpc.aio.EOF else told
