"""CTL-3: participants, whose own timers take part in a virtual clock."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.testing.v1 import control_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import given
from loom_conformance.controlling import now, refused
from loom_conformance.expect import Violation
from loom_conformance.stream import PATIENCE, End

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

Status = grpc.StatusCode

SECOND = 1_000_000
TAG = "loom-participant"
PATIENCE_MS = 5_000
"""Longer than any participant here takes; an Advance that waits for longer never ends."""


class Participant:
    """One that takes part: it reports as it is set up here, and notes when it is told to fire.

    Attributes:
        id: its id.
        timers: when its timers fire, the next one first, microseconds.
        awaited: whether somebody waits for them.
        of: whose they are.
        busy: what it is busy with.
        calls: its open gRPC calls: number -> messages sent and received.
        fired: when it was told to fire.
        told: everything that it was told.
        on_fire: done when it is told to fire, before it reports.
    """

    def __init__(self, bench: Bench, name: str = "p", *, namespace: str = "") -> None:
        self.id = name
        self.timers: list[int] = []
        self.awaited = False
        self.of = ""
        self.busy: list[str] = []
        self.calls: dict[int, tuple[int, int]] = {}
        self.fired: list[int] = []
        self.told: list[control_pb2.ParticipateResponse] = []
        self.on_fire: Callable[[], Awaitable[object]] | None = None
        self._bench = bench
        self._namespace = namespace or bench.namespace
        self._call: Any = bench.control.stub.Participate(metadata=bench.control.metadata)
        self._running: asyncio.Task[None] | None = None
        self._reports = False

    async def join(self) -> control_pb2.ParticipateResponse:
        """Joins, and gives what it is told.

        Raises:
            Violation: nothing.
        """
        join = control_pb2.Join(namespace=self._namespace, participant=self.id)
        await self.send(control_pb2.ParticipateRequest(join=join))
        first = await self._next()
        if isinstance(first, End):
            raise Violation(
                f"participant {self.id}", "to be told the time", f"{first.code.name} ({first.details})"
            )
        self._reports = first.report
        return first

    async def send(self, request: control_pb2.ParticipateRequest) -> None:
        """Says something."""
        self._bench.tape.sent(self.id, "Participate", request)
        with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
            await self._call.write(request)

    async def report(self, turn: int | None = None) -> None:
        """Reports how it stands, by default about what it was told last."""
        report = control_pb2.Report(
            turn=self.told[-1].turn if turn is None else turn,
            busy=self.busy,
            next_us=self.timers[0] if self.timers else 0,
            next_of=self.of,
            awaited_us=self.timers[0] if self.timers and self.awaited else 0,
            calls=[
                control_pb2.OpenCall(number=number, sent=sent, received=received)
                for number, (sent, received) in self.calls.items()
            ],
        )
        await self.send(control_pb2.ParticipateRequest(report=report))

    def run(self) -> None:
        """From now on it reports whenever it is asked to."""
        self._running = asyncio.create_task(self._run())

    async def end(self) -> End:
        """How its stream ends; what it is told before is passed over.

        Raises:
            Violation: it does not end.
        """
        await self.rest()
        while not isinstance(got := await self._next(), End):
            pass
        return got

    async def rest(self) -> None:
        """From now on it says nothing by itself."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
            self._running = None

    async def leave(self) -> None:
        """Takes part no more."""
        await self.rest()
        self._call.cancel()

    async def _run(self) -> None:
        if self._reports:
            await self.report()
        while not isinstance(told := await self._next(), End):
            if told.fire:
                self.fired.append(told.now_us)
                self.timers = self.timers[1:]
                if self.on_fire is not None:
                    await self.on_fire()
            if told.report:
                await self.report()

    async def _next(self) -> control_pb2.ParticipateResponse | End:
        patience = None if self._running is asyncio.current_task() else PATIENCE
        try:
            async with asyncio.timeout(patience):
                told = await self._call.read()
        except TimeoutError:
            raise Violation(f"participant {self.id}", "to be told something", "nothing in time") from None
        except grpc.aio.AioRpcError as error:
            return self._ended(error.code(), error.details() or "")
        if told is grpc.aio.EOF:
            return self._ended(await self._call.code(), await self._call.details() or "")
        self._bench.tape.received(self.id, "Participate", told)
        self.told.append(told)
        return told  # type: ignore[no-any-return]  # the stub is untyped

    def _ended(self, code: grpc.StatusCode, details: str) -> End:
        self._bench.tape.received(self.id, "Participate", f"end: {code.name} {details}".rstrip())
        return End(code, details)


