"""A lifeline: a process that was started ends when the one that started it is gone, however that ended.

The parent holds the writing end of a pipe. When it dies the pipe closes, and the child tells itself to stop.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from functools import cache

__all__ = ["VARIABLE", "follow_parent", "lifeline"]

VARIABLE = "LOOM_CLI_LIFELINE"
"""The number of the pipe's reading end, for the child."""


@cache
def lifeline() -> tuple[dict[str, str], tuple[int, ...]]:
    """What a child needs: variables for its environment, and the file descriptors to pass on.

    All children of this process share one pipe. Its writing end is never used, and closes with this process.
    """
    if os.name == "nt":  # file descriptors cannot be passed on there
        return {}, ()
    reading, _ = os.pipe()
    return {VARIABLE: str(reading)}, (reading,)


def follow_parent() -> None:
    """In the child: SIGTERM to oneself once the parent is gone. Does nothing where there is no lifeline."""
    number = os.environ.pop(VARIABLE, "")
    if not number.isdecimal():
        return
    with suppress(OSError):
        os.set_inheritable(int(number), False)
        threading.Thread(target=_wait, args=(int(number),), name="loom-lifeline", daemon=True).start()


def _wait(reading: int) -> None:
    with suppress(OSError):
        os.read(reading, 1)
        os.kill(os.getpid(), signal.SIGTERM)
