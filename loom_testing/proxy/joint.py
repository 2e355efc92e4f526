"""`JointClock`: a test's clock as it is known behind the proxy (CTL-3).

The bridge compares counts of messages to know that nothing is under way. A proxy that drops, doubles and
delays would make those never agree. So it stands for all who are behind it: towards them it does what the
bridge does (`loom_testing.participants`), towards the bridge it is one participant, whose calls and counts
are the proxy's own, and whose timers are everybody's and those of the messages that it delays.

When the bridge is started anew its clock begins at another time. Behind the proxy time goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import secrets
from typing import TYPE_CHECKING, Any

from loom.testing.v1 import control_pb2
from loom.timers import Timers
from loom_testing.driver import Refused
from loom_testing.participants import Participants
from loom_testing.proxy.control_call import ControlCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom.timers import Timer
    from loom_testing.proxy.dialling import Dial

__all__ = ["JointClock", "UpTraffic"]

METHOD = "/loom.testing.v1.Control/Participate"
AGAIN_S = 0.1
"""How long until a bridge that went away is asked again, real time."""
JOIN_S = 20.0
"""How long another bridge may take to let it join, real time."""
MICROS = 1_000_000


class UpTraffic:
    """A call of the proxy's own to the bridge, counted.

    Attributes:
        sent: messages given to it.
        received: messages taken from it.
        ready: how many more would be given to it now, were there room.
    """

    __slots__ = ("ready", "received", "sent")

    def __init__(self, ready: Callable[[], int]) -> None:
        self.sent = 0
        self.received = 0
        self.ready = ready


class JointClock:
    """The clock of one namespace, for all who are behind one proxy.

    Attributes:
        participants: those behind the proxy who take part.
        liveness: whether silent peers are taken for dead there (SES-7).
        clock: itself; what `loom_testing.participate` asks for the time.
        is_virtual: it is.
        is_kept: whether it goes on while nobody behind goes by it and the bridge is away.

    Args:
        namespace: whose clock it is.
        dial: opens a connection to the bridge.
        passed: told how many seconds it has moved.
        over: told that it is of no use any more: its namespace has ended, or is none of a test's.
    """

    is_virtual = True

    def __init__(
        self,
        namespace: str,
        dial: Dial,
        passed: Callable[[float], object],
        over: Callable[[JointClock], object],
    ) -> None:
        self.participants = Participants()
        self.liveness = self.is_kept = False
        self.clock = self
        self._namespace = namespace
        self._dial = dial
        self._passed = passed
        self._is_over = over
        self._id = f"proxy-{os.getpid()}-{secrets.token_hex(6)}"
        self._numbers = itertools.count(1)
        self._calls: dict[int, UpTraffic] = {}
        self._timers = Timers()
        self._now = 0
        self._shift: int | None = None
        self._turn = 0
        self._reporting = False
        self._watching: contextlib.ExitStack | None = None
        self._reported: control_pb2.Report | None = None
        self._joined: asyncio.Future[None] | None = None
        self._present = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # Its life.

    def start(self) -> None:
        """Joins from now on, and again where the bridge went away and came back."""
        self._joined = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(), name=f"loom-proxy-clock-{self._namespace}")

    async def joined(self) -> None:
        """Waits until it has joined.

        Raises:
            Refused: the bridge does not let it: the namespace's clock is no test's.
        """
        assert self._joined is not None
        await asyncio.shield(self._joined)

    async def join_again(self) -> None:
        """The bridge is another: joins there, and waits until it has.

        Raises:
            ConnectionError: the bridge does not let it.
        """
        await self._stop()
        self._present.clear()
        self._task = asyncio.create_task(self._live(), name=f"loom-proxy-clock-{self._namespace}")
        present = asyncio.create_task(self._present.wait())
        await asyncio.wait({self._task, present}, timeout=JOIN_S, return_when=asyncio.FIRST_COMPLETED)
        if not present.done():
            present.cancel()
            raise ConnectionError(f"the bridge lets nobody take part in the clock of {self._namespace}")

    async def close(self) -> None:
        """It takes part no more."""
        await self._stop()
        if self._joined is not None and not self._joined.done():
            self._joined.cancel()
        self.participants.close("the proxy stopped")

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # What `loom_testing.participate` asks of a namespace.

    def find(self, _namespace: str) -> JointClock:
        """The namespace itself."""
        return self

    def check_virtual(self) -> None:
        """It is."""

    def now(self) -> int:
        """The time, microseconds since the Unix epoch."""
        return self._now

    # What is under way.

    def call_at(self, when: int, owner: str, act: Callable[[], object]) -> Timer:
        """Does something when the test's clock is there."""
        timer = self._timers.add(when, owner, act)
        self.stir()
        return timer

    def begin_call(self, ready: Callable[[], int]) -> tuple[int, UpTraffic]:
        """The proxy makes a call to the bridge. Answers its number."""
        number = next(self._numbers)
        traffic = self._calls[number] = UpTraffic(ready)
        self.stir()
        return number, traffic

    def end_call(self, number: int) -> None:
        """It is over."""
        self._calls.pop(number, None)
        self.stir()

    def tag(self, number: int) -> str:
        """What tells the bridge whose call it is."""
        return f"{self._id}/{number}"

    def stir(self) -> None:
        """Something may have changed."""
        self.participants.stir()

    # Towards the bridge.

    async def _live(self) -> None:
        while True:
            try:
                await self._take_part()
            except Refused as refused:
                if not (self.is_kept and self._now and refused.status == "UNAVAILABLE"):  # it stops
                    self._end(refused)
                    return
            except OSError:  # the bridge is away
                if self._now and not self._is_used:
                    self._end(Refused("UNAVAILABLE", "the bridge is away"))
                    return
            self._reporting = False
            await asyncio.sleep(AGAIN_S)

    async def _take_part(self) -> None:
        """Takes part until the stream ends.

        Raises:
            Refused: the bridge ended it.
            OSError: the connection was lost.
        """
        call = await ControlCall.opened(self._dial, METHOD)
        try:
            join = control_pb2.Join(namespace=self._namespace, participant=self._id)
            call.send(control_pb2.ParticipateRequest(join=join).SerializeToString())
            first = await self._next(call)
            shift = self._now - first.now_us if self._now else 0
            self._shift = shift
            self._reported = None
            self._heed(first)
            assert self._joined is not None
            if not self._joined.done():
                self._joined.set_result(None)
            self._present.set()
            reporting = asyncio.create_task(self._report(call), name="loom-proxy-reports")
            try:
                while True:
                    self._heed(await self._next(call))
            finally:
                reporting.cancel()
                await asyncio.gather(reporting, return_exceptions=True)
        finally:
            call.close()

    async def _next(self, call: ControlCall) -> control_pb2.ParticipateResponse:
        return control_pb2.ParticipateResponse.FromString(await call.receive())

    def _heed(self, told: control_pb2.ParticipateResponse) -> None:
        """Takes in what the bridge tells, and tells it on."""
        self._turn = told.turn
        self.liveness = told.liveness
        before, self._now = self._now, max(self._now, told.now_us + (self._shift or 0))
        if before and self._now > before:
            self._passed((self._now - before) / MICROS)
        self._reporting = told.report
        if told.fire:
            self._fire()
        elif told.report == (self._watching is not None):
            self.participants.tell_all(self._now)
        self._watch(told.report)
        self.stir()

    def _watch(self, wanted: bool) -> None:
        """Asks for reports of those behind, or no more."""
        if wanted and self._watching is None:
            self._watching = contextlib.ExitStack()
            clock: Any = self
            self._watching.enter_context(self.participants.watched(clock))
        elif not wanted and self._watching is not None:
            watching, self._watching = self._watching, None
            watching.close()

    def _fire(self) -> None:
        """Fires the one timer that comes first: a delayed message's, or that of somebody behind."""
        own, others = self._timers.next(), self.participants.next_timer()
        is_first = own is not None and (others is None or (own.when, own.owner) <= others)
        if own is not None and is_first and own.when <= self._now:
            self._timers.fire_next(self._now)
        else:
            self.participants.fire_next(self._now)

    async def _report(self, call: ControlCall) -> None:
        """Reports whenever something has changed, while reports are asked for."""
        while True:
            if self._reporting:
                report = self._how_it_stands()
                if report != self._reported:
                    self._reported = report
                    call.send(control_pb2.ParticipateRequest(report=report).SerializeToString())
            await self.participants.change()
            await asyncio.sleep(0)  # what belongs together is told together

    def _how_it_stands(self) -> control_pb2.Report:
        problem = self.participants.problem()
        own = self._timers.next()
        mine = (own.when, own.owner) if own is not None else None
        first = min(
            (time for time in (mine, self.participants.next_timer()) if time is not None), default=None
        )
        awaited = min(
            (time for time in (self._timers.next_awaited(), self.participants.awaited()) if time is not None),
            default=None,
        )
        return control_pb2.Report(
            turn=self._turn,
            busy=[problem] if problem else [],
            next_us=0 if first is None else self._theirs(first[0]),
            next_of="" if first is None else first[1],
            awaited_us=0 if awaited is None else self._theirs(awaited),
            calls=[
                control_pb2.OpenCall(
                    number=number, sent=traffic.sent + traffic.ready(), received=traffic.received
                )
                for number, traffic in self._calls.items()
            ],
        )

    def _theirs(self, time: int) -> int:
        """A time as the bridge counts."""
        return max(1, time - (self._shift or 0))

    # Its end.

    @property
    def _is_used(self) -> bool:
        """Whether anybody behind the proxy goes by it."""
        return bool(self.is_kept or len(self.participants) or self._calls or len(self._timers))

    def _end(self, refused: Refused) -> None:
        """It is none of a test's, or its namespace has ended: everybody behind is told, nothing waits."""
        self._is_over(self)
        assert self._joined is not None
        if not self._joined.done():
            self._joined.set_exception(refused)
            self._joined.exception()  # whoever waits is told; if nobody does, that is no complaint
        self._watch(False)
        for timer in self._timers.take_all():
            self._now = max(self._now, timer.when)
            if timer.fire is not None:
                timer.fire()
        self.participants.close(refused.message)
