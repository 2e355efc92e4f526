"""What a Context does on a real bridge: emit, tool, barrier, gather."""

import asyncio
import time

import pytest
from pydantic import BaseModel

from loom.agent import Agent
from loom.context import Context
from loom.errors import (
    CapabilityError,
    CapabilityNotFound,
    DeadlineExceeded,
    DefinitionError,
    HandlerError,
    InvalidInput,
    InvalidOutput,
    NoSubscribers,
    PayloadError,
    PublishRefused,
)
from loom.event import Event

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


# Emitting.


async def test_an_event_arrives_with_everything_that_was_said_of_it(me, other, start):
    events: asyncio.Queue[Event] = asyncio.Queue()
    other.on("paper.*")(lambda event: None)
    other.on_event(events.put)
    await start(other, me)
    context = me.context("th")
    matched = await context.emit(
        "paper.new",
        Paper(title="x"),
        type="submitted",
        ttl=60,
        metadata={"mine": "1"},
        reply_to="somewhere",
        tags=["a"],
        confidence=0.5,
        priority=3,
    )
    assert matched == 1
    event = await events.get()
    assert (event.topic, event.type, event.into(Paper)) == ("paper.new", "submitted", Paper(title="x"))
    assert (event.envelope.thread_id, event.envelope.sender, event.envelope.ttl_ms) == ("th", "me", 60_000)
    assert (event.envelope.reply_to, event.metadata["mine"]) == ("somewhere", "1")
    assert (event.tags, event.confidence, event.priority, event.source) == (("a",), 0.5, 3, "me")


async def test_emit_counts_its_receivers(me, other, start):
    other.subscribe("t")
    await start(other, me)
    context = me.context()
    assert await context.emit("t") == 1
    assert await context.emit("nobody") == 0
    assert await context.emit("t", confirm=False) == -1


async def test_a_contexts_events_are_one_thread_unless_told_otherwise(me, start):
    threads = []
    seen = asyncio.Event()

    @me.on("t")
    async def note(ctx: Context) -> None:
        threads.append(ctx.envelope.thread_id)
        if len(threads) == 3:
            seen.set()

    await start(me)
    context = me.context()
    await context.emit("t")
    await context.emit("t")
    await context.emit("t", thread_id="mine")
    await seen.wait()
    assert sorted(threads) == sorted([context.envelope.thread_id] * 2 + ["mine"])
    assert me.context().envelope.thread_id != context.envelope.thread_id


@pytest.mark.parametrize("topic", ["", "a..b", "a.*", ">", "é", "a" * 256])
async def test_what_is_no_topic_is_refused_in_one_line(me, start, topic):
    await start(me)
    for act in (me.context().emit, me.context().request, me.context().barrier):
        with pytest.raises(PublishRefused, match="is not a topic: write") as caught:
            await act(topic)
        assert caught.value.code == "INVALID_TOPIC"


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf")])
async def test_what_is_no_time_to_live_is_refused(me, start, ttl):
    await start(me)
    with pytest.raises(InvalidInput, match=r"ttl is .*: give seconds above 0"):
        await me.context().emit("t", ttl=ttl)


async def test_what_is_no_payload_is_refused(me, start):
    await start(me)
    with pytest.raises(PayloadError, match="cannot be written as JSON"):
        await me.context().emit("t", object())


# Tools.


async def test_a_tool_answers(me, other, start):
    @other.capability("paper.title", version="1.0")
    async def title(paper: Paper, upper: bool = False) -> Paper:
        return Paper(title=paper.title.upper() if upper else paper.title)

    await start(other, me)
    context = me.context()
    paper = Paper(title="x")
    assert await context.tool("paper.title", paper=paper) == {"title": "x"}
    assert await context.tool("paper.title", {"paper": paper}, upper=True) == {"title": "X"}
    assert await context.tool("paper.title", paper=paper, into=Paper) == paper
    assert await context.tool("paper.title", b'{"paper": {"title": "y"}}', raw=True) == b'{"title":"y"}'
    assert await context.tool("paper.title", paper=paper, version="1.0") == {"title": "x"}
    with pytest.raises(CapabilityNotFound, match=r"2\.0"):
        await context.tool("paper.title", paper=paper, version="2.0")
    with pytest.raises(InvalidOutput, match=r"the answer of paper\.title does not fit int"):
        await context.tool("paper.title", paper=paper, into=int)


async def test_unhappy_tools(me, other, start):
    @other.capability("work")
    async def work(number: int) -> int:
        if number == 0:
            raise ZeroDivisionError("by zero")
        if number == 1:
            raise CapabilityError("come back tomorrow", code="QUOTA", details={"until": "tomorrow"})
        if number == 2:
            await asyncio.Event().wait()
        return "three"  # type: ignore[return-value]  # the mistake under test

    await start(other, me)
    context = me.context()
    with pytest.raises(CapabilityError, match="work raised ZeroDivisionError: by zero"):
        await context.tool("work", number=0)
    with pytest.raises(CapabilityError, match="come back tomorrow") as quota:
        await context.tool("work", number=1)
    assert (quota.value.code, quota.value.details) == ("QUOTA", {"until": "tomorrow"})
    with pytest.raises(DeadlineExceeded):
        await context.tool("work", number=2, timeout=0.1)
    with pytest.raises(InvalidOutput):
        await context.tool("work", number=3)
    with pytest.raises(InvalidInput) as caught:
        await context.tool("work", number="many")
    assert caught.value.path == "number"
    begin = time.monotonic()
    with pytest.raises(CapabilityNotFound):
        await context.tool("nothing", timeout=30)
    assert time.monotonic() - begin < AT_ONCE


