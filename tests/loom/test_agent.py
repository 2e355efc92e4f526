"""Agents: what they declare, and what reaches their handlers."""

import asyncio
import contextvars
import threading

import pytest

import loom
from loom.agent import Agent
from loom.context import Context
from loom.errors import (
    DefinitionError,
    LoomError,
)
from loom.event import Event
from loom.registration import QoS
from tests.loom.conftest import Seen

# Declaration.


@pytest.mark.parametrize("name", ["", "a b", "a..b", "a.*", "é", "a" * 129])
def test_what_is_no_agent_id_is_refused(name):
    with pytest.raises(DefinitionError, match="is not an agent id: write dot-separated tokens") as caught:
        Agent(name)
    assert caught.value.code == "INVALID_AGENT_ID"


def test_a_replicas_id_must_fit_too():
    with pytest.raises(DefinitionError, match="is not an agent id"):
        Agent("a" * 125, replicas=True)


def test_max_parallel_is_a_number_from_1():
    with pytest.raises(DefinitionError, match="max_parallel of me is 0"):
        Agent("me", max_parallel=0)


@pytest.mark.parametrize("topic", ["", "a..b", "a*", ">.a", "é"])
def test_what_is_no_subscription_is_refused_where_it_is_declared(topic):
    with pytest.raises(DefinitionError, match=r"the subscription of me to .* is malformed: write"):
        Agent("me").on(topic)
    with pytest.raises(DefinitionError, match="malformed"):
        Agent("me").subscribe(topic)


def test_an_observer_has_no_group():
    with pytest.raises(DefinitionError, match="is an observer in a group"):
        Agent("me").on("t", group="g", observer=True)


def test_a_capability_is_offered_once():
    agent = Agent("me")
    agent.capability("work")(lambda: None)
    with pytest.raises(DefinitionError, match="me offers work twice"):
        agent.capability("work")(lambda: None)


def test_only_capabilities_are_added():
    with pytest.raises(DefinitionError, match="decorate it with"):
        Agent("me").add(len)


def test_declared_functions_stay_what_they_are():
    agent = Agent("me")

    @agent.capability("double")
    def double(number: int) -> int:
        return 2 * number

    @agent.on("t")
    def handle(ctx: Context) -> str:
        return "handled"

    assert (double(2), handle(None)) == (4, "handled")
    assert repr(agent) == "Agent('me')"


# Handling.


async def test_handlers_get_what_they_subscribed_to(start):
    me, seen = Agent("me"), Seen()

    @me.on("a.*")
    async def one(ctx: Context) -> None:
        seen.append(("one", ctx.event.topic))

    @me.on("a.>", types=["wanted"])
    async def two(ctx: Context) -> None:
        seen.append(("two", ctx.event.topic))

    @me.on_event
    async def raw(event: Event) -> None:
        seen.append(("raw", event.topic))

    await start(me)
    context = me.context()
    await context.emit("a.b", type="wanted")
    await context.emit("a.b")
    await context.emit("a.b.c", type="wanted")
    await context.emit("a.b.c")
    await context.emit("b")
    assert await context.emit("a.last") == 1
    await seen.until(lambda: ("raw", "a.last") in seen)
    assert seen == [
        ("one", "a.b"),
        ("two", "a.b"),
        ("raw", "a.b"),
        ("one", "a.b"),
        ("raw", "a.b"),
        ("two", "a.b.c"),
        ("raw", "a.b.c"),
        ("one", "a.last"),
        ("raw", "a.last"),
    ]


async def test_one_thread_in_order_others_in_parallel(start):
    me, order, gate = Agent("me"), Seen(), asyncio.Event()

    @me.on("t")
    async def handle(ctx: Context, number: int) -> None:
        if number == 1:
            await gate.wait()
        order.append((ctx.envelope.thread_id, number))

    await start(me)
    for number in (1, 2):
        await me.context("slow").emit("t", number)
    await me.context("quick").emit("t", 3)
    await order.until(lambda: order)
    assert order == [("quick", 3)]
    gate.set()
    await order.until(lambda: len(order) == 3)
    assert order[1:] == [("slow", 1), ("slow", 2)]


