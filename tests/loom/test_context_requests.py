"""Requests and replies on a real bridge, and the deadlines they inherit."""

import asyncio
import time

import pytest
from pydantic import BaseModel

from loom.agent import Agent
from loom.context import Context
from loom.errors import (
    AgentGone,
    CapabilityNotFound,
    DeadlineExceeded,
    HandlerError,
    InvalidInput,
    InvalidOutput,
    NoSubscribers,
    PublishRefused,
)
from loom.replies import Reply

AT_ONCE = 1.0
"""Seconds within which an answer counts as immediate, on a busy machine."""


class Paper(BaseModel):
    title: str


@pytest.fixture
def me():
    return Agent("me")


@pytest.fixture
def other():
    return Agent("other")


async def test_a_request_is_answered(me, other, start):
    @other.on("paper.review")
    async def review(ctx: Context, paper: Paper) -> None:
        await ctx.reply({"title": paper.title.upper()}, type="reviewed")

    await start(other, me)
    context = me.context()
    paper = Paper(title="x")
    assert await context.request("paper.review", paper) == {"title": "X"}
    assert await context.request("paper.review", paper, into=Paper) == Paper(title="X")
    assert await context.request("paper.review", paper, raw=True) == b'{"title":"X"}'
    reply = await context.request("paper.review", paper, into=Reply)
    assert (reply.agent_id, reply.type, reply.event.envelope.thread_id) == (
        "other",
        "reviewed",
        context.envelope.thread_id,
    )
    with pytest.raises(InvalidOutput, match="the reply of other does not fit int"):
        await context.request("paper.review", paper, into=int)


async def test_a_request_nobody_hears_fails_at_once(me, start):
    await start(me)
    begin = time.monotonic()
    with pytest.raises(NoSubscribers, match=r"nobody hears nobody\.there: start the agent"):
        await me.context().request("nobody.there", timeout=30)
    assert time.monotonic() - begin < AT_ONCE


async def test_a_request_nobody_answers_ends_with_its_timeout(me, other, start):
    other.subscribe("t")
    await start(other, me)
    with pytest.raises(DeadlineExceeded, match=r"no reply to t within 0.05 s"):
        await me.context().request("t", timeout=0.05)


@pytest.mark.parametrize("timeout", [10, 60])
async def test_a_request_that_is_lost_on_its_way_takes_its_own_time(loom_bridge, me, timeout):
    async with loom_bridge.run(me):
        with loom_bridge.faults.drop(kind="publish", topic="t") as lost:
            request = asyncio.create_task(me.context().request("t", timeout=timeout))
            await lost.happened()
            await loom_bridge.advance(timeout - 0.001)
            assert not request.done()
            await loom_bridge.advance(0.001)
            with pytest.raises(DeadlineExceeded, match=f"no reply to t within {timeout} s"):
                await request


async def test_a_handler_that_raises_tells_who_asked_at_once(me, other, start):
    @other.on("t")
    async def fail(ctx: Context) -> None:
        raise RuntimeError("boom")

    await start(other, me)
    begin = time.monotonic()
    with pytest.raises(HandlerError, match=r"fail of other raised RuntimeError: boom") as caught:
        await me.context().request("t")
    assert time.monotonic() - begin < AT_ONCE
    assert caught.value.code == "HANDLER_ERROR"


async def test_a_payload_that_does_not_fit_is_invalid_input_with_its_path(me, other, start):
    @other.on("t")
    async def handle(paper: Paper) -> None: ...

    await start(other, me)
    with pytest.raises(InvalidInput) as caught:
        await me.context().request("t", {"title": 3})
    assert caught.value.path == "title"


async def test_an_error_of_loom_keeps_its_kind_across_agents(me, other, start):
    @other.on("t")
    async def handle(ctx: Context) -> None:
        await ctx.tool("nowhere")

    await start(other, me)
    with pytest.raises(CapabilityNotFound, match="nowhere"):
        await me.context().request("t")


