"""A line in front of a place with bounded room: first come first served, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Line"]


class Line:
    """Who waits for room.

    Room that comes free wakes one of those who wait, and who was let in lets in the next: with a thousand in
    the line a thousand are woken, not a thousand times a thousand.

    Args:
        has_room: whether one more may enter now.
    """

    def __init__(self, has_room: Callable[[], bool]) -> None:
        self._has_room = has_room
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_open = True

    def __len__(self) -> int:
        return len(self._waiting)

    async def enter(self) -> None:
        """Waits until there is room, or the line was closed. Who entered calls `let_next_in` then."""
        if not self._waiting and self._has_room():
            return
        await self._wait(self._waiting.append)
        while self._is_open and not self._has_room():  # somebody who came later was quicker
            await self._wait(self._waiting.appendleft)

    def let_next_in(self) -> None:
        """Wakes the first who waits, if there is room."""
        while self._waiting and self._has_room():
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(None)
                return

    def close(self) -> None:
        """Nobody need wait any more."""
        self._is_open = False
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def _wait(self, stand: Callable[[asyncio.Future[None]], None]) -> None:
        if not self._is_open:
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stand(mine)
        try:
            await mine
        except asyncio.CancelledError:
            with contextlib.suppress(ValueError):  # it may have been taken out already
                self._waiting.remove(mine)
            self.let_next_in()  # it may have been let in already: its turn goes to the next
            raise
