"""How a player sits at the table: it says that it is ready, then takes its turns until stdin closes.

Standard library only: a peer's environment has nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measure import Turn

__all__ = ["Tally", "no_turn", "take_turns"]


class Tally:
    """Counts what arrives, and tells when enough has."""

    def __init__(self) -> None:
        self._arrived = 0
        self._wanted = 0
        self._reached = asyncio.Event()

    def add(self) -> None:
        """One more has arrived."""
        self._arrived += 1
        if self._arrived == self._wanted:
            self._reached.set()

    async def turn(self, times: int) -> list[float]:
        """Waits until so many more have arrived than were waited for before."""
        self._wanted += times
        if self._arrived < self._wanted:
            self._reached.clear()
            await self._reached.wait()
        return []


async def no_turn(times: int) -> list[float]:
    """The turn of who only answers others."""
    return []


async def take_turns(turn: Turn, address: str = "") -> None:
    """Says that this player is ready, and where it listens; then takes its turns until stdin closes."""
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    _say(address)
    while line := await stdin.readline():
        _say(await turn(int(line)))


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
