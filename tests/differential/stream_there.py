"""One EventStream of a bridge, from the client's side and from what the bridge says of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import grpc.aio
from grpc._cython.cygrpc import InternalError  # type: ignore[import-not-found]  # has no stubs

__all__ = ["StreamThere"]


class StreamThere:
    """A client's stream, and the tally of what the bridge did with it.

    The tally comes from Watch, which shows every step of the bridge's engine. So it is known when a step has
    settled, without waiting for time to pass: what was said is taken, what was given out is written, what was
    written has come.

    Attributes:
        is_known: whether the bridge has noticed it.
        got: the messages that came, as bytes.
        headers: whether the response's headers came.
        ended: how the bridge ended it, status and details.
        said: how many messages the client sent, its half-close included.
        taken: how many of them the engine was given.
        given: how many messages the engine gave out.
        written: how many of them the transport took.
        accepted: whether the engine accepted the handshake.
        paused: whether it is read no further for now.
        over: whether the engine has forgotten it.
        abrupt: whether what was given out last may be lost.
        left: whether the client broke it.
        raw: whether bytes were sent on it that may be no message.
    """

    def __init__(self, call: Any, news: Callable[[], None]) -> None:
        self.is_known = False
        self.got: list[bytes] = []
        self.headers = False
        self.ended: tuple[grpc.StatusCode, str] | None = None
        self.said = self.taken = self.given = self.written = 0
        self.accepted = self.paused = self.over = self.abrupt = self.left = self.raw = False
        self._call = call
        self._shown = 0
        self._shows_headers = self._shows_end = True
        self._news = news
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._await_headers())]

    async def say(self, data: bytes) -> None:
        """Sends a message, past the public method: that loses the status of a call that has just ended."""
        self.said += 1
        # A stream that ends at this moment says how elsewhere.
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError, InternalError):
            await self._call.wait_for_connection()
            if not self._call.done():
                await self._call._cython_call.send_serialized_message(data)

    async def half_close(self) -> None:
        """Says that there will be no more."""
        self.said += 1
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self._call.done_writing()

    def break_(self) -> None:
        """Resets it."""
        self.left = True
        self._call.cancel()

    def unsettled(self) -> str:
        """What is still under way; empty if nothing is."""
        if not self.is_known:
            return "was opened, and the bridge has not noticed"
        if self.left:
            return "" if self.over else "was broken, and the bridge has not noticed"
        if not (self.over or self.paused) and self.taken < self.said:
            return f"{self.said} messages were sent, the bridge took {self.taken}"
        if not self.over and self.written < self.given:
            return f"the bridge gave out {self.given} messages and reported {self.written} as written"
        if len(self.got) < self.given and not self.abrupt:
            return f"the bridge gave out {self.given} messages, {len(self.got)} came"
        if self.accepted and not self.headers:
            return "the handshake was accepted, and no headers came"
        if self.over and self.ended is None:
            return "the bridge ended it, and no end came"
        return ""

    def fresh(self) -> Iterator[tuple[Any, ...]]:
        """What came since this was last asked; nothing once the client broke it."""
        if self.left:
            return
        if self.accepted and self.headers and self._shows_headers:
            self._shows_headers = False
            yield ("headers",)
        while self._shown < len(self.got):
            self._shown += 1
            yield "message", self.got[self._shown - 1]
        if self.ended is not None and self._shows_end:
            self._shows_end = False
            yield "end", *self.ended

    async def close(self) -> None:
        """Forgets it."""
        self._call.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self) -> None:
        with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
            while (data := await self._call.read()) is not grpc.aio.EOF:
                self.got.append(data)
                self._news()
        if not self.left:
            self.ended = await self._call.code(), await self._call.details() or ""
            self._news()

    async def _await_headers(self) -> None:
        with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
            await self._call.initial_metadata()
            self.headers = True
            self._news()
