import asyncio
import threading

import pytest

from loom_testing.harness.hang import STANDS_STILL, explained


async def told(bridge) -> list[str]:
    """What is said of a test, asked from another thread as it is when a test hangs."""
    thread, waiting = threading.get_ident(), threading.Event()

    def look():
        waiting.wait()
        return explained(bridge, 7, thread)

    looking = asyncio.create_task(asyncio.to_thread(look))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(waiting.set)
    return (await looking).splitlines()


async def waits():
    await asyncio.Event().wait()  # here


async def test_it_says_where_each_task_stands(loom_bridge):
    task = asyncio.create_task(waits(), name="waiter")
    await asyncio.sleep(0)
    lines = await told(loom_bridge)
    assert lines[0] == "the test did not end within 7 s (--loom-deadline). It waits here:"
    (line,) = [line for line in lines if "[task waiter]" in line]
    assert "test_hang.py:" in line
    assert "in waits: await asyncio.Event().wait()  # here" in line
    assert any("test_hang.py" in line and "[task Task" in line for line in lines), lines
    task.cancel()


async def test_it_says_what_the_bridge_holds(loom_bridge):
    answer = asyncio.Event()

    async def slow():
        await answer.wait()

    async with loom_bridge.probe("p", offers={"slow": slow}):
        call = asyncio.create_task(loom_bridge.call("slow"))
        while not (await loom_bridge.snapshot()).calls:
            pass
        lines = await told(loom_bridge)
        answer.set()
        await call
    assert lines[-4:] == [
        "On the bridge:",
        "  agent 'p': streaming, 1 call open",
        "  call of 'slow' by nobody in particular: open at 'p'",
        STANDS_STILL,
    ]


@pytest.mark.loom(clock="real")
async def test_a_real_clock_is_not_spoken_of(loom_bridge):
    assert (await told(loom_bridge))[-1] == "On the bridge there are no agents and no calls."


def test_a_plain_test_stands_in_its_own_thread(loom_bridge):
    found = []

    def look(thread):
        found.extend(explained(loom_bridge, 7, thread).splitlines())

    looking = threading.Thread(target=look, args=(threading.get_ident(),))
    looking.start()
    looking.join()
    assert "in test_a_plain_test_stands_in_its_own_thread: looking." in found[1]


async def test_the_test_comes_before_its_other_tasks(loom_bridge):
    mine = asyncio.current_task()
    task = asyncio.create_task(waits(), name="a")
    asking = asyncio.create_task(asyncio.to_thread(explained, loom_bridge, 7, None, task=mine))
    lines = (await asking).splitlines()
    assert "in test_the_test_comes_before_its_other_tasks: lines = (await asking)" in lines[1]
    assert "[task a]" in "".join(lines[2:])
    task.cancel()


def test_it_says_what_applied(loom_bridge):
    said = explained(loom_bridge, 2, None, applied="deadline=2 of its marker")
    assert said.startswith("the test did not end within 2 s (deadline=2 of its marker). It waits here:")


@pytest.mark.loom(clock="auto")
def test_a_clock_that_moves_by_itself_is_not_to_be_moved(loom_bridge):
    assert STANDS_STILL not in explained(loom_bridge, 7, None)


def test_a_plain_test_that_waits_for_the_bridge_is_named_first(loom_bridge):
    thread, found = threading.get_ident(), []

    def answer():
        found.extend(explained(loom_bridge, 7, thread).splitlines())
        return 1

    with loom_bridge.sync.probe(offers={"slow": answer}):
        assert loom_bridge.sync.call("slow") == 1  # here
    assert found[1].endswith('assert loom_bridge.sync.call("slow") == 1  # here')
    assert not any("grpc" in line for line in found)