async def test_a_handler_that_raises_is_logged_counted_and_survived(start, caplog):
    me, seen = Agent("me"), Seen()

    @me.on("t")
    async def fragile(ctx: Context, number: int) -> None:
        if number == 0:
            raise ZeroDivisionError("by zero")
        seen.append(number)

    await start(me)
    context = me.context("th")
    await context.emit("t", 0)
    await context.emit("t", "no number")
    await context.emit("t", 1)
    await seen.until(lambda: seen)
    assert seen == [1]
    assert me.counts["handled"] == 3
    assert me.counts["handler_errors"] == 2
    text = caplog.text
    assert (
        "handler test_a_handler_that_raises_is_logged_counted_and_survived.<locals>.fragile failed on t"
        in text
    )
    assert "thread th" in text
    assert "ZeroDivisionError: by zero" in text
    assert "InvalidInput" in text


async def test_synchronous_handlers_and_capabilities_run_off_the_loop_with_the_context(start):
    me = Agent("me")
    loop_thread = threading.current_thread()
    variable = contextvars.ContextVar("variable", default="unset")

    @me.on("t")
    def handle(ctx: Context) -> None:
        ctx.block_on(ctx.reply(threading.current_thread() is loop_thread))

    @me.capability("work")
    def work(ctx: Context) -> list[bool]:
        variable.set("in the thread")
        return [threading.current_thread() is loop_thread, ctx.remaining is not None]

    await start(me)
    assert await me.context().request("t") is False
    assert await me.context().tool("work") == [False, True]
    assert variable.get() == "unset"


async def test_a_synchronous_handler_does_not_hold_the_others_up(start):
    me, release = Agent("me"), threading.Event()

    @me.on("slow")
    def slow(ctx: Context) -> None:
        release.wait(10)

    @me.on("quick")
    async def quick(ctx: Context) -> None:
        await ctx.reply("here")

    await start(me)
    await me.context().emit("slow")
    assert await me.context().request("quick", timeout=5) == "here"
    release.set()


async def test_echo_can_be_switched_off(start):
    me = Agent("me", echo=False)
    me.subscribe("t")
    await start(me)
    assert await me.context().emit("t") == 0


async def test_an_observer_sees_and_is_not_counted(start):
    me, other, seen = Agent("me"), Agent("other"), asyncio.Event()

    @other.on("t", observer=True)
    async def see(ctx: Context) -> None:
        seen.set()

    await start(other, me)
    assert await me.context().emit("t") == 0
    async with asyncio.timeout(5):
        await seen.wait()


async def test_a_group_shares_its_events(start):
    seen = Seen()
    members = [Agent(f"m{number}") for number in range(2)]
    for member in members:

        @member.on("t", group="workers", qos=QoS.BACKGROUND)
        async def handle(ctx: Context) -> None:
            seen.append(ctx.agent_id)

    await start(*members)
    for _ in range(4):
        assert await members[0].context().emit("t") == 1
    await seen.until(lambda: len(seen) == 4)
    assert sorted(seen) == ["m0", "m0", "m1", "m1"]


async def test_replicas_have_ids_of_their_own_and_share_a_group(start):
    seen = Seen()
    replicas = [Agent("work", replicas=True) for _ in range(2)]
    for replica in replicas:

        @replica.on("t")
        async def handle(ctx: Context) -> None:
            seen.append(ctx.agent_id)

    me = Agent("me")
    await start(*replicas, me)
    assert replicas[0].id != replicas[1].id
    assert all(replica.id.startswith("work:") and replica.name == "work" for replica in replicas)
    for _ in range(4):
        assert await me.context().emit("t") == 1
    await seen.until(lambda: len(seen) == 4)
    assert sorted(seen) == sorted([replica.id for replica in replicas] * 2)


async def test_an_added_capability_and_a_versioned_one(start):
    @loom.capability("double", version="2")
    def double(number: int) -> int:
        return 2 * number

    me = Agent("me").add(double)
    await start(me)
    assert await me.context().tool("double", number=4, version="2") == 8


async def test_a_capability_has_a_time_bound_of_its_own(start):
    me = Agent("me")

    @me.capability("slow", timeout=0.05)
    async def slow() -> None:
        await asyncio.Event().wait()

    await start(me)
    with pytest.raises(TimeoutError, match=r"slow was not done within 0.05 s"):
        await me.context().tool("slow", timeout=20)


async def test_counts(start):
    me = Agent("me")

    @me.capability("work")
    def work(number: int) -> int:
        return number

    await start(me)
    await me.context().tool("work", number=1)
    with pytest.raises(LoomError):
        await me.context().tool("work")
    await me.context().emit("t")
    assert me.counts == {"calls_made": 2, "calls_answered": 1, "calls_failed": 1, "published": 1}
