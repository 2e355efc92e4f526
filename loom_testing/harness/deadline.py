"""`Deadline`: cuts a test that hangs, and says what it was waiting for.

An async test is cancelled, as by a time-out. One that takes no notice is given an error where it waits. A
test that blocks its thread, or goes on after all that, is interrupted there, by a signal where the system has
one and nobody else uses it: again and again, and with less and less that it could do about it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Self

from loom_testing.harness.errors import HangError
from loom_testing.harness.places import frames_from, own_frames, up_to_the_tests_own

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

__all__ = ["Deadline"]

BLOCKED_S = 1.0
"""How long an event loop may take to do anything at all before its thread is interrupted."""
CUT_S = 4.0
"""How long a test that was cut may take to end before the next, harder step."""
MOST_TIMES = 20
SIGNAL = getattr(signal, "SIGALRM", None)

_torn: list[asyncio.Task[Any]] = []
"""Tasks that nothing ends: kept, since to forget them would have their code run once more."""


class _Cut(BaseException):
    """Interrupts code that takes every ordinary error as its own."""


class Deadline:
    """Lets what is inside its `with` take so many seconds of real time.

    Args:
        seconds: how many.
        explain: says what hangs; called from another thread, before anything is cut.

    Raises:
        HangError: from the `with`: time is over. The text is that of `explain`.
    """

    def __init__(self, seconds: float, explain: Callable[[], str]) -> None:
        self._seconds = seconds
        self._explain = explain
        self._over = threading.Event()
        self._text = ""
        self._task: asyncio.Task[Any] | None = None
        self._thread = threading.current_thread()
        self._former: Any = None
        self._former_trace: Any = None
        self._is_inside = False
        self._times = 0
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.name = "loom-deadline"

    def watch(self, task: asyncio.Task[Any] | None) -> None:
        """The test runs in this task."""
        self._task = task

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The task that the test runs in; None for a plain test."""
        return self._task

    def lift(self) -> None:
        """Somebody looks at the test with a debugger: it may take as long as it likes."""
        self._timer.cancel()

    def __enter__(self) -> Self:
        if SIGNAL and self._is_main and signal.getsignal(SIGNAL) == signal.SIG_DFL:
            self._former = signal.signal(SIGNAL, self._interrupt)
        self._former_trace = sys.gettrace()
        self._timer.start()
        self._is_inside = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self._over.set()
        if self._times > 1:
            sys.settrace(self._former_trace)
        self._timer.cancel()
        self._timer.join()
        if SIGNAL and self._former is not None:
            signal.signal(SIGNAL, self._former)
        if self._text and kind is not None:
            raise HangError(self._text).with_traceback(up_to_the_tests_own(trace)) from None

    @property
    def _is_main(self) -> bool:
        return self._thread is threading.main_thread()

    # In a thread of its own, when time is over.

    def _cut(self) -> None:
        text = self._explain()
        if self._over.is_set():
            return
        self._text = text
        if self._task is not None:
            loop = self._task.get_loop()
            for step in (self._task.cancel, self._throw, self._tear):
                if not self._done_by(loop, step):  # it is blocked: no step of it would be taken
                    break
                if step != self._tear and self._over.wait(CUT_S):
                    return
        while self._times < MOST_TIMES and not self._over.is_set():
            self._times += 1
            self._interrupt_thread()
            self._over.wait(CUT_S)

    def _done_by(self, loop: asyncio.AbstractEventLoop, step: Callable[[], object]) -> bool:
        """Has the loop take a step, unless it is blocked."""
        taken = threading.Event()

        def take() -> None:
            taken.set()
            if not self._times and not self._over.is_set():
                step()

        try:
            loop.call_soon_threadsafe(take)
        except RuntimeError:  # the test closed it itself
            return False
        return taken.wait(BLOCKED_S)

    def _interrupt_thread(self) -> None:
        if self._thread.ident is not None and SIGNAL and self._former is not None:
            signal.pthread_kill(self._thread.ident, SIGNAL)

    # On the test's event loop.

    def _stubborn(self) -> list[asyncio.Task[Any]]:
        """What was cancelled, and goes on."""
        assert self._task is not None
        tasks = asyncio.all_tasks(self._task.get_loop())
        return [task for task in tasks if not task.done() and (task is self._task or task.cancelling())]

    def _throw(self) -> None:
        """Who catches cancellation may not catch this: an error from whatever is waited for."""
        for task in self._stubborn():
            awaited: Any = getattr(task, "_fut_waiter", None)
            if awaited is None or isinstance(awaited, asyncio.Task) or hasattr(awaited, "_children"):
                continue
            if not awaited.done():
                awaited.set_exception(HangError(self._text))

    def _tear(self) -> None:
        """Whoever closes the loop would wait for these for ever: it shall not know of them."""
        for task in self._stubborn():
            asyncio.tasks._unregister_task(task)  # noqa: SLF001 - documented
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - and known
            _torn.append(task)

    # In the test's thread.

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Wherever that is, also where it enters or leaves the `with`."""
        if self._over.is_set():
            return
        if not self._is_inside or self._times >= MOST_TIMES:
            signal.signal(number, self._former)  # who is interrupted while entering does not leave
        if self._times <= 1:
            raise HangError(self._text)
        if self._times > 2:
            _end_where_it_is_caught(frame)
        raise _Cut


def _end_where_it_is_caught(frame: FrameType | None) -> None:
    """Whatever line of the test's own comes next, also of an `except:` that catches all, raises again."""
    for own in own_frames(list(frames_from(frame))):
        own.f_trace = _raise_again
    sys.settrace(_look_at_none)


def _raise_again(frame: FrameType, event: str, argument: Any) -> Any:
    # The interruption itself is an event, too: to raise then would be to raise for nothing.
    if event == "line":
        raise _Cut
    return _raise_again


def _look_at_none(frame: FrameType, event: str, argument: Any) -> None:
    """What is called from there is let be: others' code may hold locks."""