async def test_one_good_reply_wins_over_errors(me, start):
    bad, good = Agent("bad"), Agent("good")
    failed = asyncio.Event()

    @bad.on("t")
    async def fail(ctx: Context) -> None:
        failed.set()
        raise RuntimeError("boom")

    @good.on("t")
    async def answer(ctx: Context) -> None:
        await failed.wait()
        await ctx.reply("fine")

    await start(bad, good, me)
    assert await me.context().request("t") == "fine"


async def test_the_first_handler_to_fail_is_told_once_all_have_run(me, other, start):
    @other.on("t")
    async def fail(ctx: Context) -> None:
        raise RuntimeError("boom")

    @other.on("t")
    async def answer(ctx: Context) -> None:
        await ctx.reply("fine")

    await start(other, me)
    assert await me.context().request("t") == "fine"


async def test_a_request_inside_a_handler_works_also_in_a_circle(me, other, start):
    @me.on("begin")
    async def begin(ctx: Context) -> None:
        await ctx.reply(["me", *await ctx.request("middle")])

    @other.on("middle")
    async def middle(ctx: Context) -> None:
        await ctx.reply(["other", await ctx.request("end")])

    @me.on("end")
    async def end(ctx: Context) -> None:
        await ctx.reply("me again")

    await start(me, other)
    assert await other.context().request("begin", timeout=5) == ["me", "other", "me again"]


async def test_a_reply_to_nobody(me, other, start):
    errors = asyncio.Queue()

    @other.on("t")
    async def handle(ctx: Context) -> None:
        try:
            await ctx.reply("x")
        except Exception as error:
            await errors.put(error)

    await start(other, me)
    await me.context().emit("t")
    asked_for_none = await errors.get()
    assert isinstance(asked_for_none, PublishRefused)
    assert "asked for no reply" in asked_for_none.message
    await me.context().emit("t", reply_to="agent.gone.replies")
    gone = await errors.get()
    assert isinstance(gone, AgentGone)
    assert gone.code == "AGENT_GONE"


# Deadlines.


async def test_a_deadline_is_inherited_across_requests_and_calls(me, other, start):
    third = Agent("third")

    @other.on("t")
    async def handle(ctx: Context) -> None:
        await ctx.reply([ctx.remaining, *await ctx.tool("deep")])

    @third.capability("deep")
    async def deep(ctx: Context) -> list[float]:
        with pytest.raises(DeadlineExceeded):
            await ctx.request("quiet", timeout=60)
        return [ctx.remaining or 0.0]

    third.subscribe("quiet")
    await start(other, third, me)
    assert me.context().remaining is None
    begin = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await me.context().request("t", timeout=0.3)
    assert time.monotonic() - begin < 0.3 + AT_ONCE


async def test_a_handler_knows_how_long_who_asked_still_waits(me, other, start):
    left = asyncio.Queue()

    @other.on("t")
    async def handle(ctx: Context) -> None:
        await left.put(ctx.remaining)
        if ctx.event.envelope.reply_to:
            await ctx.reply()

    await start(other, me)
    await me.context().request("t", timeout=20)
    assert 15 < await left.get() <= 20
    await me.context().emit("t", ttl=20)  # nobody waits for it
    assert await left.get() is None


@pytest.mark.parametrize("act", ["request", "tool", "barrier"])
async def test_a_timeout_is_seconds_above_0(me, start, act):
    await start(me)
    with pytest.raises(InvalidInput, match="give seconds above 0"):
        await getattr(me.context(), act)("t", timeout=0)


async def test_agents_that_are_named_are_missing_where_nobody_hears_the_topic(me, start):
    await start(me)
    begin = time.monotonic()
    barrier = await me.context().barrier("nobody.there", of=["x", "y"], timeout=30)
    assert (barrier.replies, barrier.missing, barrier.complete) == ({}, ["x", "y"], False)
    assert time.monotonic() - begin < AT_ONCE
    with pytest.raises(NoSubscribers):
        await me.context().barrier("nobody.there", of=2)
