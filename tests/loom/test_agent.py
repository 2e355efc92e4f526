"""Agents: what they declare, and their life from start to stop."""

import asyncio
import contextvars
import logging
import threading

import pytest

import loom
from loom.agent import Agent
from loom.context import Context
from loom.endpoint import Endpoint
from loom.errors import (
    AgentGone,
    BridgeUnavailable,
    ConfigError,
    DefinitionError,
    LoomError,
    NotConnected,
    RegistrationRefused,
    Superseded,
)
from loom.event import Event
from loom.memory import LocalMemory, SQLiteMemory
from loom.registration import QoS
from loom_testing.bridge import FakeBridge
from tests.loom.conftest import settings, until

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
        Agent("me").add(len)  # type: ignore[arg-type]


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
    me, seen = Agent("me"), []

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
    await until(lambda: ("raw", "a.last") in seen)
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
    me, order, gate = Agent("me"), [], asyncio.Event()

    @me.on("t")
    async def handle(ctx: Context, number: int) -> None:
        if number == 1:
            await gate.wait()
        order.append((ctx.envelope.thread_id, number))

    await start(me)
    for number in (1, 2):
        await me.context("slow").emit("t", number)
    await me.context("quick").emit("t", 3)
    await until(lambda: order)
    assert order == [("quick", 3)]
    gate.set()
    await until(lambda: len(order) == 3)
    assert order[1:] == [("slow", 1), ("slow", 2)]


async def test_a_handler_that_raises_is_logged_counted_and_survived(start, caplog):
    me, seen = Agent("me"), []

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
    await until(lambda: seen)
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
    seen = []
    members = [Agent(f"m{number}") for number in range(2)]
    for member in members:

        @member.on("t", group="workers", qos=QoS.BACKGROUND)
        async def handle(ctx: Context) -> None:
            seen.append(ctx.agent_id)

    await start(*members)
    for _ in range(4):
        assert await members[0].context().emit("t") == 1
    await until(lambda: len(seen) == 4)
    assert sorted(seen) == ["m0", "m0", "m1", "m1"]


async def test_replicas_have_ids_of_their_own_and_share_a_group(start):
    seen = []
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
    await until(lambda: len(seen) == 4)
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


# Life.


async def test_outside_of_its_life_an_agent_says_so(bridge):
    me = Agent("me", settings=settings(bridge.endpoint))
    with pytest.raises(NotConnected, match="me does not run: start it first"):
        me.context()
    with pytest.raises(NotConnected):
        await me.wait()
    await me.stop()
    async with me:
        assert me.is_running
        with pytest.raises(NotConnected, match="me runs already"):
            await me.start()
        with pytest.raises(DefinitionError, match="me runs already: declare"):
            me.on("t")(lambda: None)
        context = me.context()
    assert not me.is_running
    with pytest.raises(NotConnected, match="was stopped"):
        await context.emit("t")


async def test_an_agent_can_be_started_again(bridge):
    me = Agent("me", settings=settings(bridge.endpoint))
    me.subscribe("t")
    for _ in range(2):
        async with me:
            assert await me.context().emit("t") == 1


