"""`loom_bridge.clock`: the agents' time and the bridge's, moved by the test or by themselves."""

from __future__ import annotations

import asyncio
import threading

import pytest

from loom import Agent, Context, DeadlineExceeded
from loom_testing.harness.errors import HarnessError, WrongPlaceError
from tests.loom_testing.peers import Peer

HALF_AN_HOUR = 1800


def asking() -> tuple[Agent, Agent]:
    """An agent that asks, and gives up after half an hour; and one that never answers."""
    asker, silent = Agent("asker"), Agent("silent")

    @silent.on("question")
    async def listen(ctx: Context) -> None:
        await ctx.sleep(24 * 3600)

    @asker.on("go")
    async def ask(ctx: Context) -> None:
        try:
            await ctx.request("question", timeout=HALF_AN_HOUR)
        except DeadlineExceeded:
            await ctx.emit("gave.up", {"after": HALF_AN_HOUR})

    return asker, silent


# Moved by the test.


async def test_a_time_out_of_half_an_hour_fires_at_its_time(loom_bridge):
    async with loom_bridge.run(*asking()), loom_bridge.probe() as probe:
        await probe.emit("go")
        assert await loom_bridge.advance(HALF_AN_HOUR - 1) == 0
        await probe.expect_none("gave.up", within=0)
        assert await loom_bridge.advance(1) == 2  # the request's, and that of its handler
        await probe.expect("gave.up", timeout=0.0)


async def test_the_same_order_of_events_each_time(loom_bridge):
    """Timers of three agents, some at the same time: by time, then by the agent's name."""
    order: list[tuple[str, int]] = []
    agents = [Agent(name) for name in ("zoe", "bob", "ann")]
    for agent in agents:

        @agent.on("go")
        async def wake(ctx: Context) -> None:
            for seconds in (10, 20, 30):
                await ctx.sleep(10)
                order.append((ctx.agent_id, seconds))

    async with loom_bridge.run(*agents), loom_bridge.probe() as probe:
        await probe.emit("go")
        assert await loom_bridge.advance(60) == 9
    assert order == [(name, seconds) for seconds in (10, 20, 30) for name in ("ann", "bob", "zoe")]


async def test_settling_is_all_that_happens_without_time(loom_bridge):
    async with loom_bridge.run(*asking()), loom_bridge.probe() as probe:
        await probe.emit("go")
        before = await loom_bridge.clock.now()
        await loom_bridge.settle()
        await probe.expect("question", timeout=0.0)
        await probe.expect_none("gave.up", within=0)
        assert await loom_bridge.clock.now() == before


async def test_a_call_of_the_test_s_own_is_part_of_it(loom_bridge):
    me = Agent("me")

    @me.capability("slow")
    async def slow(ctx: Context) -> str:
        await ctx.sleep(100)
        return "done"

    async with loom_bridge.run(me):
        calls = [asyncio.create_task(loom_bridge.call("slow", timeout=seconds)) for seconds in (60, 300)]
        await asyncio.sleep(0)
        await loom_bridge.advance(200)
        with pytest.raises(DeadlineExceeded):
            await calls[0]
        assert await calls[1] == "done"


async def test_who_waits_for_the_test_does_not_hold_the_clock(loom_bridge):
    """A handler held by an event of the test's is at rest: a request of another times out meanwhile."""
    me, gate = Agent("me"), asyncio.Event()

    @me.on("held")
    async def held() -> None:
        await gate.wait()

    async with loom_bridge.run(me), loom_bridge.probe() as probe:
        await probe.emit("held")
        await loom_bridge.advance(60)
        gate.set()


async def test_what_takes_real_time_is_waited_for(loom_bridge):
    me, began, go = Agent("me"), threading.Event(), threading.Event()

    @me.on("compute")
    def compute(ctx: Context) -> None:
        began.set()
        go.wait(30)
        ctx.block_on(ctx.emit("computed"))

    async with loom_bridge.run(me), loom_bridge.probe() as probe:
        await probe.emit("compute")
        advancing = asyncio.ensure_future(loom_bridge.advance(60))
        await asyncio.to_thread(began.wait, 30)
        assert not advancing.done()
        go.set()
        await advancing
        await probe.expect("computed", timeout=0.0)


async def test_who_never_comes_to_rest_is_named(loom_bridge):
    me, go = Agent("me"), threading.Event()

    @me.on("compute")
    def compute() -> None:
        go.wait(30)

    async with loom_bridge.run(me), loom_bridge.probe() as probe:
        await probe.emit("compute")
        with pytest.raises(
            HarnessError, match=r"not idle: me is handling compute; what takes real time there"
        ):
            await loom_bridge.advance(60, patience=0.1)
        go.set()
        assert await loom_bridge.advance(60) == 0


