"""A bridge that is killed, frozen and started again under live agents."""

import asyncio
import signal
import time

import pytest

from loom.agent import Agent
from loom.context import Context
from loom.errors import BridgeUnavailable
from tests.loom.conftest import Seen, live, losing, settings

TOLD_WITHIN = 1.0
BACK_WITHIN = 5.0


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def agents(seen):
    """One agent that never answers, and one that asks it."""

    def make(address):
        silent, asking = (Agent(name, settings=settings(address)) for name in ("silent", "asking"))

        @silent.on("note")
        async def note(ctx: Context, text: str) -> None:
            seen.append(text)

        @silent.on("ask")
        async def handle(ctx: Context) -> None:
            seen.append("asked")

        @silent.capability("never")
        async def never() -> None:
            seen.append("called")
            await asyncio.Event().wait()

        return silent, asking

    return make


async def back(*agents):
    """Waits until all of them are back."""
    async with asyncio.timeout(BACK_WITHIN):
        await asyncio.gather(*(live(agent) for agent in agents))


async def told(task, begin):
    """Waits for the error that a waiting task gets; answers how long it took."""
    with pytest.raises(BridgeUnavailable):
        await task
    return time.monotonic() - begin


async def test_a_killed_bridge_is_told_at_once_and_agents_are_back_after_it(bridge_process, agents, seen):
    async with bridge_process() as first:
        silent, asking = agents(first.address)
        async with silent, asking:
            context = asking.context()
            request = asyncio.create_task(context.request("ask", timeout=60))
            call = asyncio.create_task(context.tool("never", timeout=60))
            await seen.until(lambda: sorted(seen) == ["asked", "called"])

            begin, silent_lost = time.monotonic(), losing(silent)
            await first.send(signal.SIGKILL)
            assert await told(request, begin) < TOLD_WITHIN
            assert await told(call, begin) < TOLD_WITHIN

            kept = asyncio.create_task(context.emit("nobody", "said while the bridge was away"))
            async with bridge_process(first.port):
                async with asyncio.timeout(BACK_WITHIN):
                    assert await kept == 0
                await silent_lost.wait()
                await back(silent, asking)
                assert await asking.context().emit("note", "kept") == 1
                await seen.until(lambda: "kept" in seen)
                assert seen.count("kept") == 1
                assert silent.is_running
                assert asking.is_running


async def test_a_bridge_that_stops_in_order_is_waited_for_too(bridge_process, agents, seen):
    async with bridge_process() as first:
        silent, asking = agents(first.address)
        async with silent, asking:
            losses = [losing(agent) for agent in (silent, asking)]
            await first.send(signal.SIGTERM)
            async with bridge_process(first.port):
                async with asyncio.timeout(BACK_WITHIN):
                    await asyncio.gather(*(lost.wait() for lost in losses))
                await back(silent, asking)
                assert await asking.context().emit("note", "back") == 1
                await seen.until(lambda: "back" in seen)


async def test_a_frozen_bridge_is_noticed_after_three_heartbeats(bridge_process, agents, seen):
    async with bridge_process(heartbeat_interval_ms=300) as bridge:
        silent, asking = agents(bridge.address)
        async with silent, asking:
            request = asyncio.create_task(asking.context().request("ask", timeout=60))
            call = asyncio.create_task(asking.context().tool("never", timeout=60))
            await seen.until(lambda: len(seen) == 2)
            begin, silent_lost = time.monotonic(), losing(silent)
            await bridge.send(signal.SIGSTOP)
            try:
                assert await told(request, begin) < 0.9 + TOLD_WITHIN
                assert await told(call, begin) < 0.9 + TOLD_WITHIN
            finally:
                await bridge.send(signal.SIGCONT)
            async with asyncio.timeout(BACK_WITHIN):
                await silent_lost.wait()
            await back(silent, asking)
            assert await asking.context().emit("note", "back") == 1
            await seen.until(lambda: "back" in seen)
