"""Synchronous functions off the loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from loom.threads import run_in_thread

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def test_it_runs_in_another_thread_and_returns() -> None:
    def work(a: int, *, b: int) -> tuple[int, int]:
        return a + b, threading.get_ident()

    total, thread = await run_in_thread(work, 1, b=2)
    assert total == 3
    assert thread != threading.get_ident()


async def test_context_variables_are_copied() -> None:
    def work() -> str:
        seen = variable.get()
        variable.set("changed")
        return seen

    variable.set("given")
    assert await run_in_thread(work) == "given"
    assert variable.get() == "given"


async def test_the_loop_goes_on_meanwhile() -> None:
    release = threading.Event()
    task = asyncio.create_task(run_in_thread(release.wait, 10))
    await asyncio.sleep(0)
    assert not task.done()
    release.set()
    assert await task is True


@pytest.mark.parametrize("error", [ValueError("v"), KeyboardInterrupt(), SystemExit(3)])
async def test_whatever_it_raises_arrives(error: BaseException) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await run_in_thread(work)
    assert caught.value is error


async def test_stop_iteration_does_not_hang() -> None:
    def work() -> None:
        next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        await run_in_thread(work)


async def test_a_cancelled_caller_does_not_wait() -> None:
    started, release, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        release.wait(10)
        ended.set()

    task = asyncio.create_task(run_in_thread(work))
    await run_in_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not ended.is_set()
    release.set()
    assert await run_in_thread(ended.wait, 10)


def test_a_loop_that_is_gone_does_no_harm() -> None:
    started, release = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        release.wait(10)

    async def leave() -> None:
        task = asyncio.create_task(run_in_thread(work))
        await run_in_thread(started.wait, 10)
        task.cancel()

    asyncio.run(leave())
    threads = [thread for thread in threading.enumerate() if thread.name == "loom-work"]
    release.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
