"""Async tests run where no plugin for asyncio is there, or none was told to run them."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TEST = """
import asyncio


async def test_a_bridge(loom_bridge):
    asyncio.get_running_loop()
    assert not (await loom_bridge.snapshot()).agents


async def test_agents(loom_agent):
    async with loom_agent("one") as one:
        assert one.is_running
"""


@pytest.mark.parametrize(
    "others",
    [("-p", "no:asyncio"), ("-p", "no:asyncio", "-p", "no:anyio"), ("-o", "asyncio_mode=strict")],
    ids=["anyio", "neither", "strict"],
)
def test_an_async_test_that_asks_for_a_bridge_is_run(pytester: pytest.Pytester, others: tuple[str, ...]):
    pytester.makepyfile(TEST)
    result = pytester.runpytest_subprocess("--strict-markers", "-p", "no:randomly", *others)
    result.assert_outcomes(passed=2)


def test_an_async_test_of_somebody_else_is_left_alone(pytester: pytest.Pytester):
    pytester.makepyfile("async def test_it(): pass")
    result = pytester.runpytest_subprocess("-p", "no:asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*async def functions are not natively supported*"])