@contextlib.asynccontextmanager
async def taking_part(bench: Bench, *names: str) -> AsyncIterator[list[Participant]]:
    """Participants that have joined, and report when they are asked to."""
    participants = [Participant(bench, name) for name in names]
    try:
        for participant in participants:
            await participant.join()
            participant.run()
        yield participants
    finally:
        for participant in participants:
            await participant.leave()


async def stands(bench: Bench, begin: int, advancing: asyncio.Task[Any], why: str) -> None:
    """The clock does not move, although an Advance is under way."""
    for stamp in range(3):
        await bench.peer("clock").heartbeat(stamp)
        expect.equal(await now(bench), begin, f"the time {why}")
    expect.true(not advancing.done(), f"the Advance {why}", expected="to wait", got="an answer")


def advancing(bench: Bench, by_us: int) -> asyncio.Task[Any]:
    """An Advance that is under way."""
    return asyncio.create_task(bench.control.ask("Advance", by_us=by_us, patience_ms=PATIENCE_MS))


async def moved(bench: Bench, under_way: asyncio.Task[Any], begin: int, by_us: int, why: str) -> None:
    """The Advance came to its end."""
    answer = await under_way
    expect.equal(answer.now_us, begin + by_us, f"the time that the Advance answers {why}")


@check("CTL-3.1", needs=["control"])
async def a_participant_is_told_the_time(bench: Bench) -> None:
    """The clock was moved before it joins: it is told where it stands."""
    await bench.control.advance(5)
    participant = Participant(bench)
    told = await participant.join()
    expect.equal(told.now_us, await now(bench), "the time that it is told")
    expect.equal(told.turn, 1, "the number of what it is told")
    expect.equal(told.fire, False, "whether it is told to fire")
    await participant.leave()


@check("CTL-3.2", needs=["control"])
async def timers_fire_when_the_clock_reaches_them(bench: Bench) -> None:
    """A timer of two seconds: a microsecond before nothing fires, then it is told to, once."""
    async with taking_part(bench, "p") as [participant]:
        begin = await now(bench)
        participant.timers = [begin + 2 * SECOND]
        await bench.control.ask("Advance", by_us=2 * SECOND - 1)
        expect.equal(participant.fired, [], "when it was told to fire, a microsecond before its time")
        answer = await bench.control.ask("Advance", by_us=1)
        expect.equal(participant.fired, [begin + 2 * SECOND], "when it was told to fire")
        expect.equal(answer.fired, 1, "how many deadlines fired")
        await bench.control.ask("Advance", by_us=10 * SECOND)
        expect.equal(participant.fired, [begin + 2 * SECOND], "when it was told to fire, ten seconds later")


@check("CTL-3.3", needs=["control"])
async def one_clock_for_both(bench: Bench) -> None:
    """Calls of one and three seconds, a timer of two, one Advance: when the timer fires one call is open."""
    provider = await bench.join(bench.id("provider"), capabilities=["c"])
    caller = bench.peer("caller")
    for seconds in (3, 1):
        await given(provider, caller.invoke("c", timeout_ms=seconds * 1000))
    seen: list[tuple[int, int]] = []

    async def look() -> None:
        snapshot = await bench.control.snapshot()
        seen.append((snapshot.now_us, len(snapshot.calls)))

    async with taking_part(bench, "p") as [participant]:
        begin = await now(bench)
        participant.timers = [begin + 2 * SECOND]
        participant.on_fire = look
        answer = await bench.control.ask("Advance", by_us=5 * SECOND)
    expect.equal(seen, [(begin + 2 * SECOND, 1)], "the time and the open calls when the timer fires")
    expect.equal(answer.fired, 3, "how many deadlines fired")


@check("CTL-3.4", needs=["control"])
async def the_clock_waits_for_the_busy(bench: Bench) -> None:
    """A participant is busy while an Advance comes, and idle then."""
    async with taking_part(bench, "p") as [participant]:
        begin = await now(bench)
        participant.busy = ["thinking"]
        under_way = advancing(bench, SECOND)
        await stands(bench, begin, under_way, "while a participant is busy")
        participant.busy = []
        await participant.report()
        await moved(bench, under_way, begin, SECOND, "once it is idle")


