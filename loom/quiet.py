"""Waiting until an event loop has nothing left to run: what came in has had all its consequences.

An asyncio loop keeps what is ready to run in a queue. Whoever finds that queue empty is the last: all tasks
wait for something from outside. A loop that does not show its queue (uvloop) is given a number of rounds.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["RESTLESS_S", "when_quiet"]

RESTLESS_S = 0.5
"""A loop that has had something to run for so long without a pause is called restless."""
ROUNDS = 100
"""So many rounds a loop is given that does not show its queue."""


def when_quiet(loop: asyncio.AbstractEventLoop, tell: Callable[[bool], None]) -> None:
    """Calls `tell(True)` once nothing in the loop is ready to run, or `tell(False)` where it never rests.

    To be called on that loop. All who ask wait for the same look at the queue: two that looked each for
    itself would keep each other awake.
    """
    look = _looks.get(loop)
    if look is None:
        look = _looks[loop] = _Look()
    look.add(loop, tell)


class _Look:
    """One loop's looks at its queue."""

    def __init__(self) -> None:
        self._told: list[Callable[[bool], None]] = []
        self._since = 0.0
        self._rounds = 0

    def add(self, loop: asyncio.AbstractEventLoop, tell: Callable[[bool], None]) -> None:
        if not self._told:
            self._since = loop.time()
            self._rounds = 0
            loop.call_soon(self._look, loop)
        self._told.append(tell)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._rounds += 1
        ready = getattr(loop, "_ready", None)
        is_quiet = self._rounds > ROUNDS if ready is None else not ready
        if not is_quiet and loop.time() < self._since + RESTLESS_S:
            loop.call_soon(self._look, loop)
            return
        told, self._told = self._told, []
        for tell in told:
            tell(is_quiet)


_looks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Look] = weakref.WeakKeyDictionary()
