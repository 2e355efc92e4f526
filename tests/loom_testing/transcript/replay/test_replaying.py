"""Replaying a shop: the same on every bridge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loom import Agent, Context, RegistrationRefused
from loom_testing import LoomBridge
from loom_testing.harness.control import NamespaceOptions
from loom_testing.transcript import Entry, Kind, Transcript, TranscriptError
from loom_testing.transcript.replay import Replayed, ReplayError, replay
from tests.loom_testing.transcript.replay.shop import joined, kept, recorded, recording, shop


async def replayed(bridge: LoomBridge, transcript: Transcript, agent: Agent, **options: Any) -> Replayed:
    """Replays in a namespace of its own."""
    place = LoomBridge(bridge.host, NamespaceOptions(virtual=transcript.virtual))
    try:
        return await replay(transcript, agent, place, **options)
    finally:
        place.close()


async def test_an_agent_that_does_the_same(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    done = await replayed(loom_bridge, transcript, shop())
    assert done == Replayed("shop:${agent:1}", compared=4, entries=len(transcript.entries))


async def test_an_agent_that_says_something_else(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    with pytest.raises(ReplayError) as caught:
        await replayed(loom_bridge, transcript, shop(2.0))
    assert "shop:1 did something else (entry 18 of 33)" in str(caught.value)
    assert "event.payload.total: recorded 12.5, now 25.0" in str(caught.value)
    assert transcript.entries[caught.value.place - 1].name == "publish"


async def test_an_agent_that_does_nothing(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    lazy = Agent("shop", replicas=True)
    lazy.on("orders.new")(lambda payload: None)

    @lazy.capability("shop.stock")
    def stock(sku: str) -> int:
        return 3

    with pytest.raises(ReplayError, match="did not do this within 2 s") as caught:
        await replayed(loom_bridge, transcript, lazy, timeout=2)
    assert "recorded call price.quote" in str(caught.value)


async def test_an_agent_that_offers_something_else(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    with pytest.raises(ReplayError, match="subscriptions: recorded") as caught:
        await replayed(loom_bridge, transcript, Agent("shop", replicas=True))
    assert caught.value.recorded is not None
    assert caught.value.recorded.rpc == "RegisterAgent"


async def test_an_agent_that_does_more(loom_bridge: LoomBridge):
    async with recording(loom_bridge) as tap, loom_bridge.probe() as probe, loom_bridge.run(echo(1)):
        await probe.emit("ping")
        await probe.expect("pong")
    transcript = kept(tap)
    assert (await replayed(loom_bridge, transcript, echo(1))).compared == 2
    with pytest.raises(ReplayError, match="echo did more than was recorded") as caught:
        await replayed(loom_bridge, transcript, echo(2))
    assert "now      publish pong" in str(caught.value)


def echo(times: int) -> Agent:
    agent = Agent("echo")

    @agent.on("ping")
    async def ping(ctx: Context) -> None:
        for _ in range(times):
            await ctx.emit("pong")

    return agent


async def test_one_of_the_others_can_be_replayed_instead(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    prices = Agent("somebody", echo=False)
    prices.subscribe(">", observer=True)

    @prices.capability("price.quote", description="scripted by a test")
    def quote() -> float:
        return 12.5

    with pytest.raises(ReplayError) as caught:
        await replayed(loom_bridge, transcript, prices, role="probe")
    assert 'agent_id: recorded "probe"' in str(caught.value)


async def test_a_request_and_its_reply(loom_bridge: LoomBridge):
    def answering(word: str) -> Agent:
        agent = Agent("answerer")

        @agent.on("questions")
        async def question(ctx: Context, payload: str) -> None:
            await ctx.reply({"answer": word})

        return agent

    async with recording(loom_bridge) as tap, loom_bridge.probe() as probe, loom_bridge.run(answering("42")):
        assert await probe.request("questions", "what?") == {"answer": "42"}
    transcript = kept(tap)
    assert (await replayed(loom_bridge, transcript, answering("42"))).compared == 2
    with pytest.raises(ReplayError, match=r'event.payload.answer: recorded "42", now "43"'):
        await replayed(loom_bridge, transcript, answering("43"))


async def test_an_agent_that_was_disconnected_and_came_back(loom_bridge: LoomBridge):
    async with recording(loom_bridge) as tap, loom_bridge.probe() as probe, loom_bridge.run(echo(1)):
        again = joined(tap, "echo")
        await loom_bridge.disconnect("echo")
        await loom_bridge.advance(2)  # what it waits for before it tries again
        await again.wait()
        await probe.emit("ping")
        await probe.expect("pong")
    transcript = kept(tap)
    assert [entry.name for entry in transcript.entries if entry.kind is Kind.FAULT] == ["disconnected"]
    assert (await replayed(loom_bridge, transcript, echo(1))).compared == 2


async def test_handlers_in_parallel_in_any_order(loom_bridge: LoomBridge):
    def worker(first: str) -> Agent:
        """Answers the first question first, or last."""
        agent = Agent("worker")

        @agent.on("jobs")
        async def both(ctx: Context, payload: list[str]) -> None:
            for word in sorted(payload, key=lambda word: word != first):
                await ctx.emit("done", word)

        return agent

    async with recording(loom_bridge) as tap, loom_bridge.probe() as probe, loom_bridge.run(worker("a")):
        await probe.emit("jobs", ["a", "b"])
        await probe.expect("done", "b")
    transcript = kept(tap)
    with pytest.raises(ReplayError, match="did something else"):
        await replayed(loom_bridge, transcript, worker("b"))
    assert (await replayed(loom_bridge, transcript, worker("b"), any_order=True)).compared == 3


@pytest.mark.loom(clock="real")
async def test_what_was_recorded_on_a_real_clock(loom_bridge: LoomBridge):
    async with (
        recording(loom_bridge, virtual=False) as tap,
        loom_bridge.probe() as probe,
        loom_bridge.run(echo(1)),
    ):
        await probe.emit("ping")
        await probe.expect("pong")
    transcript = kept(tap)
    assert not transcript.virtual
    assert (await replayed(loom_bridge, transcript, echo(1))).compared == 2


async def test_an_agent_that_cannot_start_says_why(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    broken = Agent("shop", replicas=True)
    broken._subscriptions.append(replace(broken._subscription("a", (), "", None, False), topic="*bad"))
    with pytest.raises((RegistrationRefused, ReplayError)):
        await replayed(loom_bridge, transcript, broken)


async def test_nobody_is_this_agent(loom_bridge: LoomBridge):
    with pytest.raises(TranscriptError, match="no agent 'x' was recorded"):
        await replayed(loom_bridge, await recorded(loom_bridge), Agent("x"))


async def test_what_did_not_reach_the_agent_is_told(loom_bridge: LoomBridge):
    transcript = await recorded(loom_bridge)
    without = tuple(entry for entry in transcript.entries if not is_of_the_publish(entry))
    with pytest.raises(ReplayError, match="this did not reach shop:1 within 2 s"):
        await replayed(loom_bridge, replace(transcript, entries=without), shop(), timeout=2)


def is_of_the_publish(entry: Entry) -> bool:
    return entry.who == "probe" and entry.name in ("publish", "receipt")


async def test_the_same_run_is_the_same_file_each_time(loom_bridge: LoomBridge):
    first = await recorded(loom_bridge)
    other = LoomBridge(loom_bridge.host)
    try:
        second = await recorded(other)
    finally:
        other.close()
    assert first.comparable() == second.comparable()