async def test_the_same_call_id_runs_once(me, other, start):
    runs = []

    @other.capability("work")
    async def work(number: int) -> int:
        runs.append(number)
        return len(runs)

    await start(other, me)
    context = me.context()
    assert await context.tool("work", number=1, call_id="key") == 1
    assert await context.tool("work", number=1, call_id="key") == 1
    assert runs == [1]


async def test_giving_a_call_up_cancels_its_capability(me, other, start):
    began, cancelled = asyncio.Event(), asyncio.Event()

    @other.capability("work")
    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    await start(other, me)
    task = asyncio.create_task(me.context().tool("work"))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await cancelled.wait()


# Barriers and gatherings.


async def test_a_barrier_says_what_came_and_who_is_missing(me, start):
    quick, broken, slow = Agent("quick"), Agent("broken"), Agent("slow")

    @quick.on("vote")
    async def vote(ctx: Context, question: str) -> None:
        await ctx.reply(f"yes to {question}")

    @broken.on("vote")
    async def break_down(ctx: Context) -> None:
        raise RuntimeError("boom")

    slow.subscribe("vote")
    await start(quick, broken, slow, me)
    barrier = await me.context().barrier("vote", "it", of=["quick", "broken", "slow", "absent"], timeout=0.3)
    assert barrier.replies == {"quick": "yes to it"}
    assert isinstance(barrier.errors["broken"], HandlerError)
    assert (barrier.missing, barrier.missing_count, barrier.complete) == (["slow", "absent"], 2, False)


async def test_a_barrier_over_all_who_hear_it_ends_when_all_have_answered(me, start):
    agents = [Agent(f"a{number}") for number in range(3)]
    for agent in agents:

        @agent.on("vote")
        async def vote(ctx: Context) -> None:
            await ctx.reply(ctx.agent_id)

    await start(*agents, me)
    begin = time.monotonic()
    barrier = await me.context().barrier("vote", timeout=30)
    assert time.monotonic() - begin < AT_ONCE
    assert barrier.complete
    assert barrier.replies == {"a0": "a0", "a1": "a1", "a2": "a2"}
    short = await me.context().barrier("vote", of=5, timeout=30)
    assert (len(short.replies), short.missing_count) == (3, 2)
    assert time.monotonic() - begin < 2 * AT_ONCE


async def test_a_barrier_nobody_hears_fails_at_once(me, start):
    await start(me)
    with pytest.raises(NoSubscribers):
        await me.context().barrier("vote", of=1)


async def test_gathering_calls(me, other, start):
    @other.capability("double")
    async def double(number: int) -> int:
        return 2 * number

    await start(other, me)
    context = me.context()
    gathered = await context.gather(
        context.tool("double", number=1), two=context.tool("double", number=2), bad=context.tool("nothing")
    )
    assert gathered.replies == {0: 2, "two": 4}
    assert isinstance(gathered.errors["bad"], CapabilityNotFound)
    assert (gathered.missing, gathered.complete) == ([], False)


# The rest.


async def test_memory_belongs_to_the_thread(me, start):
    await start(me)
    await me.context("a").memory.set("key", 1)
    assert await me.context("a").memory.get("key") == 1
    assert await me.context("b").memory.get("key") is None


async def test_outside_of_a_handler_there_is_no_event(me, start):
    await start(me)
    with pytest.raises(DefinitionError, match="there is no event here"):
        _ = me.context().event
    with pytest.raises(DefinitionError, match="there is no event here"):
        await me.context().reply("x")


async def test_its_log_says_who_and_in_which_thread(me, start, caplog):
    await start(me)
    me.context("th").log.warning("look")
    (record,) = [record for record in caplog.records if record.message == "look"]
    assert (record.name, record.agent_id, record.thread_id) == ("loom.agent.me", "me", "th")


async def test_a_synchronous_handler_blocks_on_what_it_needs(me, other, start):
    @other.on("t")
    def handle(ctx: Context, number: int) -> None:
        answer = ctx.block_on(ctx.tool("double", number=number))
        ctx.block_on(ctx.reply([answer, ctx.remaining]))

    @other.capability("double")
    def double(number: int) -> int:
        return 2 * number

    await start(other, me)
    answer, left = await me.context().request("t", 21, timeout=20)
    assert answer == 42
    assert 15 < left <= 20


async def test_on_the_loop_blocking_is_refused(me, start):
    await start(me)
    context = me.context()
    with pytest.raises(DefinitionError, match="await the coroutine instead"):
        context.block_on(context.emit("t"))
