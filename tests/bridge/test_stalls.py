"""A dead cable between a bridge and an agent: nothing crosses, nobody is told, and time still moves."""

from __future__ import annotations

import asyncio

import pytest

from loom import Agent, Context
from loom.errors import LoomError
from loom_testing.harness.handle import LoomBridge

NOTICED_S = 10.0


def words() -> Agent:
    agent = Agent("words")

    @agent.capability("wording")
    def wording(name: str) -> str:
        return f"hi {name}"

    return agent


def asker() -> Agent:
    agent = Agent("asker")

    @agent.on("go")
    async def go(ctx: Context) -> None:
        try:
            await ctx.emit("answered", await ctx.tool("wording", name="x"))
        except LoomError:
            await ctx.emit("gave.up")

    return agent


async def test_a_call_that_is_stuck_goes_on_with_the_connection(loom_bridge: LoomBridge):
    async with loom_bridge.run(words(), asker()), loom_bridge.probe() as probe:
        with loom_bridge.faults.stall(agent="asker", capability="wording", times=1):
            await probe.emit("go")
            await loom_bridge.settle()
            await loom_bridge.advance(1)
            await probe.expect_none("answered", within=0)
        await probe.expect("answered", "hi x")


async def test_a_caller_gives_up_and_nobody_hears_of_it_meanwhile(loom_bridge: LoomBridge):
    async with loom_bridge.run(words(), asker()), loom_bridge.probe() as probe:
        with loom_bridge.faults.stall(agent="asker", capability="wording", times=1):
            await probe.emit("go")
            await loom_bridge.settle()
            await loom_bridge.advance(100)
            await probe.expect_none("gave.up", within=0)
        await probe.expect("gave.up")


async def test_a_provider_that_is_cut_off_is_waited_for(loom_bridge: LoomBridge):
    async with loom_bridge.run(words()), loom_bridge.probe() as probe:
        with loom_bridge.faults.stall(agent="words"):
            call = asyncio.create_task(probe.call("wording", name="x", timeout=5))
            await loom_bridge.settle()
            assert not call.done()
        assert await call == "hi x"


@pytest.mark.loom(clock="real", limits={"heartbeat_interval_ms": 100})
async def test_silence_is_noticed(loom_bridge: LoomBridge):
    async with loom_bridge.run(words()), loom_bridge.probe() as probe:
        with loom_bridge.faults.stall(agent="words"):
            async with asyncio.timeout(NOTICED_S):
                while "words" in (await loom_bridge.snapshot()).agents:
                    pass
        await loom_bridge.joined("words", timeout=NOTICED_S)
        assert await probe.call("wording", name="x") == "hi x"