async def test_start_takes_an_address_or_an_endpoint(bridge, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOOM_BRIDGE_ADDR", "127.0.0.1:1")
    for endpoint in (bridge.address, Endpoint(bridge.address, "elsewhere")):
        me = Agent("me")
        await me.start(endpoint)
        await me.stop()
        async with Agent("me", endpoint=endpoint) as me:
            assert me.is_running


async def test_namespaces_are_worlds_of_their_own(bridge):
    async with (
        Agent("me", endpoint=Endpoint(bridge.address, "one"), settings=settings(bridge.endpoint)) as one,
        Agent("me", endpoint=Endpoint(bridge.address, "two"), settings=settings(bridge.endpoint)),
    ):
        one_again = Agent("other", endpoint=Endpoint(bridge.address, "one"))
        one_again.subscribe("t")
        async with one_again:
            assert await one.context().emit("t") == 1


async def test_where_no_bridge_answers_start_says_so_in_one_line():
    with FakePort() as address:
        me = Agent("me", settings=settings(address, connect_timeout=0.2))
        with pytest.raises(
            BridgeUnavailable, match=f"no bridge answers at {address}: check the address"
        ) as caught:
            await me.start()
        assert "\n" not in str(caught.value)
        assert "Connection refused" in str(caught.value)
        assert not me.is_running


async def test_an_agent_waits_for_a_bridge_that_is_started_a_little_later():
    with FakePort() as address:
        me = Agent("me", settings=settings(address, connect_timeout=10))
        starting = asyncio.create_task(me.start())
        await asyncio.sleep(0)
    async with FakeBridge(port=int(address.rpartition(":")[2])):
        await starting
        assert me.is_running
        await me.stop()


async def test_without_a_bridge_and_without_leave_to_start_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOOM_NO_LOCAL_BRIDGE", "1")
    monkeypatch.delenv("LOOM_BRIDGE_ADDR", raising=False)
    with pytest.raises(ConfigError, match="set LOOM_BRIDGE_ADDR to its host:port"):
        await Agent("me").start()


async def test_a_refused_registration_is_told_at_once(start):
    me = Agent("me")
    for number in range(2):
        me.on("t", group="a b" if number else "g")(lambda: None)
    with pytest.raises(RegistrationRefused, match="the bridge refused the registration of me"):
        await start(me)
    assert not me.is_running


async def test_the_newest_wins_and_being_superseded_is_final(bridge, caplog):
    first = Agent("me", settings=settings(bridge.endpoint))
    await first.start()
    second = Agent("me", settings=settings(bridge.endpoint))
    async with second:
        with pytest.raises(Superseded):
            await first.wait()
        with pytest.raises(Superseded):
            await first.context().emit("t")
        await first.stop()
        second_context = second.context()
        assert await second_context.emit("t") == 0
    assert not [record for record in caplog.records if "trying again" in record.message]


async def test_stop_finishes_what_is_open(bridge):
    me, other = (Agent(name, settings=settings(bridge.endpoint)) for name in ("me", "other"))
    began, go = asyncio.Event(), asyncio.Event()

    @me.on("t")
    async def handle(ctx: Context) -> None:
        began.set()
        await go.wait()
        await ctx.emit("done")
        await ctx.reply("finished")

    @me.capability("work")
    async def work() -> str:
        await go.wait()
        return "worked"

    other.subscribe("done")
    await other.start()
    await me.start()
    request = asyncio.create_task(other.context().request("t"))
    call = asyncio.create_task(other.context().tool("work"))
    await began.wait()
    await until(lambda: me._worker._calls)
    stopping = asyncio.create_task(me.stop(10))
    async with asyncio.timeout(10):
        while await offered(other):  # noqa: ASYNC110 - the condition is the bridge's
            await asyncio.sleep(0.002)
    assert await other.context().emit("t") == 0  # it takes nothing new
    go.set()
    assert (await request, await call) == ("finished", "worked")
    await stopping
    await other.stop()


async def test_stop_gives_up_what_takes_too_long_and_tells_who_waits(bridge, caplog):
    me, other = (Agent(name, settings=settings(bridge.endpoint)) for name in ("me", "other"))
    cancelled = []

    @me.on("t")
    async def handle(ctx: Context) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("handler")

    @me.capability("work")
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("capability")

    await other.start()
    await me.start()
    request = asyncio.create_task(other.context().request("t"))
    call = asyncio.create_task(other.context().tool("work"))
    await until(lambda: me._worker._calls and me._worker._dispatcher.running)
    await me.stop(0.01)
    for told in (request, call):
        with pytest.raises(AgentGone):
            await told
    assert sorted(cancelled) == ["capability", "handler"]
    assert "1 events not handled to their end" in caplog.text
    await other.stop()


async def test_a_handler_may_stop_its_own_agent(bridge):
    me = Agent("me", settings=settings(bridge.endpoint))

    @me.on("stop")
    async def stop(ctx: Context) -> None:
        await me.stop()

    await me.start()
    ended = asyncio.create_task(me.wait())
    await me.context().emit("stop")
    async with asyncio.timeout(10):
        await ended
    await until(lambda: not me.is_running)


async def test_its_memory_is_its_own_unless_given(bridge, tmp_path):
    given = LocalMemory()
    me = Agent("me", settings=settings(bridge.endpoint), memory=given)
    async with me:
        await me.context("th").memory.set("key", 1)
    assert await given.get("th", "key") == 1

    store = f"sqlite:{tmp_path / 'memory.db'}"
    for _ in range(2):
        async with Agent("me", settings=settings(bridge.endpoint, memory=store)) as me:
            seen = await me.context("th").memory.append("starts", 1)
    assert seen == 2
    survivor = SQLiteMemory(tmp_path / "memory.db")
    assert await survivor.get("th", "starts") == [1, 1]
    await survivor.close()


async def test_many_agents_in_one_process(start):
    agents = [Agent(f"a{number}") for number in range(20)]
    for agent in agents:
        agent.subscribe("all")
    await start(*agents)
    assert await agents[0].context().emit("all") == 20


async def test_what_was_chosen_and_why_is_one_line(bridge, caplog):
    caplog.set_level(logging.INFO, "loom.runtime")
    async with Agent("me", settings=settings(bridge.endpoint)):
        pass
    lines = [record.message for record in caplog.records if record.name == "loom.runtime"]
    assert lines == [f"bridge {bridge.address}: a test"]


async def offered(agent):
    """The capabilities that can be called on the agent's bridge now."""
    return [item.name for item in await agent._worker._client.list_capabilities()]


class FakePort:
    """A port on which nobody listens, and which nobody else gets meanwhile."""

    def __enter__(self):
        import socket

        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *_):
        self.socket.close()
