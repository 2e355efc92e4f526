"""Moving a virtual clock: what fires, in which order, and what is waited for in between. Without gRPC."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from loom_testing import advance as advance_module
from loom_testing.advance import Bystanders, NotSettled, TooManyDeadlines
from loom_testing.clock import VirtualClock
from loom_testing.driver import Driver
from loom_testing.engine.inputs import Receive, Register
from loom_testing.engine.limits import Limits
from loom_testing.engine.messages import Ack
from loom_testing.engine.trace import decode_step
from loom_testing.participants import OpenCall, Report, Tag

SECOND = 1_000_000
SOON = 0.05


class Sink:
    """A stream that writes at once."""

    def __init__(self, driver: Driver, tag: Tag | None = None) -> None:
        self.agent, self.sent, self.received, self.reading = "", 0, 0, True
        self.ended: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self.flushes = 0
        self.number = driver.open(self, tag)

    def accept(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...

    def send(self, message: object) -> None:
        self.sent += 1

    def end(self, status: str, message: str, *, abrupt: bool = False) -> None:
        self.ended.set_result((status, message))

    async def flushed(self) -> None:
        self.flushes += 1


class Player:
    """A participant that has timers, and reports as it should."""

    def __init__(self, driver: Driver, name: str, *timers: int, awaited: bool = True) -> None:
        self.driver, self.name, self.awaited = driver, name, awaited
        self.start = driver.clock.now()
        self.timers = sorted(timers)
        self.fired: list[tuple[str, int]] = []
        self.seen: list[int] = []
        self.calls: dict[int, OpenCall] = {}
        self.busy: tuple[str, ...] = ()
        self.mute = False
        self.reporting = False
        self.participant = driver.participants.join(name, driver.clock.now())
        self.task = asyncio.create_task(self.play())

    async def play(self) -> None:
        while (told := await self.participant.next()) is not None:
            now = told.now - self.start
            self.seen.append(now)
            self.reporting = told.report
            if told.fire and self.timers and self.timers[0] <= now:
                self.fire(self.timers.pop(0), now)
            self.report()

    def fire(self, when: int, now: int) -> None:
        self.fired.append((self.name, now))

    def report(self) -> None:
        if self.reporting and not self.mute:
            first = self.start + self.timers[0] if self.timers else 0
            report = Report(
                self.participant.turn,
                self.busy,
                first,
                self.name,
                first if self.awaited else 0,
                dict(self.calls),
            )
            self.driver.participants.reported(self.participant, report)


@pytest.fixture
async def driver():
    driver = make()
    yield driver
    driver.close("the test is over")


@pytest.fixture
async def play(driver):
    players = []

    def play(name, *timers, **options):
        players.append(Player(driver, name, *timers, **options))
        return players[-1]

    yield play
    for player in players:
        player.task.cancel()


def make(**limits: int) -> Driver:
    return Driver("ns", VirtualClock(), Limits().with_overrides(limits), liveness=False)


async def join(driver: Driver, agent_id: str, *topics: str) -> Sink:
    assert not (await driver.ask(lambda call: Register(call, agent_id, list(topics)))).error_code
    sink = Sink(driver)
    driver.feed(Receive(sink.number, Ack(agent_id)))
    return sink


# The engine's deadlines.


async def test_an_advance_fires_what_falls_due_in_order():
    driver = make(handshake_ms=1000)
    start = driver.clock.now()
    first = Sink(driver)
    assert await driver.advance(500_000) == 0
    second = Sink(driver)
    seen: list[tuple[int, bool, bool]] = []

    def look(line: str) -> None:
        seen.append((decode_step(line).at - start, first.ended.done(), second.ended.done()))

    driver.watch = look
    assert await driver.advance(10 * SECOND) == 2
    assert seen == [(1_000_000, False, False), (1_500_000, True, False)]
    assert first.ended.result()[0] == second.ended.result()[0] == "DEADLINE_EXCEEDED"
    assert driver.clock.now() == start + 10_500_000


async def test_an_advance_by_nothing_settles_what_is_due():
    driver = make(handshake_ms=1000)
    sink = Sink(driver)
    driver.clock.move_to(driver.clock.now() + SECOND)
    assert await driver.advance(0) == 1
    assert sink.ended.done()


async def test_each_deadline_is_flushed_before_the_next():
    driver = make(registration_lapse_ms=1000, handshake_ms=500)
    sink = await join(driver, "a")
    Sink(driver)
    await driver.advance(0)
    before = sink.flushes
    assert await driver.advance(SECOND) == 1
    assert sink.flushes == before + 2


async def test_advances_wait_for_each_other():
    driver = make()
    start = driver.clock.now()
    await asyncio.gather(driver.advance(SECOND), driver.advance(2 * SECOND))
    assert driver.clock.now() == start + 3 * SECOND


async def test_an_advance_that_fires_too_much_is_stopped(monkeypatch):
    monkeypatch.setattr(advance_module, "MOST_DEADLINES", 3)
    driver = make(handshake_ms=1000)
    for _ in range(5):
        Sink(driver)
        driver.clock.move_to(driver.clock.now() + 1)
    with pytest.raises(TooManyDeadlines):
        await driver.advance(10 * SECOND)
    assert await driver.advance(10 * SECOND) == 2


# Participants' deadlines.


async def test_a_participant_s_timers_fire_one_by_one_at_their_time(driver, play):
    player = play("p", 3, 5, 5, 9)
    assert await driver.advance(5) == 3
    assert player.fired == [("p", 3), ("p", 5), ("p", 5)]
    assert await driver.advance(3) == 0
    assert await driver.advance(1) == 1
    assert player.fired[-1] == ("p", 9)


async def test_timers_of_several_fire_in_order_and_all_know_the_time_before(driver, play):
    order: list[tuple[str, int]] = []
    first, second = play("p", 10, 30), play("q", 20, 30)
    for player in (first, second):
        player.fired = order
    assert await driver.advance(100) == 4
    assert order == [("p", 10), ("q", 20), ("p", 30), ("q", 30)]
    for player in (first, second):
        assert list(dict.fromkeys(player.seen)) == [0, 10, 20, 30, 100]


async def test_the_engine_s_deadline_comes_before_a_participant_s_of_the_same_time(play):
    driver = make(handshake_ms=1000)
    player, sink = Player(driver, "p", SECOND), Sink(driver)
    ended_before = []
    noted: Any = player
    noted.fire = lambda when, now: ended_before.append(sink.ended.done())
    assert await driver.advance(SECOND) == 2
    assert ended_before == [True]
    driver.close("over")
    await player.task


async def test_what_a_timer_does_is_settled_before_the_next_fires(driver, play):
    """Here it opens a call that takes a while to arrive, and to be answered."""
    player = play("p", 10, 20)
    steps: list[str] = []
    loop = asyncio.get_running_loop()

    def fire(when: int, now: int) -> None:
        steps.append(f"fired {now}")
        if when == 10:
            player.calls[1] = OpenCall()
            loop.call_later(SOON / 5, arrive)

    def arrive() -> None:
        steps.append("arrived")
        driver.participants.began(Tag("p", 1))
        loop.call_later(SOON / 5, answer)
        driver.participants.stir()

    def answer() -> None:
        steps.append("answered")
        driver.participants.ended(Tag("p", 1))
        loop.call_later(SOON / 5, take)

    def take() -> None:
        steps.append("taken")
        del player.calls[1]
        player.busy = ()
        player.report()

    def begin(when: int, now: int) -> None:
        fire(when, now)
        player.busy = ("p is working",) if when == 10 else ()

    player.fire = begin
    assert await driver.advance(30) == 2
    assert steps == ["fired 10", "arrived", "answered", "taken", "fired 20"]


async def test_who_never_comes_to_rest_is_named_and_the_clock_stands(driver, play):
    player = play("p", 10, 20)
    start = driver.clock.now()

    def fire(when: int, now: int) -> None:
        player.busy = ("researcher is handling paper.submitted",)

    player.fire = fire
    with pytest.raises(NotSettled, match="researcher is handling"):
        await driver.advance(100, SOON)
    assert driver.clock.now() == start + 10
    player.busy = ()
    player.fire = lambda when, now: None
    assert await driver.advance(90, SOON) == 1
    assert driver.clock.now() == start + 100


async def test_who_does_not_answer_is_named(driver, play):
    player = play("p")
    player.mute = True
    stream = Sink(driver, Tag("p", 1))
    stream.agent = "frozen"
    with pytest.raises(NotSettled, match="frozen does not answer: its event loop is blocked"):
        await driver.advance(100, SOON)


async def test_who_dies_meanwhile_does_not_hold_the_clock(driver, play):
    player = play("p", 10)
    player.fire = lambda when, now: driver.participants.leave(player.participant)
    assert await driver.advance(100) == 1


async def test_who_joins_meanwhile_is_waited_for_too(driver, play):
    later: list[Player] = []
    player = play("p", 10)
    player.fire = lambda when, now: later.append(play("q", 5))
    assert await driver.advance(100) == 2
    assert later[0].fired == [("q", 5)]


async def test_reports_are_asked_for_only_meanwhile(driver, play):
    player = play("p", 10)
    await driver.advance(20)
    await asyncio.sleep(0)
    assert not player.reporting
    player.mute = True
    with pytest.raises(NotSettled):
        await driver.advance(20, SOON)
    await asyncio.sleep(0)
    assert not player.reporting


# Jumps.


async def test_a_jump_goes_to_what_is_awaited_next(driver, play):
    start = driver.clock.now()
    player = play("p", 1800 * SECOND, 3600 * SECOND)
    await driver.jump()
    assert player.fired == [("p", 1800 * SECOND)]
    assert driver.clock.now() == start + 1800 * SECOND
    await driver.jump()
    assert driver.clock.now() == start + 3600 * SECOND


async def test_a_jump_waits_until_something_is_awaited(driver, play):
    player = play("p", 10, awaited=False)
    jumping = asyncio.create_task(driver.jump())
    await driver.advance(5)
    assert not jumping.done()
    player.timers = [50]
    player.awaited = True
    player.report()
    await asyncio.wait_for(jumping, 5)
    assert player.fired == [("p", 50)]


async def test_a_jump_waits_until_all_is_settled_however_long_that_takes(driver, play):
    player = play("p", 10)
    player.busy = ("p computes",)
    jumping = asyncio.create_task(driver.jump())
    await asyncio.sleep(SOON)
    assert not jumping.done()
    player.busy = ()
    player.report()
    await asyncio.wait_for(jumping, 5)


async def test_what_nobody_awaits_does_not_make_time_pass(play):
    """The engine's own deadlines alone are no reason to jump; on the way to a reason they fire."""
    driver = make(handshake_ms=1000)
    sink = Sink(driver, Tag("p", 1))
    player = Player(driver, "p", awaited=False)
    player.calls[1] = OpenCall()

    def end(_: object) -> None:
        player.calls.clear()
        player.report()

    sink.ended.add_done_callback(end)
    jumping = asyncio.create_task(driver.jump())
    await driver.advance(0)
    assert not jumping.done()
    player.timers, player.awaited = [5 * SECOND], True
    player.report()
    await asyncio.wait_for(jumping, 5)
    assert sink.ended.done()
    assert not player.fired
    driver.close("over")
    await player.task


async def test_a_jump_refuses_where_an_agent_takes_no_part(driver, play):
    await join(driver, "stranger", "t")
    next(iter(driver._streams.values())).agent = "stranger"
    play("p", 10)
    with pytest.raises(Bystanders, match="stranger"):
        await driver.jump()


async def test_a_jump_that_nobody_wants_any_more_asks_for_no_reports(driver, play):
    player = play("p")
    jumping = asyncio.create_task(driver.jump())
    await driver.advance(0)
    assert player.reporting
    jumping.cancel()
    await asyncio.gather(jumping, return_exceptions=True)
    await asyncio.sleep(0)
    assert not player.reporting