@pytest.mark.parametrize("patience", [0, -1, 601, float("nan")])
async def test_a_patience_is_a_time_within_reason(loom_bridge, patience):
    with pytest.raises(HarnessError, match="give seconds above 0, at most 600"):
        await loom_bridge.advance(1, patience=patience)


@pytest.mark.loom(clock="real")
async def test_a_real_clock_can_be_read_and_not_moved(loom_bridge):
    before = await loom_bridge.clock.now()
    assert await loom_bridge.clock.now() > before
    for move in (lambda: loom_bridge.advance(1), loom_bridge.settle):
        with pytest.raises(HarnessError, match="the clock of this test is real"):
            await move()
    with pytest.raises(HarnessError, match="the clock of this test is real"):
        async with loom_bridge.clock.auto():
            pass


# Moving by itself.


@pytest.mark.loom(clock="auto")
async def test_it_goes_where_somebody_waits(loom_bridge):
    before = await loom_bridge.clock.now()
    async with loom_bridge.run(*asking()), loom_bridge.probe() as probe:
        assert loom_bridge.clock.is_auto
        await probe.emit("go")
        await probe.expect("gave.up")
        assert await loom_bridge.clock.now() == pytest.approx(before + HALF_AN_HOUR)


async def test_it_may_do_so_for_a_while(loom_bridge):
    async with loom_bridge.run(*asking()), loom_bridge.probe() as probe:
        await probe.emit("go")
        async with loom_bridge.clock.auto() as clock:
            assert clock.is_auto
            await probe.expect("gave.up")
        assert not loom_bridge.clock.is_auto


@pytest.mark.loom(clock="auto")
async def test_what_is_answered_in_time_does_not_time_out(loom_bridge):
    async with loom_bridge.run(*asking()), loom_bridge.probe(subscribe="question") as probe:
        for _ in range(5):
            await probe.emit("go")
            await probe.reply(await probe.expect("question", timeout=5))
        await probe.expect_none("gave.up", within=0)


@pytest.mark.loom(clock="auto")
async def test_a_call_of_the_test_s_own_is_a_reason_too(loom_bridge):
    me = Agent("me")

    @me.capability("never")
    async def never() -> None:
        await asyncio.Event().wait()

    async with loom_bridge.run(me):
        with pytest.raises(DeadlineExceeded):
            await loom_bridge.call("never", timeout=HALF_AN_HOUR)


@pytest.mark.loom(clock="auto", leaks=True)
async def test_who_takes_no_part_is_named(loom_bridge):
    async with Peer(loom_bridge.address, loom_bridge.namespace) as stranger:
        await stranger.join("stranger", "t")
        async with loom_bridge.run(*asking()), loom_bridge.probe() as probe:
            await probe.emit("go")
            stuck = "cannot move by itself: nobody knows whether stranger is idle"
            with pytest.raises(HarnessError, match=stuck):
                await probe.expect("gave.up", timeout=30)


@pytest.mark.loom(clock="auto")
async def test_it_does_not_move_by_itself_twice(loom_bridge):
    with pytest.raises(HarnessError, match="moves by itself already"):
        async with loom_bridge.clock.auto():
            pass


# Plain tests.


def test_the_same_in_a_plain_test(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.run(*asking()), bridge.probe() as probe:
        probe.emit("go")
        before = bridge.clock.now()
        bridge.settle()
        assert bridge.advance(HALF_AN_HOUR) == 2
        assert bridge.clock.now() == pytest.approx(before + HALF_AN_HOUR)
        probe.expect("gave.up", timeout=0.0)


@pytest.mark.loom(clock="auto")
def test_in_a_plain_test_it_moves_only_while_the_test_waits(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.run(*asking()), bridge.probe() as probe:
        before = bridge.clock.now()
        probe.emit("go")
        assert [bridge.clock.now() for _ in range(20)] == [before] * 20
        probe.expect("gave.up")
        assert bridge.clock.now() == pytest.approx(before + HALF_AN_HOUR)


def test_a_plain_test_may_have_it_move_for_a_while(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.run(*asking()), bridge.probe() as probe:
        probe.emit("go")
        with bridge.clock.auto() as clock:
            assert clock.is_auto
            probe.expect("gave.up")
        assert not bridge.clock.is_auto


def test_each_face_in_its_place(loom_bridge):
    for use in (lambda: loom_bridge.settle(), lambda: loom_bridge.clock.now()):
        with pytest.raises(WrongPlaceError, match=r"in a plain test use loom_bridge\.sync"):
            use()
    with pytest.raises(WrongPlaceError, match="needs `async with`"), loom_bridge.clock.auto():
        pass
