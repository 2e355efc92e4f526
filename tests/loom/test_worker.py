"""A running agent, where it meets the bridge's bookkeeping."""

import asyncio

import pytest

from loom.agent import Agent
from loom.context import Context
from loom.errors import (
    AgentGone,
    BridgeUnavailable,
    CapabilityNotFound,
    DeadlineExceeded,
    HandlerError,
    InvalidInput,
    InvalidOutput,
)
from loom.v1 import event_pb2
from tests.loom.conftest import Seen
from tests.loom.standing import quiet


async def test_a_call_that_was_given_up_frees_its_place(start):
    """ACT-7: the bridge keeps the place of a given-up call until its provider has answered."""
    me, other = Agent("me"), Agent("other")
    begun = asyncio.Event()

    @me.capability("work", max_concurrency=1)
    async def work(forever: bool) -> str:
        begun.set()
        if forever:
            await asyncio.Event().wait()
        return "done"

    await start(me, other)
    call = asyncio.create_task(other.context().tool("work", forever=True))
    await begun.wait()
    call.cancel()
    await asyncio.wait([call])
    assert await other.context().tool("work", forever=False, timeout=5) == "done"
    assert me.counts["calls_cancelled"] == 1


async def test_a_capability_may_stop_its_own_agent(start):
    agent = Agent("me")

    @agent.capability("stop")
    async def stop() -> str:
        await agent.stop(5)
        return "stopped"

    other = Agent("other")
    await start(agent, other)
    ended = asyncio.create_task(agent.wait())
    with pytest.raises(AgentGone):
        await other.context().tool("stop", timeout=10)
    await ended
    assert not agent.is_running


async def test_stopping_twice_at_once_is_stopping_once(start):
    agent, began, go = Agent("me"), asyncio.Event(), asyncio.Event()

    @agent.on("t")
    async def handle() -> None:
        began.set()
        await go.wait()

    await start(agent)
    await agent.context().emit("t")
    await began.wait()
    stops = [asyncio.create_task(agent.stop(10)) for _ in range(2)]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*stops)
    assert not agent.is_running


async def test_a_lost_connection_cancels_what_nobody_waits_for_any_more(start):
    agent, began, cancelled = Agent("me"), asyncio.Event(), asyncio.Event()

    @agent.capability("work")
    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await start(agent)
    call = asyncio.create_task(agent.context().tool("work"))
    await began.wait()
    agent._worker.lost(BridgeUnavailable("gone"))
    async with asyncio.timeout(5):
        await cancelled.wait()
    call.cancel()


async def test_a_request_without_a_thread_begins_one(start):
    agent, threads = Agent("me"), asyncio.Queue()

    @agent.on("t")
    async def handle(ctx: Context) -> None:
        await threads.put((ctx.envelope.thread_id, ctx.event.id))

    await start(agent)
    await agent._worker._client.publish("t", event_pb2.Event(id="first"))
    await agent._worker._client.publish("t", event_pb2.Event(id="second"))
    assert await threads.get() == ("first", "first")
    assert await threads.get() == ("second", "second")


async def test_what_a_handler_awaits_may_be_cancelled_without_harm(start, caplog):
    agent = Agent("me")

    @agent.on("t")
    async def handle(ctx: Context) -> None:
        task = asyncio.create_task(asyncio.Event().wait())
        task.cancel()
        await task

    await start(agent)
    with pytest.raises(HandlerError, match="something that the handler awaited was cancelled"):
        await agent.context().request("t")
    assert agent.counts["handler_errors"] == 1


async def test_a_call_of_what_is_not_offered_any_more(start):
    agent = Agent("me")

    @agent.capability("work")
    async def work() -> None: ...

    await start(agent)
    agent._worker._capabilities = {}
    with pytest.raises(CapabilityNotFound, match="me offers no work"):
        await agent.context().tool("work")


async def test_everything_that_was_accepted_before_a_stop_is_handled(start):
    agent, other, handled = Agent("me"), Agent("other"), Seen()

    @agent.on("t")
    async def handle(number: int) -> None:
        handled.append(number)

    await start(agent, other)
    context = other.context()
    publishing = [asyncio.create_task(context.emit("t", number)) for number in range(300)]
    await handled.until(lambda: handled)
    await agent.stop()
    accepted = sum(await asyncio.gather(*publishing))
    assert accepted == len(handled)


async def test_a_request_nobody_waits_for_any_more_is_not_begun(start, caplog):
    agent, begun, go = Agent("me"), [], asyncio.Event()

    @agent.on("slow")
    async def slow(ctx: Context, name: str) -> None:
        begun.append(name)
        await go.wait()

    await start(agent)
    context = agent.context()
    await context.emit("slow", "an event waits for nobody")
    with pytest.raises(DeadlineExceeded):
        await context.request("slow", "late", timeout=0.05)
    with pytest.raises(DeadlineExceeded):  # behind it: when this one is given up, the first is past its time
        await context.request("slow", "later", timeout=0.05)
    go.set()
    await quiet()
    assert agent.counts["expired"]
    assert begun[0] == "an event waits for nobody"
    assert "late" not in begun
    assert not caplog.records


async def test_the_handler_of_a_request_ends_with_its_deadline(start, caplog):
    agent, cancelled, quick = Agent("me"), asyncio.Event(), asyncio.Event()

    @agent.on("slow")
    async def slow(name: str) -> None:
        if name == "quick":
            quick.set()
            return
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await start(agent)
    context = agent.context()
    with pytest.raises(DeadlineExceeded):
        await context.request("slow", "forever", timeout=0.05)
    async with asyncio.timeout(5):
        await cancelled.wait()
    await context.emit("slow", "quick")
    async with asyncio.timeout(5):
        await quick.wait()
    assert agent.counts["handled"] == 2
    (record,) = [each for each in caplog.records if "who asked waits no longer" in each.getMessage()]
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]
    assert (agent.counts["expired"], agent.counts.get("handler_errors", 0)) == (1, 0)


async def test_what_is_too_large_for_the_bridge_says_whose_fault_it_is(start):
    agent = Agent("me")

    @agent.capability("work")
    async def work(text: str, times: int) -> str:
        return text * times

    await start(agent)
    context = agent.context()
    with pytest.raises(InvalidOutput, match=r"work: the answer has 50000.. bytes"):
        await context.tool("work", text="x" * 1000, times=5000)
    with pytest.raises(InvalidInput, match=r"the call of work has 50001.. bytes; at most"):
        await context.tool("work", text="x" * 5_000_000, times=1)
    assert await context.tool("work", text="x", times=2) == "xx"
