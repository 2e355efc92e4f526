"""Stand-ins: agents that say again what another said, on whichever bridge."""

from __future__ import annotations

import contextlib

import pytest

from loom import Agent, Context, DeadlineExceeded, HandlerError
from loom.errors import CapabilityError
from loom_testing import ExpectationError, LoomBridge
from loom_testing.transcript import Transcript, TranscriptError, save


def prices() -> Agent:
    """Knows prices, and says when it was asked for one."""
    agent = Agent("prices")

    @agent.capability("prices.look_up")
    async def look_up(ctx: Context, item: str) -> int:
        await ctx.emit("price.asked", {"item": item})
        if item == "gold":
            await ctx.sleep(60)
        if item == "air":
            raise ValueError("priceless")
        return {"tea": 450, "gold": 9000}[item]

    @agent.on("price.wanted")
    async def wanted(ctx: Context, item: str) -> None:
        await ctx.reply({"item": item, "price": 450})

    @agent.on("price.rumour")
    async def rumour() -> None:
        pass

    return agent


async def recorded(bridge: LoomBridge) -> Transcript:
    async with bridge.run(prices()), bridge.probe() as probe:
        assert await probe.call("prices.look_up", item="tea") == 450
        with pytest.raises(CapabilityError, match="priceless"):
            await probe.call("prices.look_up", item="air")
        assert (await probe.request("price.wanted", "tea"))["price"] == 450
        await probe.emit("price.rumour", 1)
        await bridge.settle()
    return await bridge.transcript()


async def test_it_says_what_the_agent_said(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    async with loom_bridge.scripted(transcript, agent="prices") as stand_in, loom_bridge.probe() as probe:
        assert (stand_in.agent_id, repr(stand_in)) == ("prices", "StandIn('prices')")
        assert len(stand_in.unheard) == 4
        for _ in range(2):  # what was heard once may be heard again
            assert await probe.call("prices.look_up", item="tea") == 450
            await probe.expect("price.asked", item="tea", sender="prices")
            assert await probe.request("price.wanted", "tea") == {"item": "tea", "price": 450}
        with pytest.raises(CapabilityError, match="priceless"):
            await probe.call("prices.look_up", item="air")
        assert stand_in.unheard == ["price.rumour 1"]
        assert await probe.emit("price.rumour", 2) == 1  # to what nothing was said, nothing is


async def test_it_is_found_by_its_name_and_read_from_a_file(loom_bridge: LoomBridge, tmp_path):
    save(await recorded(loom_bridge), tmp_path / "kept.jsonl")
    async with loom_bridge.scripted(tmp_path / "kept.jsonl", agent="prices"):
        assert await loom_bridge.call("prices.look_up", item="tea") == 450
    with pytest.raises(TranscriptError, match="no agent 'price' was recorded; recorded were prices, probe"):
        loom_bridge.scripted(tmp_path / "kept.jsonl", agent="price")


async def test_what_the_agent_was_never_asked_fails_the_test(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    async with loom_bridge.probe() as probe:
        stand_in = loom_bridge.scripted(transcript, agent="prices")
        await stand_in.__aenter__()
        with pytest.raises(CapabilityError, match="prices was called"):
            await probe.call("prices.look_up", item="salt")
        with pytest.raises(HandlerError, match=r"prices heard price\.wanted"):
            await probe.request("price.wanted", "salt")
        with pytest.raises(ExpectationError) as problem:
            await stand_in.__aexit__(None, None, None)
    assert str(problem.value).splitlines() == [
        'prices was called prices.look_up {item: "salt"}, which it was not when it was recorded',
        '  nearest: call prices.look_up <call 2> {item: "tea"}',
        '    payload.item: recorded "tea", now "salt"',
        'prices heard price.wanted "salt", which it had not when it was recorded',
        '  nearest: price.wanted "tea" asks for a reply',
        '    payload: recorded "tea", now "salt"',
    ]


async def test_what_it_was_never_asked_stands_beside_the_tests_own_error(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)

    async def ask(item: str) -> None:
        async with loom_bridge.scripted(transcript, agent="prices"):
            with contextlib.suppress(CapabilityError):
                await loom_bridge.call("prices.look_up", item=item)
            raise LookupError("the test's own")

    for item, told in ("salt", ["prices was called prices.look_up"]), ("tea", []):
        with pytest.raises(LookupError, match="the test's own") as problem:
            await ask(item)
        notes = getattr(problem.value, "__notes__", [])
        assert [note.partition(" {")[0] for note in notes] == told


async def test_what_may_differ_is_not_compared(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    async with loom_bridge.scripted(transcript, agent="prices", ignore=["item"]):
        assert await loom_bridge.call("prices.look_up", item="salt") == 450


async def test_it_takes_the_time_that_the_agent_took(loom_bridge: LoomBridge):
    async with loom_bridge.run(prices()), loom_bridge.probe() as probe, loom_bridge.clock.auto():
        assert await probe.call("prices.look_up", item="gold", timeout=90) == 9000
    transcript = await loom_bridge.transcript()
    async with (
        loom_bridge.scripted(transcript, agent="prices"),
        loom_bridge.probe() as probe,
        loom_bridge.clock.auto(),
    ):
        before = await loom_bridge.clock.now()
        assert await probe.call("prices.look_up", item="gold", timeout=90) == 9000
        assert await loom_bridge.clock.now() - before == pytest.approx(60)
        with pytest.raises(DeadlineExceeded):
            await probe.call("prices.look_up", item="gold", timeout=30)


async def test_a_call_that_was_never_answered_is_not(loom_bridge: LoomBridge):
    dead = Agent("dead")

    @dead.capability("never")
    async def never(ctx: Context) -> None:
        await ctx.sleep(10_000)

    async with loom_bridge.run(dead, grace=0), loom_bridge.probe() as probe, loom_bridge.clock.auto():
        with pytest.raises(DeadlineExceeded):
            await probe.call("never", timeout=5)
        await loom_bridge.disconnect("dead")
    transcript = await loom_bridge.transcript()
    async with (
        loom_bridge.scripted(transcript, agent="dead"),
        loom_bridge.probe() as probe,
        loom_bridge.clock.auto(),
    ):
        with pytest.raises(DeadlineExceeded):
            await probe.call("never", timeout=3)


async def test_who_takes_its_place_ends_it(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    with pytest.raises(ExpectationError, match="prices was sent away: "):
        async with loom_bridge.scripted(transcript, agent="prices"), loom_bridge.probe("prices"):
            await loom_bridge.settle()


def test_in_a_plain_test(loom_bridge: LoomBridge):
    bridge = loom_bridge.sync
    with bridge.run(prices()), bridge.probe() as probe:
        probe.call("prices.look_up", item="tea")
    with bridge.scripted(bridge.transcript(), agent="prices") as stand_in, bridge.probe() as probe:
        assert (stand_in.agent_id, len(stand_in.unheard)) == ("prices", 1)
        assert probe.call("prices.look_up", item="tea") == 450
        assert (stand_in.unheard, repr(stand_in)) == ([], "StandIn('prices')")
