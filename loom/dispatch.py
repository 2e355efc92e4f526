"""Deliveries to tasks: in order within a thread of work, in parallel across threads, within a bound.

A lane holds what one thread has waiting; its next delivery starts when the one before is done. Deliveries
without a thread have no order to keep and share none. At most `max_parallel` run at once; the other lanes
wait their turn, first come first served.

One thing may pass the order and the bound: a request that comes in for a thread whose handler here is itself
waiting for an answer. It may well be what that answer depends on (A asks B, and B, to answer, asks A), and
held back it could only time out.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from loom.work import Work, current_work, work_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from typing import Any

__all__ = ["BACKLOG", "CANCEL_S", "Dispatcher", "waiting"]

BACKLOG = 10_000
"""So many deliveries may wait for their turn; beyond it the stream is read no further for a while."""

CANCEL_S = 5.0
"""How long what was cancelled may take to end, seconds."""

_log = logging.getLogger("loom.dispatch")
_T = TypeVar("_T")


@dataclass(slots=True)
class _Lane(Generic[_T]):
    """What one thread has waiting, and what of it runs."""

    thread: str
    queue: deque[_Item[_T]] = field(default_factory=deque)
    running: list[_Ticket] = field(default_factory=list)
    is_due: bool = False


@dataclass(frozen=True, slots=True)
class _Item(Generic[_T]):
    work: _T
    is_request: bool


class _Ticket(Work):
    """One running delivery.

    Attributes:
        waits: how many answers it is waiting for now.
        counted: whether it takes one of the `max_parallel` places.
        told: called when it begins to wait.
    """

    __slots__ = ("counted", "told", "waits")

    def __init__(self, *, counted: bool, told: Callable[[], None]) -> None:
        super().__init__()
        self.waits = 0
        self.counted = counted
        self.told = told


@contextlib.contextmanager
def waiting(*, rests: bool = True) -> Iterator[None]:
    """Marks the work being done, if any, as waiting for an answer while the block runs.

    Args:
        rests: whether it rests meanwhile (`loom.work`); not where the answer may be of another kind.
    """
    work = current_work()
    if work is None:
        yield
        return
    work.rests += rests
    if isinstance(work, _Ticket):
        work.waits += 1
        work.told()
    try:
        yield
    finally:
        work.rests -= rests
        if isinstance(work, _Ticket):
            work.waits -= 1


class Dispatcher(Generic[_T]):
    """Runs deliveries.

    Args:
        handle: handles one; what it raises is a fault of this program and is only logged.
        max_parallel: how many run at once, at least 1.
        backlog: how many may wait before `room` says stop.
        finished: called when one was handled.
    """

    def __init__(
        self,
        handle: Callable[[_T], Coroutine[Any, Any, None]],
        max_parallel: int,
        backlog: int = BACKLOG,
        finished: Callable[[], None] = lambda: None,
    ) -> None:
        self._handle = handle
        self._max_parallel = max_parallel
        self._backlog = backlog
        self._tell_finished = finished
        # Every task starts from here: what one handler sets in its context is nothing to the next.
        self._context = contextvars.copy_context()
        self._lanes: dict[str, _Lane[_T]] = {}
        self._due: deque[_Lane[_T]] = deque()
        self._tasks: dict[asyncio.Task[None], tuple[_T, _Ticket]] = {}
        self._places = max_parallel
        self._queued = 0
        self._finished = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def running(self) -> int:
        """How many deliveries are being handled now."""
        return len(self._tasks)

    @property
    def queued(self) -> int:
        """How many wait for their turn."""
        return self._queued

    def busy(self) -> list[_T]:
        """The deliveries being handled that are not at rest (`loom.work`)."""
        return [work for task, (work, ticket) in self._tasks.items() if ticket.is_busy(task)]

    def take(self, work: _T, *, thread: str = "", is_request: bool = False) -> None:
        """Takes a delivery; it starts at once where order and bound allow.

        Args:
            work: what `handle` gets.
            thread: its thread of work; empty for none.
            is_request: whether somebody waits for its answer.
        """
        lane = self._lanes.get(thread) if thread else None
        if lane is None:
            lane = _Lane(thread)
            if thread:
                self._lanes[thread] = lane
        lane.queue.append(_Item(work, is_request))
        self._queued += 1
        if self._queued >= self._backlog:
            self._room.clear()
        self._consider(lane)

    def room(self) -> Awaitable[None] | None:
        """None where more may come; else what to wait for."""
        return None if self._room.is_set() else self._wait_for_room()

    async def drain(self, grace: float) -> int:
        """Waits until everything taken is handled; after `grace` seconds cancels what is left.

        Returns:
            How many deliveries were given up, running or waiting.
        """
        me = asyncio.current_task()  # a handler may stop its own agent; it must not wait for itself
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._queued or self._tasks.keys() - {me}:
                    self._finished.clear()
                    await self._finished.wait()
        others = self._tasks.keys() - {me}
        given_up = len(others) + self._queued
        for lane in (*self._lanes.values(), *self._due):
            lane.queue.clear()
        self._due.clear()
        self._queued = 0
        for task in others:
            task.cancel()
        if others:
            _, stuck = await asyncio.wait(others, timeout=CANCEL_S)
            if stuck:
                _log.warning("%d handlers did not end when they were cancelled", len(stuck))
        return given_up

    def _consider(self, lane: _Lane[_T]) -> None:
        """Starts what may start of a lane."""
        if not lane.queue:
            if not lane.running:
                self._lanes.pop(lane.thread, None)
        elif lane.running:
            self._let_request_pass(lane)
        elif not lane.is_due:
            lane.is_due = True
            self._due.append(lane)
            self._start_due()

    def _start_due(self) -> None:
        while self._due and self._places:
            lane = self._due.popleft()
            lane.is_due = False
            if lane.queue and not lane.running:
                self._places -= 1
                self._start(lane, lane.queue.popleft(), counted=True)

    def _let_request_pass(self, lane: _Lane[_T]) -> None:
        if not all(ticket.waits for ticket in lane.running):
            return
        for item in lane.queue:
            if item.is_request:
                lane.queue.remove(item)
                self._start(lane, item, counted=False)
                return

    def _start(self, lane: _Lane[_T], item: _Item[_T], *, counted: bool) -> None:
        self._queued -= 1
        if self._queued <= self._backlog // 2:
            self._room.set()
        ticket = _Ticket(counted=counted, told=lambda: self._consider(lane))
        lane.running.append(ticket)
        context = self._context.copy()
        work_in(context, ticket)
        task = asyncio.get_running_loop().create_task(
            self._handle(item.work), name=f"loom-handler-{lane.thread or 'no-thread'}", context=context
        )
        self._tasks[task] = (item.work, ticket)
        task.add_done_callback(lambda done: self._finish(lane, ticket, done), context=self._context)

    def _finish(self, lane: _Lane[_T], ticket: _Ticket, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        lane.running.remove(ticket)
        if ticket.counted:
            self._places += 1
        if not task.cancelled() and task.exception() is not None:
            _log.error("a delivery failed where it should not", exc_info=task.exception())
        self._consider(lane)
        self._start_due()
        self._finished.set()
        self._tell_finished()

    async def _wait_for_room(self) -> None:
        await self._room.wait()
