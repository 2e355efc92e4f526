"""A test that hangs is cut, and told what it was waiting for."""

from __future__ import annotations

import pytest

from tests.loom_testing.plugged import Project

pytest_plugins = ["pytester"]

HANGS = """
import asyncio, threading

import pytest

from greeter import agent


async def test_an_event_that_never_comes(loom_bridge):
    async with loom_bridge.run(agent):
        await asyncio.Event().wait()  # for ever


def test_a_lock_that_nobody_opens(loom_bridge):
    threading.Event().wait()  # for ever


@pytest.mark.loom(deadline=60)
async def test_one_that_takes_its_time(loom_bridge):
    await asyncio.sleep(1.2)
"""


@pytest.mark.parametrize("mode", ["auto", "own"])
def test_a_test_that_hangs_is_cut(pytester: pytest.Pytester, mode: str):
    options = {
        "auto": ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
        "own": ("-p", "no:asyncio"),
    }[mode]
    result = Project(pytester, test_hangs=HANGS).run("-p", "no:randomly", "--loom-deadline=1", *options)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*the test did not end within 1 s (--loom-deadline). It waits here:",
            "*test_hangs.py:10 in test_an_event_that_never_comes: await asyncio.Event().wait()  # for ever*",
            "*On the bridge:",
            "*agent 'greeter': streaming*",
            "*test_hangs.py:14 in test_a_lock_that_nobody_opens: threading.Event().wait()  # for ever*",
        ]
    )


@pytest.mark.parametrize("given", ["0", "-1", "soon"])
def test_a_deadline_is_seconds_above_0(pytester: pytest.Pytester, given: str):
    result = Project(pytester).run(f"--loom-deadline={given}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--loom-deadline (or loom_deadline) is '{given}': give seconds above 0"])


STUBBORN = """
import asyncio, time

import pytest

from greeter import agent
from loom_testing.harness import deadline

deadline.CUT_S = deadline.BLOCKED_S = 0.3
pytestmark = pytest.mark.loom(deadline=0.5)


async def test_that_swallows_its_cancellation(loom_bridge):
    async with loom_bridge.run(agent):
        while True:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                pass


def test_that_swallows_all(loom_bridge):
    while True:
        try:
            time.sleep(600)
        except:
            pass


async def test_that_blocks_its_loop(loom_bridge):
    async with loom_bridge.run(agent):
        time.sleep(600)  # the line


def test_plain(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.run(agent), bridge.stub_capability("slow").after(600).returns(1):
        bridge.call("slow")  # the line


async def test_that_comes_after(loom_bridge):
    async with loom_bridge.run(agent):
        assert await loom_bridge.call("text.length", text="abc") == 3
"""


def test_one_that_takes_no_notice_is_ended_all_the_same(pytester: pytest.Pytester):
    auto = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
    result = Project(pytester, test_stubborn=STUBBORN).run("-p", "no:randomly", *auto)
    result.assert_outcomes(passed=1, failed=4)
    assert len([line for line in result.outlines if "(deadline=0.5 of its marker)" in line]) >= 4
    told = [line for line in result.outlines if line.startswith("E  ") and "# the line" in line]
    assert [line.split(" in ")[1].split(":")[0] for line in told] == [
        "test_that_blocks_its_loop",
        "test_plain",
    ]
    assert not any("grpc" in line and line.startswith("E ") for line in result.outlines)