@check("CTL-3.5", needs=["control"])
async def the_clock_waits_for_messages(bench: Bench) -> None:
    """An event goes to an agent of a participant, which has not yet counted it when an Advance comes."""
    peer = bench.peer("agent")
    await peer.register(bench.id("a"), "t")
    peer.metadata = (*peer.metadata, (TAG, "p/1"))
    stream = await peer.stream(bench.id("a"))
    publisher = await bench.join(bench.id("publisher"))
    async with taking_part(bench, "p") as [participant]:
        begin = await now(bench)
        participant.calls = {1: (1, 0)}
        await moved(bench, advancing(bench, SECOND), begin, SECOND, "while all is counted")
        await publisher.publish("t")
        await publisher.until_pong()
        under_way = advancing(bench, SECOND)
        await stands(bench, begin + SECOND, under_way, "while an event is under way")
        await stream.delivery()
        participant.calls = {1: (1, 1)}
        await participant.report()
        await moved(bench, under_way, begin + SECOND, SECOND, "once it is counted")


@check("CTL-3.6", needs=["control"])
async def patience_ends(bench: Bench) -> None:
    """A participant is busy for longer than an Advance waits: that says what with, and the clock stands."""
    async with taking_part(bench, "p") as [participant]:
        begin = await now(bench)
        participant.busy = ["writing a poem"]
        answer = await bench.control.outcome("Advance", by_us=SECOND, patience_ms=100)
        refused(
            answer, Status.DEADLINE_EXCEEDED, "an Advance with a patience of 100 ms", names="writing a poem"
        )
        expect.equal(await now(bench), begin, "the time after it")
        participant.busy = []
        await moved(bench, advancing(bench, SECOND), begin, SECOND, "once it is idle")


@check("CTL-3.7", needs=["control"])
async def who_left_is_not_waited_for(bench: Bench) -> None:
    """A participant leaves while it is busy and has a timer: the Advance comes to its end."""
    async with taking_part(bench, "p") as [participant]:
        begin = await now(bench)
        participant.busy, participant.timers = ["thinking"], [begin + 1]
        under_way = advancing(bench, SECOND)
        await stands(bench, begin, under_way, "while a participant is busy")
        await participant.leave()
        await moved(bench, under_way, begin, SECOND, "once it has left")
        expect.equal(under_way.result().fired, 0, "how many deadlines fired")


@check("CTL-3.8", needs=["control"])
async def equal_times_fire_by_name(bench: Bench) -> None:
    """Three participants have a timer at one time, of agents whose names are in another order than theirs."""
    order: list[str] = []
    async with taking_part(bench, "p1", "p2", "p3") as participants:
        begin = await now(bench)
        for participant, of in zip(participants, ("m", "z", "a"), strict=True):
            participant.timers, participant.of = [begin + SECOND], of

            async def note(of: str = of) -> None:
                order.append(of)

            participant.on_fire = note
        await bench.control.ask("Advance", by_us=SECOND)
    expect.equal(order, ["a", "m", "z"], "the order in which the timers fire")


@check("CTL-3.9", needs=["control"])
async def the_newer_participant_stays(bench: Bench) -> None:
    """Two join under one id: the first is put out, and the second has its timer fired."""
    first = Participant(bench)
    await first.join()
    async with taking_part(bench, "p") as [second]:
        expect.status(await first.end(), Status.ABORTED, "the stream of the first")
        begin = await now(bench)
        second.timers = [begin + SECOND]
        await bench.control.ask("Advance", by_us=SECOND)
        expect.equal(second.fired, [begin + SECOND], "when the second was told to fire")


@check("CTL-3.10", needs=["control"], clock="real")
async def nobody_takes_part_in_real_time(bench: Bench) -> None:
    """A Join in a namespace on the real clock."""
    participant = Participant(bench)
    join = control_pb2.Join(namespace=bench.namespace, participant="p")
    await participant.send(control_pb2.ParticipateRequest(join=join))
    expect.status(await participant.end(), Status.FAILED_PRECONDITION, "taking part in the real clock")


