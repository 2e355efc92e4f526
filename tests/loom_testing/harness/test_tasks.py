import asyncio

import pytest

from loom import Agent
from loom_testing import FakeBridge
from loom_testing.harness import tasks
from loom_testing.harness.forgotten import Forgotten
from loom_testing.harness.tasks import forget_loops, note_loop, tasks_left


@pytest.fixture(autouse=True)
def forgotten():
    yield
    forget_loops()


@pytest.fixture
def loop():
    """A loop that no test runner closes."""
    forget_loops()
    loop = asyncio.new_event_loop()
    yield loop
    forget_loops()
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
    loop.close()


async def waits():
    await asyncio.Event().wait()


def test_a_task_that_was_started_since_and_goes_on_is_left(loop, monkeypatch):
    monkeypatch.setattr(tasks, "GRACE_S", 0.01)

    async def test():
        before = asyncio.create_task(waits())
        note_loop()
        note_loop()
        return before, asyncio.create_task(waits(), name="poller")

    kept = loop.run_until_complete(test())
    (found,) = tasks_left()
    assert found.startswith("task 'poller', waits() at ")
    assert "test_tasks.py:" in found
    assert len(kept) == 2


def test_a_task_of_others_code_is_told_by_who_made_it(loop, monkeypatch):
    monkeypatch.setattr(tasks, "GRACE_S", 0.01)

    async def test():
        note_loop()
        return asyncio.create_task(asyncio.sleep(9), name="nap")

    with Forgotten():
        kept = loop.run_until_complete(test())
    (found,) = tasks_left()
    assert found.startswith(f"task 'nap', sleep(), made at {__file__}:")
    assert not kept.done()


def test_a_task_that_is_about_to_end_is_not(loop):
    async def test():
        note_loop()
        return asyncio.create_task(asyncio.sleep(0))

    kept = loop.run_until_complete(test())
    assert tasks_left() == []
    assert kept.done()


def test_a_loop_that_closes_tells_what_was_left_on_it():
    forget_loops()
    kept = []

    async def test():
        note_loop()
        kept.append(asyncio.create_task(waits(), name="poller"))
        kept.append(asyncio.create_task(asyncio.sleep(0), name="quick"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(test())
    (found,) = tasks_left()
    assert found.startswith("task 'poller', waits() at ")


def test_a_loop_that_closes_clean_or_was_not_noted_tells_nothing():
    forget_loops()

    async def clean():
        note_loop()

    async def stranger():
        asyncio.create_task(waits())  # noqa: RUF006 - it is left on purpose

    asyncio.run(clean())
    asyncio.run(stranger())
    assert tasks_left() == []


def test_an_agent_is_called_one():
    forget_loops()

    async def test():
        async with FakeBridge() as bridge:
            note_loop()
            await Agent("forgotten", endpoint=bridge.address).start()
            agent = Agent("kept", endpoint=bridge.address)
            await agent.start()
            return agent

    async def clean():
        async with FakeBridge() as bridge:
            note_loop()
            async with Agent("stopped", endpoint=bridge.address):
                pass

    asyncio.run(clean())
    assert tasks_left() == []
    asyncio.run(test())
    assert tasks_left() == [
        f"agent {name!r} is still connected: stop it, or run it inside `async with`"
        for name in ("forgotten", "kept")
    ]
