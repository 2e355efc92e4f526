"""SIGINT and SIGTERM while a program only begins: noted, to be heeded once it can stop in order.

Nothing heavy is imported here, so that it holds before anything slow begins.
"""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["STOPPING", "noted_signals"]

STOPPING = (signal.SIGINT, signal.SIGTERM)
"""The signals that ask a program to stop."""


@contextlib.contextmanager
def noted_signals() -> Iterator[list[str]]:
    """Notes the names of the signals that come, which do nothing else; gives back the handlers before.

    An event loop that handles them takes over, and this takes none of them away from it.
    """
    came: list[str] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(signal.Signals(number).name)

    before = {}
    with contextlib.suppress(ValueError):  # not in the main thread, which alone is told of signals
        for kind in STOPPING:
            before[kind] = signal.signal(kind, note)
    try:
        yield came
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
