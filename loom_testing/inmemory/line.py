"""`Line`: one direction of a call, from one thread to another, with what makes a fast sender wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["WINDOW", "Form", "Line", "Outcome", "Sending", "post"]

WINDOW = 64 * 1024
"""How many bytes may be on the way before their sender waits, as on an HTTP/2 stream."""
NOMINAL = 64
"""What a message counts besides its bytes."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a method's messages become bytes, and bytes messages; without either they stay what they are.

    Attributes:
        write: from what is sent to bytes.
        read: from bytes to what is answered.
    """

    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]

    @classmethod
    def of(cls, options: dict[str, Any]) -> Form:
        """What a stub says when it asks for a method."""
        return cls(options.get("request_serializer") or _same, options.get("response_deserializer") or _same)


def _same(data: Any) -> Any:
    return data


class Outcome:
    """How a call ended.

    Attributes:
        code: the status's name.
        details: its text.
    """

    __slots__ = ("code", "details")

    def __init__(self, code: str, details: str = "") -> None:
        self.code = code
        self.details = details


def post(loop: asyncio.AbstractEventLoop, act: Callable[..., object], *args: object) -> bool:
    """Has the loop's thread do something soon. Answers false where the loop is over."""
    try:
        loop.call_soon_threadsafe(act, *args)
    except RuntimeError:
        return False
    return True


class Sending:
    """The sender's end: how much is on the way. Belongs to the sender's loop."""

    __slots__ = ("_closed", "_loop", "_room", "_under_way")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._under_way = 0
        self._closed = False
        self._room: asyncio.Future[None] | None = None

    async def wait_for_room(self, data: bytes) -> None:
        """Counts a message that was sent, and waits while too much is on the way."""
        self._under_way += len(data) + NOMINAL
        while self._under_way > WINDOW and not self._closed:
            if self._room is None:
                self._room = self._loop.create_future()
            await asyncio.shield(self._room)

    def taken(self, size: int) -> None:
        """So much was taken in at the other end."""
        self._under_way -= size
        if self._under_way <= WINDOW:
            self._wake()

    def close(self) -> None:
        """Nothing more is sent."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._room is not None:
            self._room.set_result(None)
            self._room = None


class Line:
    """The receiver's end on an event loop: messages in order, then the end. Belongs to the receiver's loop.

    Attributes:
        ended: whether no more will come; what came before can still be read.

    Args:
        loop: the receiver's.
        taken: tells the sender, from this thread, how much was taken in.
    """

    __slots__ = ("_loop", "_messages", "_reader", "_taken", "_told", "ended")

    def __init__(self, loop: asyncio.AbstractEventLoop, taken: Callable[[int], object]) -> None:
        self.ended = False
        self._loop = loop
        self._taken = taken
        self._told = 0
        self._messages: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None

    def came(self, data: bytes) -> None:
        """A message came."""
        self._messages.append(data)
        self._wake()

    def end(self) -> None:
        """There will be no more."""
        self.ended = True
        self._wake()

    async def read(self) -> bytes | None:
        """The next message; None where there will be none."""
        while not self._messages:
            if self.ended:
                return None
            if self._reader is None:
                self._reader = self._loop.create_future()
            await asyncio.shield(self._reader)
        data = self._messages.popleft()
        self._told += len(data) + NOMINAL
        if self._told >= WINDOW // 2:  # not for each one: that would cost a switch of threads
            told, self._told = self._told, 0
            self._taken(told)
        return data

    def _wake(self) -> None:
        if self._reader is not None:
            self._reader.set_result(None)
            self._reader = None
