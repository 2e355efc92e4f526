"""The driver: one engine, its clock and timer, without gRPC."""

from __future__ import annotations

import asyncio

import pytest

from loom_testing.clock import RealClock, VirtualClock
from loom_testing.driver import Driver, Refused
from loom_testing.engine.inputs import (
    Break,
    HalfClose,
    Heartbeat,
    Invoke,
    ListCapabilities,
    Receive,
    Register,
    Reset,
    Snapshot,
    Writable,
)
from loom_testing.engine.limits import Limits
from loom_testing.engine.messages import (
    Ack,
    ActionCall,
    ActionResult,
    Capability,
    Delivery,
    Publish,
    ServerMessage,
)
from loom_testing.engine.outputs import HeartbeatReply
from loom_testing.engine.trace import decode_step
from loom_testing.participants import OpenCall, Report, Tag
from tests.loom_testing.peers import PATIENCE

SECOND = 1_000_000


class Sink:
    """A stream that writes at once, or not at all."""

    def __init__(self, driver: Driver, *, takes: bool = True) -> None:
        self.driver = driver
        self.takes = takes
        self.accepted = False
        self.agent = ""
        self.sent = self.received = 0
        self.reading = True
        self.got: list[ServerMessage] = []
        self.ended: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self.flushes = 0
        self.number = driver.open(self)

    def accept(self) -> None:
        self.accepted = True

    def send(self, message: ServerMessage) -> None:
        self.got.append(message)
        if self.takes:
            asyncio.get_running_loop().call_soon(self.driver.feed, Writable(self.number, 1))

    def end(self, status: str, message: str, *, abrupt: bool = False) -> None:
        self.ended.set_result((status, message))

    def pause(self) -> None:
        self.reading = False

    def resume(self) -> None:
        self.reading = True

    async def flushed(self) -> None:
        self.flushes += 1


def make(*, virtual: bool = True, **limits: int) -> Driver:
    clock = VirtualClock() if virtual else RealClock()
    return Driver("ns", clock, Limits().with_overrides(limits), liveness=not virtual)


async def join(
    driver: Driver, agent_id: str, *topics: str, capabilities: tuple[str, ...] = (), takes: bool = True
):
    offered = [Capability(name) for name in capabilities]
    reply = await driver.ask(lambda call: Register(call, agent_id, list(topics), offered))
    assert not reply.error_code
    sink = Sink(driver, takes=takes)
    driver.feed(Receive(sink.number, Ack(agent_id)))
    assert sink.accepted
    return sink


async def test_a_call_that_is_answered_at_once():
    assert await make().ask(lambda call: Heartbeat(call, 5)) == HeartbeatReply(1, 5)


async def test_calls_and_streams_have_numbers_of_their_own():
    driver = make()
    numbers = [(await driver.ask(lambda call: Heartbeat(call, 0))).call for _ in range(3)]
    numbers.append(Sink(driver).number)
    assert len(set(numbers)) == 4


async def test_what_the_engine_says_is_carried_out_before_feed_returns():
    driver = make()
    sink = await join(driver, "a", "t")
    driver.feed(Receive(sink.number, Publish("t", b"")))
    assert sink.got == [Delivery("t", b"")]


async def test_a_caller_that_leaves_is_told_to_the_engine():
    driver = make()
    await join(driver, "a", capabilities=("c",))
    waiting = asyncio.create_task(driver.ask(lambda call: Invoke(call, ActionCall("i", "c"))))
    await asyncio.sleep(0)
    assert len((await driver.ask(Snapshot)).calls) == 1
    waiting.cancel()
    await asyncio.wait([waiting])
    assert (await driver.ask(Snapshot)).calls == []
    assert not driver.engine.is_idle  # the agent is there


async def test_an_answer_is_under_way_from_the_moment_it_is_given():
    """Not only once its call goes on: who looks in between takes all for settled (CTL-3)."""
    driver = make()
    provider = await join(driver, "a", capabilities=("c",))
    participants = driver.participants
    participant = participants.join("p", driver.clock.now())
    invoke = driver.ask(lambda call: Invoke(call, ActionCall("i", "c")), Tag("p", 1))
    waiting = asyncio.create_task(invoke)
    await asyncio.sleep(0)
    participants.reported(participant, Report(participant.turn, calls={1: OpenCall()}))
    assert participants.problem() == ""
    given = provider.got[-1]
    assert isinstance(given, ActionCall)
    driver.feed(Receive(provider.number, ActionResult(given.id, 1)))
    assert participants.problem() == "messages of participant p are still under way"
    await waiting
    participants.reported(participant, Report(participant.turn))
    assert participants.problem() == ""


async def test_an_input_that_cannot_be_made_leaves_nothing_behind():
    def explode(call: int) -> Heartbeat:
        raise ValueError(call)

    driver = make()
    with pytest.raises(ValueError, match="1"):
        await driver.ask(explode)
    assert not driver.busy


async def test_it_is_busy_while_a_stream_is_open():
    driver = make()
    assert not driver.busy
    sink = Sink(driver)
    assert driver.busy
    driver.leave(sink.number)
    assert not driver.busy


