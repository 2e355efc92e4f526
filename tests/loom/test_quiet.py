"""When an event loop is quiet: after all the consequences of what came in, and not before."""

import asyncio

from loom import quiet as quiet_module
from loom.quiet import when_quiet


def asked(loop=None):
    """Asks for quiet. Answers what will be told."""
    told = asyncio.get_running_loop().create_future()

    def tell(is_quiet):
        if not told.done():
            told.set_result(is_quiet)

    when_quiet(loop or asyncio.get_running_loop(), tell)
    return told


async def test_it_waits_for_all_that_follows():
    steps = []

    async def chain(length):
        for step in range(length):
            await asyncio.sleep(0)
            steps.append(step)

    task = asyncio.create_task(chain(30))
    assert await asked()
    assert len(steps) == 30
    assert task.done()


async def test_tasks_that_wait_are_quiet():
    waiting = asyncio.create_task(asyncio.Event().wait())
    assert await asked()
    assert not waiting.done()
    waiting.cancel()


async def test_several_may_ask():
    assert list(await asyncio.gather(asked(), asked(), asked())) == [True, True, True]


async def test_who_asks_when_told_is_told_again():
    loop = asyncio.get_running_loop()
    times = loop.create_future()

    def again(is_quiet, left=3):
        if left:
            when_quiet(loop, lambda is_quiet: again(is_quiet, left - 1))
        else:
            times.set_result(is_quiet)

    when_quiet(loop, again)
    assert await times


async def test_a_loop_that_never_rests_is_told_as_such(monkeypatch):
    monkeypatch.setattr(quiet_module, "RESTLESS_S", 0.01)

    async def spin():
        while True:  # noqa: ASYNC110 - what never rests is what is looked at
            await asyncio.sleep(0)

    spinning = asyncio.create_task(spin())
    assert not await asked()
    spinning.cancel()


async def test_a_loop_that_does_not_show_its_queue_is_given_rounds():
    class Closed:
        """A loop as uvloop's: its queue is not to be seen."""

        def __init__(self, loop):
            self.call_soon, self.time = loop.call_soon, loop.time

    steps = []

    async def chain():
        for step in range(20):
            await asyncio.sleep(0)
            steps.append(step)

    task = asyncio.create_task(chain())
    assert await asked(Closed(asyncio.get_running_loop()))
    assert len(steps) == 20
    assert task.done()
