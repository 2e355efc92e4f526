"""Agents: their life from start to stop."""

import asyncio
import logging

import pytest

from loom.agent import Agent
from loom.context import Context
from loom.endpoint import Endpoint
from loom.errors import (
    AgentGone,
    BridgeUnavailable,
    ConfigError,
    DefinitionError,
    NotConnected,
    RegistrationRefused,
    Superseded,
)
from loom.memory import LocalMemory, SQLiteMemory
from loom_testing.bridge import FakeBridge
from tests.loom.conftest import settings, steps


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
        me = Agent("me", settings=settings(address, connect_timeout=1.0))
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
        assert not first.is_running
        with pytest.raises(Superseded):
            await first.context().emit("t")
        await first.stop()
        second_context = second.context()
        assert await second_context.emit("t") == 0
    assert not [record for record in caplog.records if "trying again" in record.message]


async def test_who_was_superseded_may_be_started_again(bridge):
    first, second = (Agent("me", settings=settings(bridge.endpoint)) for _ in range(2))
    await first.start()
    async with second:
        with pytest.raises(Superseded):
            await first.wait()
    first.subscribe("t")  # it does not run, so it may learn something new
    async with first:
        assert await first.context().emit("t") == 1


async def test_stop_finishes_what_is_open(bridge):
    me, other = (Agent(name, settings=settings(bridge.endpoint)) for name in ("me", "other"))
    began, called, go = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @me.on("t")
    async def handle(ctx: Context) -> None:
        began.set()
        await go.wait()
        await ctx.emit("done")
        await ctx.reply("finished")

    @me.capability("work")
    async def work() -> str:
        called.set()
        await go.wait()
        return "worked"

    other.subscribe("done")
    await other.start()
    await me.start()
    request = asyncio.create_task(other.context().request("t"))
    call = asyncio.create_task(other.context().tool("work"))
    await began.wait()
    await called.wait()
    async with steps(bridge) as step:
        stopping = asyncio.create_task(me.stop(10))
        await step('"register"')
    assert await offered(other) == []
    assert await other.context().emit("t") == 0  # it takes nothing new
    go.set()
    assert (await request, await call) == ("finished", "worked")
    await stopping
    await other.stop()


async def test_stop_gives_up_what_takes_too_long_and_tells_who_waits(bridge, caplog):
    me, other = (Agent(name, settings=settings(bridge.endpoint)) for name in ("me", "other"))
    cancelled, began, called = [], asyncio.Event(), asyncio.Event()

    @me.on("t")
    async def handle(ctx: Context) -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            cancelled.append("handler")

    @me.capability("work")
    async def work() -> None:
        try:
            called.set()
            await asyncio.Event().wait()
        finally:
            cancelled.append("capability")

    await other.start()
    await me.start()
    request = asyncio.create_task(other.context().request("t"))
    call = asyncio.create_task(other.context().tool("work"))
    await began.wait()
    await called.wait()
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
    assert not me.is_running


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


async def test_an_agent_is_used_on_its_own_event_loop_only(start):
    agent = Agent("me")

    @agent.capability("work")
    async def work() -> str:
        return "done"

    await start(agent)
    context = agent.context()
    acts = (
        lambda: context.emit("t"),
        lambda: context.request("t"),
        lambda: context.barrier("t"),
        lambda: context.tool("work"),
        agent.wait,
        agent.stop,
    )

    async def elsewhere() -> None:
        for act in acts:
            with pytest.raises(NotConnected, match="me lives on another event loop"):
                await act()
        with pytest.raises(NotConnected, match="me lives on another event loop"):
            agent.context()

    await asyncio.to_thread(asyncio.run, elsewhere())
    assert await context.tool("work") == "done"
    await agent.stop()
