"""The scripted agent: it emits, expects, requests, offers and calls."""

from __future__ import annotations

import asyncio
from unittest.mock import ANY

import pytest

from loom import Agent, capability
from loom.errors import CapabilityError, InvalidInput, NoSubscribers, NotConnected, Superseded
from loom_testing.harness.errors import ExpectationError, HarnessError, WrongPlaceError
from tests.loom_testing.harness.agents import greeter


async def test_it_emits_and_expects(loom_bridge):
    async with loom_bridge.run(greeter()), loom_bridge.probe() as probe:
        assert await probe.emit("visitor.arrived", {"name": "Ada"}) == 1
        event = await probe.expect("visitor.greeted", text="Hello, Ada!", seat={"row": ANY})
        assert (event.sender, event.type) == ("greeter", "visitor.greeted")
        assert [one.topic for one in probe.events] == ["visitor.greeted"]


async def test_a_miss_shows_what_came_instead(loom_bridge):
    async with loom_bridge.run(greeter()), loom_bridge.probe(timeout=5) as probe:
        await probe.emit("visitor.arrived", {"name": "Ada"})
        await probe.expect("visitor.greeted", where=lambda event: event.json()["seat"]["no"] == 7)
        await probe.emit("visitor.arrived", {"name": "Bob"})
        with pytest.raises(ExpectationError) as caught:
            await probe.expect("visitor.greeted", {"seat": {"row": 4}}, text="Hello, Bob!", timeout=0.2)
    assert str(caught.value).splitlines() == [
        (
            "probe expected visitor.greeted, payload {'seat': {'row': 4}, 'text': 'Hello, Bob!'}, "
            "and no such event came within 0.2 s"
        ),
        "  nearest: visitor.greeted from greeter: {'text': 'Hello, Bob!', 'seat': {'row': 3, 'no': 7}}",
        "      payload.seat.row  expected 4, got 3",
        "  (1 more event given out before)",
    ]


async def test_observing_counts_nobody_and_subscribing_counts(loom_bridge):
    async with loom_bridge.probe() as watcher, loom_bridge.probe(subscribe="orders.*", observe=()) as buyer:
        assert (watcher.agent_id, buyer.agent_id) == ("probe", "probe-2")
        with pytest.raises(NoSubscribers):
            await watcher.request("nobody.here", timeout=5)
        assert await watcher.emit("orders.new", {"n": 1}) == 1
        assert await watcher.emit("other") == 0
        assert (await buyer.expect(">", {"n": 1})).topic == "orders.new"
        await buyer.expect_none(within=0)
        # What it said itself is nothing to expect.
        await watcher.expect_none("orders.new", within=0)


async def test_it_requests_and_replies(loom_bridge):
    async with loom_bridge.run(greeter()), loom_bridge.probe() as probe:
        assert await probe.request("words.asked", "hello") == "HELLO"
        async with loom_bridge.probe("clerk", subscribe=["papers.*"]) as clerk:
            asking = asyncio.create_task(probe.request("papers.wanted", {"id": 7}, into=dict[str, int]))
            question = await clerk.expect("papers.wanted", id=7)
            assert await clerk.reply(question, {"pages": 3}) == 1
            assert await asking == {"pages": 3}
            unasked = await probe.emit("papers.plain") and await clerk.expect("papers.plain")
            with pytest.raises(HarnessError, match=r"the event on papers\.plain asks for no reply"):
                await clerk.reply(unasked)


async def test_it_calls_capabilities(loom_bridge):
    async with loom_bridge.run(greeter()), loom_bridge.probe() as probe:
        assert await probe.call("text.length", text="abc") == 3
        assert await probe.call("text.length", {"text": "abcd"}, into=str, raw=True) == b"4"
        with pytest.raises(InvalidInput) as caught:
            await probe.call("text.length")
        assert caught.value.path == "text"


async def test_it_offers_what_agents_call(loom_bridge):
    async with (
        loom_bridge.run(greeter()),
        loom_bridge.probe(offers={"llm.complete": "first"}) as probe,
    ):
        assert await probe.call("text.summary", text="abc") == "first"
        await probe.offer("llm.complete", lambda text: text[::-1])
        assert await probe.call("text.summary", text="abc") == "cba"

        async def slow(text: str) -> str:
            await asyncio.sleep(0)
            return text * 2

        await probe.offer("llm.complete", slow)
        assert await probe.call("text.summary", text="abc") == "abcabc"
        await probe.offer("llm.complete", CapabilityError("no credit", code="NO_CREDIT"))
        with pytest.raises(CapabilityError, match="no credit"):
            await probe.call("text.summary", text="abc")
        assert [(call.capability, call.arguments, call.caller) for call in probe.calls] == [
            ("llm.complete", {"text": "abc"}, "greeter")
        ] * 4


async def test_it_offers_more_while_it_is_connected(loom_bridge):
    @capability("math.half")
    def half(number: int) -> float:
        return number / 2

    async with loom_bridge.probe() as probe:
        await probe.offer(half)
        await probe.offer("clock.now", {"hour": 12}, version="2")
        assert await loom_bridge.call("math.half", number=3) == 1.5
        with pytest.raises(InvalidInput):
            await loom_bridge.call("math.half", number="three")
        assert await loom_bridge.call("clock.now", version="2") == {"hour": 12}
        agents = (await loom_bridge.snapshot()).agents
        assert sorted(agents["probe"].capabilities) == ["clock.now@2", "math.half"]