async def test_it_is_busy_while_a_call_is_open():
    driver = make()
    sink = await join(driver, "a", capabilities=("c",))
    call = asyncio.create_task(driver.ask(lambda call: Invoke(call, ActionCall("i", "c"))))
    await asyncio.sleep(0)
    driver._streams.clear()  # what is left is the call
    assert driver.busy
    driver.feed(Break(sink.number))
    assert (await call).result.error.code == "PROVIDER_LOST"
    assert not driver.busy


async def test_leaving_breaks_the_stream_once():
    driver = make()
    sink = await join(driver, "a", "t")
    lines: list[str] = []
    driver.watch = lines.append
    driver.leave(sink.number)
    driver.leave(sink.number)
    assert len(lines) == 1
    assert (await driver.ask(Snapshot)).agents == []
    assert not sink.ended.done()  # the shell knows already


async def test_a_stream_that_ended_is_forgotten_before_it_is_told():
    driver = make()
    sink = await join(driver, "a", "t")
    driver.feed(HalfClose(sink.number))
    assert sink.ended.result() == ("OK", "")
    assert not driver.busy


async def test_reading_is_paused_and_resumed():
    driver = make(queue_events=1, stream_window=1)
    slow = await join(driver, "slow", "t", takes=False)
    publisher = await join(driver, "p")
    for _ in range(3):
        driver.feed(Receive(publisher.number, Publish("t", b"")))
    assert not publisher.reading
    for _ in range(3):
        driver.feed(Writable(slow.number, 1))
    assert publisher.reading


async def test_every_step_is_told_to_the_watcher():
    driver = make()
    lines: list[str] = []
    driver.watch = lines.append
    await driver.ask(lambda call: Heartbeat(call, 5))
    step = decode_step(lines[0])
    assert step.at == driver.clock.now()
    assert step.input == Heartbeat(1, 5)
    assert step.outputs == [HeartbeatReply(1, 5)]


# Time.


async def test_the_timer_fires_deadlines_on_the_real_clock():
    driver = make(virtual=False, handshake_ms=20)
    sink = Sink(driver)
    async with asyncio.timeout(PATIENCE):
        status, _ = await sink.ended
    assert status == "DEADLINE_EXCEEDED"
    driver.close("over")


async def test_a_nearer_deadline_moves_the_timer():
    driver = make(virtual=False, handshake_ms=60_000, default_call_timeout_ms=20)
    Sink(driver)
    await driver.ask(lambda call: Register(call, "a", [], [Capability("c")]))
    sink = Sink(driver)
    driver.feed(Receive(sink.number, Ack("a")))
    async with asyncio.timeout(PATIENCE):
        answer = await driver.ask(lambda call: Invoke(call, ActionCall("i", "c")))
    assert answer.result.error.code == "TIMEOUT"
    driver.close("over")


async def test_a_virtual_clock_fires_nothing_by_itself():
    driver = make(handshake_ms=1)
    sink = Sink(driver)
    assert driver._timer is None
    assert driver.engine.next_deadline() is not None
    assert not sink.ended.done()


async def test_a_real_clock_is_not_moved():
    driver = make(virtual=False)
    with pytest.raises(Refused, match="real clock") as refused:
        await driver.advance(1)
    assert refused.value.status == "FAILED_PRECONDITION"
    driver.close("over")


# The end.


async def test_a_drain_waits_for_open_calls():
    driver = make()
    await join(driver, "a", capabilities=("c",))
    call = asyncio.create_task(driver.ask(lambda call: Invoke(call, ActionCall("i", "c"))))
    await asyncio.sleep(0)
    draining = asyncio.create_task(driver.drain(PATIENCE))
    await asyncio.sleep(0)
    assert not draining.done()
    call.cancel()
    await asyncio.wait([draining], timeout=PATIENCE)
    assert draining.done()


async def test_a_drain_is_over_after_its_grace():
    driver = make()
    await join(driver, "a", takes=False)
    async with asyncio.timeout(PATIENCE):
        await driver.drain(0.01)


@pytest.mark.parametrize("virtual", [False, True])
async def test_the_engine_itself_answers_what_the_grace_left_open(virtual: bool):
    """LIM-3: also on a virtual clock, since the grace is real time (CTL-2)."""
    driver = make(virtual=virtual)
    await join(driver, "a", capabilities=("c",))
    call = asyncio.create_task(driver.ask(lambda call: Invoke(call, ActionCall("i", "c"))))
    await asyncio.sleep(0)
    await driver.drain(0.01)
    assert (await call).result.error.code == "PROVIDER_LOST"


async def test_closing_ends_what_is_open():
    driver = make()
    sink = await join(driver, "a", capabilities=("c",))
    call = asyncio.create_task(driver.ask(lambda call: Invoke(call, ActionCall("i", "c"))))
    await asyncio.sleep(0)
    driver.close("over")
    assert sink.ended.result() == ("UNAVAILABLE", "over")
    with pytest.raises(Refused, match="over"):
        await call
    driver.leave(sink.number)


async def test_a_reset_ends_everything():
    driver = make()
    sink = await join(driver, "a", capabilities=("c",))
    driver.feed(Reset())
    assert sink.ended.result()[0] == "UNAVAILABLE"
    assert (await driver.ask(ListCapabilities)).capabilities == []
    assert driver.engine.is_idle
