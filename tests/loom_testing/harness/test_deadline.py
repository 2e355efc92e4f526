import asyncio
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from loom_testing.harness import deadline as deadlines
from loom_testing.harness.deadline import Deadline
from loom_testing.harness.errors import HangError


def never_asked() -> str:
    raise AssertionError("nothing hangs")


def test_what_ends_in_time_is_left_alone():
    before = threading.active_count()
    with Deadline(60, never_asked):
        pass
    assert threading.active_count() == before
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_an_error_of_its_own_stays_its_own():
    with pytest.raises(KeyError), Deadline(60, never_asked):
        raise KeyError


def test_a_task_is_cancelled():
    async def hangs():
        with Deadline(0.01, lambda: "it waits") as deadline:
            deadline.watch(asyncio.current_task())
            await asyncio.Event().wait()

    with pytest.raises(HangError, match="it waits"):
        asyncio.run(hangs())


def test_a_thread_that_blocks_is_interrupted():
    with pytest.raises(HangError, match="it waits"), Deadline(0.01, lambda: "it waits"):
        threading.Event().wait(60)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_one_that_is_interrupted_before_it_begins_leaves_nothing_behind():
    deadline: Any = Deadline(60, never_asked)
    start, threads = deadline._timer.start, threading.active_count()

    def start_and_be_over():
        start()
        signal.raise_signal(signal.SIGALRM)

    deadline._timer.start = start_and_be_over
    with pytest.raises(HangError):
        deadline.__enter__()
    deadline.lift()
    deadline._timer.join(5)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    assert threading.active_count() == threads


def test_one_that_has_just_ended_is_not_interrupted():
    with Deadline(60, never_asked) as deadline:
        pass
    deadline._interrupt(signal.SIGALRM, None)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(deadlines, "CUT_S", 0.05)


async def stubborn(catches):
    while True:
        try:
            await asyncio.Event().wait()
        except catches:
            continue


@pytest.mark.parametrize("catches", [asyncio.CancelledError, BaseException])
@pytest.mark.parametrize("helped", [False, True])
def test_a_task_that_will_not_be_cancelled_is_ended_all_the_same(impatient, catches, helped):
    async def test():
        deadline.watch(asyncio.current_task())
        if helped:
            await asyncio.gather(stubborn(catches), stubborn(catches))
        await stubborn(catches)

    with pytest.raises(HangError, match="it waits"), Deadline(0.01, lambda: "it waits") as deadline:
        asyncio.run(test())  # which would wait for its end


def test_an_error_where_it_waits_lets_it_clean_up(impatient):
    cleaned = []

    async def test():
        deadline.watch(asyncio.current_task())
        try:
            await stubborn(asyncio.CancelledError)
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    with pytest.raises(HangError, match="it waits"), Deadline(0.01, lambda: "it waits") as deadline:
        asyncio.run(test())
    assert cleaned == [True]


@pytest.mark.parametrize("catches", [Exception, BaseException])
def test_code_that_catches_the_interruption_is_interrupted_until_it_ends(impatient, catches):
    former = sys.gettrace()

    def goes_on():
        while True:
            try:
                threading.Event().wait(60)
            except catches:
                continue

    with pytest.raises(HangError, match="it waits"), Deadline(0.01, lambda: "it waits"):
        goes_on()
    assert sys.gettrace() is former
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_its_traceback_ends_at_the_tests_own_line():
    with pytest.raises(HangError) as caught, Deadline(0.01, lambda: "it waits"):
        threading.Event().wait(60)
    assert Path(caught.traceback[-1].path) == Path(__file__)


def test_whoever_uses_the_signal_keeps_it():
    called = []
    former = signal.signal(signal.SIGALRM, lambda *_: called.append(1))
    try:
        with Deadline(60, never_asked):
            signal.raise_signal(signal.SIGALRM)
        assert called == [1]
    finally:
        signal.signal(signal.SIGALRM, former)


def test_with_a_debugger_there_is_no_deadline():
    with Deadline(0.05, never_asked) as deadline:
        deadline.lift()
        deadline._timer.join(5)
    assert not deadline._timer.is_alive()