async def test_losing_its_id_ends_the_wait_at_once(loom_bridge):
    async with loom_bridge.probe("twin") as probe:
        waiting = asyncio.create_task(probe.expect("never", timeout=30))
        async with loom_bridge.run(Agent("twin")):
            with pytest.raises(Superseded):
                await waiting


async def test_outside_of_its_block_it_says_so(loom_bridge):
    probe = loom_bridge.probe()
    for use in (
        probe.emit("a"),
        probe.expect("a"),
        probe.call("a"),
        probe.offer("a"),
        probe.expect_none("a"),
    ):
        with pytest.raises(HarnessError, match="probe is not connected: use it inside `async with"):
            await use
    with pytest.raises(WrongPlaceError, match=r"loom_bridge\.sync\.probe"), probe:
        pass


async def test_fields_cannot_be_added_to_what_has_none(loom_bridge):
    async with loom_bridge.probe() as probe:
        with pytest.raises(HarnessError, match=r"fields \(n\) cannot be added to a list"):
            await probe.expect("a", [1], n=1)


# Several events in their order.


async def test_events_in_order_with_others_in_between(loom_bridge):
    async with loom_bridge.probe() as probe, loom_bridge.probe() as other:
        for number, topic in enumerate(("a", "x", "b", "a", "c")):
            await other.emit(topic, {"n": number})
        events = await probe.expect_in_order("a", ("a", {"n": 3}), {"topic": "c", "sender": other.agent_id})
        assert [event.json()["n"] for event in events] == [0, 3, 4]
        assert (await probe.expect("*")).topic == "x"  # those in between stay
        await probe.expect_none("a", within=0)


async def test_the_wrong_order_is_said(loom_bridge):
    async with loom_bridge.probe() as probe, loom_bridge.probe() as other:
        for topic in ("b", "a"):
            await other.emit(topic, {})
        await probe.expect_in_order("b", "a")
        for topic in ("b", "a"):
            await other.emit(topic, {})
        with pytest.raises(ExpectationError) as problem:
            await probe.expect_in_order("a", "b", timeout=0.05)
    assert str(problem.value).splitlines() == [
        "probe expected b as number 2 of 2, but it came before number 1",
        "  too early: b from probe-2: {}",
        "  1. a from probe-2: {}",
    ]


async def test_the_missing_step_is_said(loom_bridge):
    async with loom_bridge.probe() as probe, loom_bridge.probe() as other:
        await other.emit("a", {})
        await other.emit("b", {"n": 1})
        with pytest.raises(ExpectationError) as problem:
            await probe.expect_in_order("a", ("b", {"n": 2}), timeout=0.05)
    assert str(problem.value).splitlines()[:3] == [
        "probe expected b, payload {'n': 2} as number 2 of 2, and no such event came within 0.05 s",
        "  1. a from probe-2: {}",
        "  nearest: b from probe-2: {'n': 1}",
    ]


async def test_no_steps_are_no_order(loom_bridge):
    async with loom_bridge.probe() as probe:
        with pytest.raises(HarnessError, match="was given nothing"):
            await probe.expect_in_order()


async def test_calls_can_be_looked_through(loom_bridge):
    async with loom_bridge.probe(offers={"a": 1, "b": 2}) as probe:
        for name in ("a", "b", "a"):
            await loom_bridge.call(name, n=1)
        assert len(probe.calls.of("a").having(n=1)) == 2


def test_events_in_order_in_a_plain_test(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.probe() as probe, bridge.probe() as other:
        other.emit("a", {})
        other.emit("b", {})
        assert [event.topic for event in probe.expect_in_order("a", "b")] == ["a", "b"]


async def test_who_waits_for_its_own_words_is_told_so(loom_bridge):
    async with loom_bridge.probe() as probe:
        await probe.emit("order.placed")
        with pytest.raises(ExpectationError) as problem:
            await probe.expect("order.*", timeout=0)
        assert str(problem.value).splitlines()[1:] == [
            "  nothing came",
            "  (probe published order.placed itself, and does not hear itself)",
        ]
        with pytest.raises(ExpectationError, match="does not hear itself"):
            await probe.expect_in_order("order.placed", timeout=0)
        with pytest.raises(ExpectationError) as other:
            await probe.expect("bill.*", timeout=0)
        assert "itself" not in str(other.value)


async def test_what_a_probe_waits_for_ends_when_it_is_left(loom_bridge):
    async with loom_bridge.probe(subscribe=["x"], offers={"never": asyncio.Event().wait}) as other:
        async with loom_bridge.probe("p") as probe:
            request = asyncio.create_task(probe.request("x"))
            call = asyncio.create_task(probe.call("never"))
            await other.expect("x")
            await loom_bridge.settle()
        with pytest.raises(NotConnected, match="p was left before the reply came: await it inside"):
            await request
        with pytest.raises(NotConnected, match="the agent was stopped before the answer came"):
            await call
