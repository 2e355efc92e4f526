"""What can be done in a test's namespace by a thread that may wait."""

from __future__ import annotations

import asyncio

import pytest

from loom.errors import CapabilityNotFound, DeadlineExceeded
from loom.threads import run_in_thread
from loom_testing.harness.errors import HarnessError
from tests.loom_testing.harness.agents import greeter


async def test_it_calls_as_nobody_in_particular(loom_bridge):
    space = loom_bridge.space
    async with loom_bridge.run(greeter()):
        assert await run_in_thread(space.call, "text.length", text="abc") == 3
        assert await run_in_thread(space.call, "text.length", {"text": "abcd"}, raw=True) == b"4"
    with pytest.raises(CapabilityNotFound):
        await run_in_thread(space.call, "text.length", text="abc")


async def test_a_call_that_is_not_answered_ends_by_the_clock_of_the_bridge(loom_bridge):
    async with loom_bridge.probe(offers={"slow": _never}) as probe:
        task = asyncio.create_task(probe.call("slow", timeout=1800))
        async with asyncio.timeout(10):
            while not (await loom_bridge.snapshot()).calls:
                pass
        assert await loom_bridge.advance(1800) == 1
        with pytest.raises(DeadlineExceeded):
            await task


async def _never() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_time_does_not_go_back(loom_bridge, seconds):
    with pytest.raises(HarnessError, match="give seconds from 0 on"):
        loom_bridge.space.advance(seconds)
