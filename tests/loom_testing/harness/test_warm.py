"""What is kept for an event loop that serves more tests than one."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from loom import Agent
from loom.endpoint import Endpoint
from loom_testing.harness import warm
from loom_testing.harness.host import RemoteHost
from tests.loom.base_level import BaseLevelBridge
from tests.loom_testing.harness.agents import greeter

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def loops():
    """Two event loops, with nothing kept for any."""
    warm.let_go()
    made = asyncio.new_event_loop(), asyncio.new_event_loop()
    yield made
    warm.let_go()
    for loop in made:
        loop.close()


@pytest.fixture(scope="module")
def loop_of_several_tests():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def use(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop | None:
    """A loop is used; which one something is kept for then."""

    async def used() -> None:
        warm.loop_used()

    loop.run_until_complete(used())
    return warm.kept_for()


def test_a_loop_that_serves_a_second_test_is_kept_warm(loops):
    loop, _ = loops
    warm.begin_test(NOWHERE)
    assert use(loop) is None
    warm.begin_test(NOWHERE)
    assert [use(loop), use(loop)] == [loop, loop]


def test_a_loop_of_one_test_is_not_however_often_it_is_used(loops):
    loop, _ = loops
    warm.begin_test(NOWHERE)
    assert [use(loop) for _ in range(3)] == [None, None, None]


def test_another_loop_lets_go_of_the_one_before_also_where_that_is_closed(loops):
    first, second = loops
    use(first)
    warm.begin_test(NOWHERE)
    assert use(first) is first
    first.close()
    assert use(second) is None
    warm.begin_test(NOWHERE)
    assert use(second) is second


def test_the_end_of_a_runs_bridge_lets_go(loops):
    loop, _ = loops
    use(loop)
    warm.begin_test(NOWHERE)
    assert use(loop) is loop
    RemoteHost("127.0.0.1:1").close()
    assert warm.kept_for() is None


async def test_the_connection_stays_with_what_is_kept():
    """By the second test of a loop on: tests of it that come one after the other come by one connection."""
    async with BaseLevelBridge() as bridge:
        for _ in range(4):
            warm.begin_test(bridge.address)
            warm.loop_used()
            async with Agent("me", endpoint=Endpoint(bridge.address, shares_connection=True)):
                pass
        warm.let_go()
    of_the_first = len(bridge.peers) // 4
    assert len(set(bridge.peers[of_the_first:])) == 1  # gRPC may not have closed that of the first by then


def test_there_must_be_a_loop():
    with pytest.raises(RuntimeError, match="no running event loop"):
        warm.loop_used()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_tests_of_one_loop_are_served(loop_of_several_tests, loom_bridge, number):
    async def one() -> int:
        async with loom_bridge.run(greeter()):
            return int(await loom_bridge.call("text.length", text="x" * number))

    assert loop_of_several_tests.run_until_complete(one()) == number


PROGRAM = """
import asyncio
import threading
import grpc.aio
from loom_testing.harness import warm

def readers():
    return {thread.ident for thread in threading.enumerate() if "_poll_wrapper" in thread.name}

async def test():
    warm.begin_test("127.0.0.1:1")
    warm.loop_used()
    async with grpc.aio.insecure_channel("127.0.0.1:1"):
        assert len(readers()) == 1
    return readers()

async def tests():
    assert await test() == set()
    second, third = await test(), await test()
    assert len(second) == 1
    assert second == third
    warm.let_go()
    assert readers() == set()

asyncio.run(tests())
"""


def test_what_is_kept_is_the_thread_by_which_grpc_reads():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
