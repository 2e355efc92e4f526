"""The tasks, and the agents, that a test starts on an event loop and does not end.

Whoever gives agents and probes to a loop notes it here. What was started on the loop since and still runs
when the loop is about to close, or when the test is over where the loop outlives it, is the test's.

When a runner closes a loop it cancels every task first. A sentinel waits there for just that: in the moment
in which it is cancelled no other task has run yet, so it sees all that were left.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from loom_testing.harness.places import frames_of_task, is_own, own_frames

__all__ = ["forget_loops", "leaves_tasks", "let_end", "loops", "note_loop", "tasks_left"]

GRACE_S = 0.5
"""How long, seconds, tasks that are about to end may take on a loop that outlives the test."""
TURNS = 5
HERE = Path(__file__).parents[2]
OF_OTHERS = ("grpc", "anyio", "pytest_asyncio", "_pytest", "pluggy")
"""Tasks of these libraries are theirs to end."""
PUBLIC = ("Agent", "Context", "LoomBridge", "LoomClock", "Probe", "Stub")
"""What a test may make a task of that is our own code: methods of these."""
CONNECTION = "loom-connection-"
"""How the SDK names the task that keeps an agent connected; the agent's id follows."""

_Task = asyncio.Task[Any]

_sentinels: dict[asyncio.AbstractEventLoop, _Sentinel] = {}


class _Sentinel(asyncio.Future[None]):
    """Is cancelled with its loop, and sees what is cancelled with it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.before = {*asyncio.all_tasks(loop)}
        self.found: list[str] = []
        self.task = loop.create_task(self._wait(), name="loom-sentinel")
        self.before.add(self.task)

    def cancel(self, msg: Any | None = None) -> bool:
        """The loop is about to close."""
        self.found = [_said(task) for task in self.strangers()]
        return super().cancel(msg)

    def strangers(self) -> list[_Task]:
        """The test's tasks that still run: those of no library, and not ours."""
        left = asyncio.all_tasks(self.get_loop()) - self.before
        return [task for task in left if not _is_known(task)]

    async def _wait(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self


def note_loop() -> None:
    """The test uses the running loop; what runs on it now was there before.

    Raises:
        RuntimeError: no loop runs.
    """
    loop = asyncio.get_running_loop()
    if loop not in _sentinels:
        _sentinels[loop] = _Sentinel(loop)


def loops() -> list[asyncio.AbstractEventLoop]:
    """The loops that the test uses."""
    return [loop for loop in list(_sentinels) if not loop.is_closed()]


async def let_end() -> None:
    """Gives what is cancelled, or about to end, the turns of the loop that it needs for that."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


def leaves_tasks() -> bool:
    """Whether tasks of the test still run on the running loop, at its end."""
    sentinel = _sentinels.get(asyncio.get_running_loop())
    mine = asyncio.current_task()
    return sentinel is not None and any(task is not mine for task in sentinel.strangers())


def forget_loops() -> None:
    """A test begins: nothing is noted yet."""
    for loop, sentinel in list(_sentinels.items()):
        if not loop.is_closed() and not loop.is_running():
            sentinel.task.cancel()
            loop.run_until_complete(sentinel.task)
    _sentinels.clear()


def tasks_left() -> list[str]:
    """What was left on the loops that the test used, in words; to be asked where none of them runs."""
    found: list[str] = []
    for loop, sentinel in _sentinels.items():
        if loop.is_closed() or loop.is_running():
            found += sentinel.found
            continue
        left = sentinel.strangers()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=GRACE_S))
        found += [_said(task) for task in left if not task.done()]
    return sorted(found)


def _is_known(task: _Task) -> bool:
    if task.get_name().startswith(CONNECTION):
        return False
    coroutine: Any = task.get_coro()
    code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
    if code is None:  # written in C, as gRPC's are
        return True
    if str(getattr(coroutine, "__qualname__", "")).partition(".")[0] in PUBLIC:
        return False
    path = Path(code.co_filename)
    return any(name in path.parts for name in OF_OTHERS) or any(
        path.is_relative_to(HERE / name) for name in ("loom", "loom_testing")
    )


def _said(task: _Task) -> str:
    agent = task.get_name().removeprefix(CONNECTION)
    if agent != task.get_name():
        return f"agent {agent!r} is still connected: stop it, or run it inside `async with`"
    coroutine: Any = task.get_coro()
    return f"task {task.get_name()!r}, {coroutine.__qualname__}(){_place(task)}: cancel it, or wait for it"


def _place(task: _Task) -> str:
    """Where it stands in the user's own code; else where that made it, as far as Python noted it."""
    frames = frames_of_task(task)
    for frame in own_frames(frames):
        return f" at {frame.f_code.co_filename}:{frame.f_lineno}"
    for file, line, _ in getattr(task.get_coro(), "cr_origin", None) or ():
        if is_own(file):
            return f", made at {file}:{line}"
    return f" at {frames[0].f_code.co_filename}:{frames[0].f_lineno}" if frames else ""
