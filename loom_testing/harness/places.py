"""Where code stands: the lines of a stack that are the user's own, and neither a library's nor ours."""

from __future__ import annotations

import asyncio
import linecache
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType, TracebackType

__all__ = [
    "frames_from",
    "frames_of_task",
    "frames_of_thread",
    "is_ours",
    "is_own",
    "own_frames",
    "said_of",
    "up_to_the_tests_own",
]

HERE = Path(__file__).parents[2]
OF_OTHERS = ("site-packages", "dist-packages", "asyncio", "importlib")
COMPILED = (".pyx", ".pxi", ".pxd")
"""What Cython made code of, as in gRPC: a place in a folder that nobody has."""


def frames_of_task(task: asyncio.Task[Any]) -> list[FrameType]:
    """The frames of a suspended task, the outermost first."""
    found = []
    coroutine: Any = task.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        if frame is not None:
            found.append(frame)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)
    return found


def frames_of_thread(thread: int | None) -> list[FrameType]:
    """The frames of a thread by its number, the outermost first."""
    frame = sys._current_frames().get(thread or 0)  # noqa: SLF001 - the one way to see another thread's
    return list(frames_from(frame))[::-1]


def own_frames(frames: Sequence[FrameType]) -> list[FrameType]:
    """Those that are the user's own."""
    return [frame for frame in frames if is_own(frame.f_code.co_filename)]


def said_of(frame: FrameType) -> str:
    """Where a frame stands, in a line."""
    code = frame.f_code
    number = frame.f_lineno or code.co_firstlineno  # between two lines a frame has none
    said = linecache.getline(code.co_filename, number).strip()
    return f"{code.co_filename}:{number} in {code.co_name}: {said}"


def up_to_the_tests_own(trace: TracebackType | None) -> TracebackType | None:
    """A traceback that ends at the last line that is the user's own; None where there is none."""
    last = step = trace
    found = False
    while step is not None:
        if is_own(step.tb_frame.f_code.co_filename):
            last, found = step, True
        step = step.tb_next
    if not found or last is None:
        return None
    last.tb_next = None
    return trace


def frames_from(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def is_own(name: str) -> bool:
    """Whether a file is the user's own."""
    path = Path(name)
    if name.startswith("<") or name.endswith(COMPILED) or name == sys.argv[0]:
        return False
    if any(part in path.parts for part in OF_OTHERS) or path.parent == Path(asyncio.__file__).parents[1]:
        return False
    return not is_ours(name)


def is_ours(name: str) -> bool:
    """Whether a file is Loom's."""
    return any(Path(name).is_relative_to(HERE / part) for part in ("loom", "loom_testing"))
