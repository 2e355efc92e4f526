"""What can be done in a test's namespace by a thread that may wait."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from loom.errors import CapabilityNotFound, DeadlineExceeded
from loom.threads import run_in_thread
from loom_testing.harness.errors import HarnessError
from tests.loom_testing.harness.agents import greeter

PATIENCE_S = 10.0


async def test_it_calls_as_nobody_in_particular(loom_bridge):
    space = loom_bridge.space
    async with loom_bridge.run(greeter()):
        assert await run_in_thread(space.call, "text.length", text="abc") == 3
        assert await run_in_thread(space.call, "text.length", {"text": "abcd"}, raw=True) == b"4"
    with pytest.raises(CapabilityNotFound):
        await run_in_thread(space.call, "text.length", text="abc")


async def test_a_coroutine_calls_without_a_thread_of_its_own(loom_bridge):
    space, threads = loom_bridge.space, set(threading.enumerate())
    async with loom_bridge.run(greeter()):
        assert await space.call_from_loop("text.length", text="abc") == 3
        assert await space.call_from_loop("text.length", {"text": "abcd"}, raw=True) == b"4"
    assert not [thread for thread in set(threading.enumerate()) - threads if thread.name.startswith("loom")]
    with pytest.raises(CapabilityNotFound):
        await space.call_from_loop("text.length", text="abc")


async def test_a_call_that_is_cancelled_is_given_up_at_the_bridge(loom_bridge):
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up.set()
            raise

    async with loom_bridge.probe(offers={"slow": endless}):
        task = asyncio.create_task(loom_bridge.call("slow"))
        async with asyncio.timeout(PATIENCE_S):
            await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(PATIENCE_S):
            await given_up.wait()


async def test_a_call_that_is_not_answered_ends_by_the_clock_of_the_bridge(loom_bridge):
    async with loom_bridge.probe(offers={"slow": _never}) as probe:
        task = asyncio.create_task(probe.call("slow", timeout=1800))
        await loom_bridge.settle()
        assert [call.capability for call in (await loom_bridge.snapshot()).calls] == ["slow"]
        assert await loom_bridge.advance(1800) == 1
        with pytest.raises(DeadlineExceeded):
            await task


async def _never() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_time_does_not_go_back(loom_bridge, seconds):
    with pytest.raises(HarnessError, match="give seconds from 0 on"):
        loom_bridge.space.advance(seconds)


@pytest.mark.parametrize("given", ["3", None, True, timedelta(minutes=30)])
def test_time_is_moved_by_a_number(loom_bridge, given):
    with pytest.raises(HarnessError, match=r"give seconds as a number, as in advance\(30\)"):
        loom_bridge.sync.advance(given)
