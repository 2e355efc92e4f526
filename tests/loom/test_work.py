"""Work, and when it rests."""

import asyncio
import contextvars
import importlib
import threading

import pytest

from loom import work as work_module
from loom.threads import run_in_thread
from loom.work import Work, current_work, resting, work_in
from tests.loom.standing import quiet


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def context(work):
    context = contextvars.copy_context()
    work_in(context, work)
    return context


def test_outside_of_any_work_nothing_rests():
    assert current_work() is None
    with resting():
        assert current_work() is None


def test_work_rests_while_a_block_runs_also_one_inside_another(work, context):
    def run():
        assert current_work() is work
        with resting():
            with resting():
                assert work.rests == 2
            assert work.rests == 1
        assert work.rests == 0

    context.run(run)


def test_it_rests_no_more_after_an_error(work, context):
    def run():
        with pytest.raises(ValueError, match="planted"), resting():
            raise ValueError("planted")

    context.run(run)
    assert work.rests == 0


async def test_tasks_and_threads_are_part_of_the_work_that_began_them(work, context):
    async def inside():
        return current_work()

    async def run():
        return await asyncio.create_task(inside()), await run_in_thread(current_work)

    assert await asyncio.create_task(run(), context=context) == (work, work)
    assert current_work() is None


# Busy or not: where a task stands.


class Stand:
    """A task that does a piece of work, and stands somewhere."""

    def __init__(self, work, context, coroutine):
        self.work = work
        self.task = asyncio.create_task(coroutine, context=context)

    async def is_busy(self):
        await quiet()
        return self.work.is_busy(self.task)


@pytest.fixture
async def stand(work, context):
    stands = []

    def stand(coroutine):
        stands.append(Stand(work, context, coroutine))
        return stands[-1]

    yield stand
    for each in stands:
        each.task.cancel()


async def waits_for(primitive):
    match primitive:
        case asyncio.Event():
            await primitive.wait()
        case asyncio.Queue():
            await primitive.get()
        case asyncio.Condition():
            async with primitive:
                await primitive.wait()
        case _:
            async with primitive:
                pass


@pytest.mark.parametrize("make", [asyncio.Event, asyncio.Queue, asyncio.Condition])
async def test_work_that_waits_for_its_own_program_rests(stand, make):
    assert not await stand(waits_for(make())).is_busy()


@pytest.mark.parametrize("make", [asyncio.Lock, asyncio.Semaphore])
async def test_work_that_waits_for_its_turn_rests(stand, make):
    turn = make()
    async with turn:
        assert not await stand(waits_for(turn)).is_busy()


@pytest.mark.parametrize(
    "make", [lambda: asyncio.sleep(60), lambda: asyncio.wait_for(asyncio.Event().wait(), 60)]
)
async def test_work_that_waits_for_real_time_is_busy(stand, make):
    assert await stand(make()).is_busy()


async def test_work_that_waits_for_a_thread_is_busy(stand):
    release = threading.Event()
    assert await stand(run_in_thread(release.wait)).is_busy()
    release.set()


async def test_work_that_waits_for_a_bare_future_is_busy(stand):
    future = asyncio.get_running_loop().create_future()

    async def run():
        await future

    assert await stand(run()).is_busy()


async def test_work_that_waits_for_a_library_is_busy(stand, work, tmp_path, monkeypatch):
    """A library's event is set by the network, say; the same code is the agent's own where Loom called it."""
    code = "async def wait(event):\n    await event.wait()\n"
    (tmp_path / "library_of_others.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(work_module, "_LIBRARIES", {tmp_path})
    library = importlib.import_module("library_of_others")

    async def mine():
        await library.wait(asyncio.Event())

    assert await stand(mine()).is_busy()
    assert not await stand(library.wait(asyncio.Event())).is_busy()


async def test_work_that_rests_is_not_busy_wherever_it_stands(stand):
    async def run():
        with resting():
            await asyncio.sleep(60)

    assert not await stand(run()).is_busy()