@check("CTL-3.11", needs=["control"])
async def malformed_participants_are_refused(bench: Bench) -> None:
    """A report before the Join, ids with a space, of none and of 65 characters, a turn never told."""
    early = Participant(bench)
    await early.report(1)
    expect.status(await early.end(), Status.INVALID_ARGUMENT, "a report before the Join")
    for name in ("a b", "", "x" * 65):
        malformed = Participant(bench, name)
        join = control_pb2.Join(namespace=bench.namespace, participant=name)
        await malformed.send(control_pb2.ParticipateRequest(join=join))
        end = await malformed.end()
        expect.status(end, Status.INVALID_ARGUMENT, f"a participant of the id {name[:8]!r}", names="id")
    ahead = Participant(bench)
    await ahead.join()
    await ahead.report(7)
    expect.status(await ahead.end(), Status.INVALID_ARGUMENT, "a report of a turn that was never told")
    longest = Participant(bench, "x" * 64)
    expect.equal((await longest.join()).turn, 1, "what a participant with an id of 64 characters is told")
    await longest.leave()


@check("CTL-3.12", needs=["control"])
async def a_jump_goes_to_what_is_awaited(bench: Bench) -> None:
    """A timer in 5 s and one in an hour are awaited, a registration lapses in 30 s: two Jumps."""
    await bench.peer().register(bench.id("lapses"))
    async with taking_part(bench, "p") as [participant]:
        begin = await now(bench)
        participant.timers, participant.awaited = [begin + 5 * SECOND, begin + 3600 * SECOND], True
        answer = await bench.control.ask("Jump")
        expect.equal(answer.now_us, begin + 5 * SECOND, "the time that the Jump answers")
        expect.equal(participant.fired, [begin + 5 * SECOND], "when the participant was told to fire")
        await bench.control.ask("Jump")
        lapsed = await bench.control.agent(bench.id("lapses")) is None
        expect.true(
            lapsed, "what the next Jump fires", expected="the lapse of a registration", got="not that"
        )
        expect.equal(len(participant.fired), 1, "how many timers fired by then")


@check("CTL-3.13", needs=["control"])
async def a_jump_needs_everybody(bench: Bench) -> None:
    """An agent is connected that takes no part: refused, and the clock stands; once it is gone, it jumps."""
    agent = await bench.join(bench.id("bystander"))
    async with taking_part(bench, "p") as [participant]:
        begin = await now(bench)
        participant.timers, participant.awaited = [begin + SECOND], True
        answer = await bench.control.outcome("Jump")
        refused(answer, Status.FAILED_PRECONDITION, "a Jump with a bystander", names="bystander")
        expect.equal(await now(bench), begin, "the time after it")
        await agent.half_close()
        await agent.end()
        expect.equal(
            (await bench.control.ask("Jump")).now_us, begin + SECOND, "the time of a Jump without it"
        )


@check("CTL-3.14", needs=["control"])
async def a_reset_puts_participants_out(bench: Bench) -> None:
    """The namespace is reset while somebody takes part."""
    participant = Participant(bench)
    await participant.join()
    await bench.control.reset()
    expect.status(await participant.end(), Status.UNAVAILABLE, "the participant's stream")


@check("CTL-7.1", needs=["control", "namespaces"])
async def nobody_takes_part_in_nothing(bench: Bench) -> None:
    """A Join in a namespace that is not there, and still is not there afterwards."""
    nowhere = bench.beside("nowhere")
    participant = Participant(bench, namespace=nowhere)
    join = control_pb2.Join(namespace=nowhere, participant="p")
    await participant.send(control_pb2.ParticipateRequest(join=join))
    expect.status(await participant.end(), Status.NOT_FOUND, "the participant's stream", names=nowhere)
    answer = await bench.control.outcome("Snapshot", namespace=nowhere)
    refused(answer, Status.NOT_FOUND, "a snapshot afterwards", names=nowhere)


@check("CTL-3.15", needs=["control", "namespaces"])
async def agents_are_told_of_the_clock(bench: Bench) -> None:
    """One registers in a namespace on a virtual clock, one in a namespace on the real one."""
    virtual = await bench.peer().register(bench.id("a"))
    real = await bench.peer(namespace=bench.beside("real")).register(bench.id("a"))
    expect.equal(virtual.virtual_clock, True, "virtual_clock of the one on a virtual clock")
    expect.equal(real.virtual_clock, False, "virtual_clock of the one on the real clock")
