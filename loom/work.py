"""What an agent is at: events being handled, calls being answered. A test's clock asks who is busy (CTL-3).

Work is at rest while it waits for the bridge or for Loom's clock: it goes on when a message or a time comes.
So it is while it waits for an `asyncio.Event`, `Lock`, `Condition`, `Semaphore` or `Queue` of its own
program: what could end that is work too, and is looked at itself, or it is the test, which waits for the
clock. All else that it may wait for (a computation, `asyncio.sleep`, a file, a thread, another service) takes
real time, and keeps it busy.
"""

from __future__ import annotations

import sysconfig
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    import contextvars
    from collections.abc import Iterator

__all__ = ["Work", "current_work", "resting", "work_in"]

PRIMITIVES = ("asyncio.locks", "asyncio.queues")
OURS = ("loom", "loom_testing", "asyncio", "contextlib")

_current: ContextVar[Work | None] = ContextVar("loom_work", default=None)


class Work:
    """One piece of work.

    Attributes:
        rests: how many things that end its rest it waits for now.
    """

    __slots__ = ("rests",)

    def __init__(self) -> None:
        self.rests = 0

    def is_busy(self, task: asyncio.Task[Any]) -> bool:
        """Whether it is not at rest.

        Args:
            task: the one that does it.
        """
        return not self.rests and not _waits_for_its_program(task)


def current_work() -> Work | None:
    """The work that this code is part of, in tasks and threads begun by it too; None outside of any."""
    return _current.get()


def work_in(context: contextvars.Context, work: Work) -> None:
    """What runs in a context is part of this work."""
    context.run(_current.set, work)


class resting:  # noqa: N801 (reads as what it does: with resting():)
    """The work being done, if any, waits for the bridge or for Loom's clock while the block runs."""

    __slots__ = ("_work",)

    def __enter__(self) -> None:
        self._work = _current.get()
        if self._work is not None:
            self._work.rests += 1

    def __exit__(self, *exc: object) -> None:
        if self._work is not None:
            self._work.rests -= 1


def _waits_for_its_program(task: asyncio.Task[Any]) -> bool:
    """Whether a task waits for one of asyncio's primitives, and code of its own program said so.

    A library's waits do not count: those of network clients are ended by the network.
    """
    places = list(_places(task))
    waits = False
    while places and places[-1][0] in PRIMITIVES:
        places.pop()
        waits = True
    if not (waits and places):
        return False
    module, file = places[-1]
    if not any(Path(file).is_relative_to(folder) for folder in _LIBRARIES):
        return True
    # An agent may be installed like a library: its own package is that of the function that Loom called.
    called = next((_package(name) for name, _ in places if _package(name) not in OURS), "")
    return _package(module) == called


def _places(task: asyncio.Task[Any]) -> Iterator[tuple[str, str]]:
    """The modules and files that a task stands in, the innermost last."""
    coroutine: Any = task.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        if frame is not None:
            yield frame.f_globals.get("__name__", ""), frame.f_code.co_filename
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)


def _package(module: str) -> str:
    return module.partition(".")[0]


_LIBRARIES = {
    Path(folder) for name, folder in sysconfig.get_paths().items() if name.endswith(("lib", "stdlib"))
}
