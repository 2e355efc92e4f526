"""The SDK on a bridge that knows only the base level: it works, with fewer powers."""

import asyncio

import pytest

from loom.agent import Agent
from loom.context import Context
from loom.errors import CapabilityNotFound, DeadlineExceeded, HandlerError
from tests.loom.base_level import BaseLevelBridge
from tests.loom.conftest import settings


@pytest.fixture(params=[True, False], ids=["answers pings", "is silent"])
async def base_bridge(request):
    async with BaseLevelBridge(pongs=request.param) as bridge:
        yield bridge


async def test_agents_talk_and_call_and_leave(base_bridge):
    me, other = (Agent(name, settings=settings(base_bridge.address)) for name in ("me", "other"))

    @other.on("paper.*", types=["wanted"], group="g")
    async def answer(ctx: Context, number: int) -> None:
        if number == 0:
            raise RuntimeError("boom")
        await ctx.reply(await ctx.tool("double", number=number))

    @me.capability("double")
    async def double(number: int) -> int:
        return 2 * number

    async with me, other:
        context = me.context()
        assert await context.emit("paper.new", 1) == -1  # the bridge does not tell
        assert await context.request("paper.new", 4, type="wanted") == 8
        with pytest.raises(HandlerError, match="boom"):
            await context.request("paper.new", 0, type="wanted")
        with pytest.raises(DeadlineExceeded):  # nobody can say at once that nobody is there
            await context.request("nobody.there", timeout=0.05)
        with pytest.raises(CapabilityNotFound):
            await context.tool("nothing")
        barrier = await context.barrier("paper.new", 3, type="wanted", of=["other"])
        assert (barrier.replies, barrier.complete) == ({"other": 6}, True)
        unknown = await context.barrier("paper.new", 3, type="wanted", timeout=0.2)
        assert (unknown.replies, unknown.missing_count) == ({"other": 6}, 0)
        assert not me._worker._client.confirms
    assert base_bridge.strange == []


async def test_it_registers_again_in_words_the_bridge_knows(base_bridge):
    me = Agent("me", settings=settings(base_bridge.address))
    me.subscribe("a")
    me.subscribe("b", types=["x"])
    async with me:
        pass
    first, second = base_bridge.registrations
    assert list(first.subscribed_topics) == ["a"]
    assert list(second.subscribed_topics) == ["a", "b", "agent.me.replies"]
    assert not second.features


async def test_filters_are_kept_by_the_agent_itself(base_bridge):
    me = Agent("me", settings=settings(base_bridge.address))
    seen: asyncio.Queue[int] = asyncio.Queue()

    @me.on("t", types=["x"])
    async def handle(number: int) -> None:
        await seen.put(number)

    async with me:
        await me.context().emit("t", 1, type="y")
        await me.context().emit("t", 2, type="x")
        assert await seen.get() == 2
        assert seen.empty()
