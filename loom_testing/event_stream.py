"""One EventStream call: a reader and a writer between gRPC and the driver.

The reader hands on what the client sends. The writer takes what the engine gives out from a list, in order,
and reports what the transport took (FLOW-1). The call itself waits until the engine ends the stream, or until
gRPC cancels it because the client is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.codes import Code
from loom_testing.codec import Malformed, decode_client_event, encode_server_message
from loom_testing.engine.inputs import HalfClose, Receive, Writable
from loom_testing.engine.messages import Ack

if TYPE_CHECKING:
    from loom_testing.driver import Driver
    from loom_testing.engine.messages import ServerMessage
    from loom_testing.participants import Tag

__all__ = ["EventStream"]

log = logging.getLogger("loom_testing.bridge")

FLUSH_SECONDS = 5.0
"""How long an ended stream may take to write what was sent before its end."""
STALL_SECONDS = 0.2
"""A peer that takes nothing for so long is not waited for by `flushed`."""
SETTLE_SECONDS = 0.02
"""After a reset gRPC says 'no more messages' first, and 'cancelled' a moment later (about 0.1 ms). So that a
reset is not taken for a half-close (SES-6), a half-close is believed only after this."""

EXPECTED = (Code.DRAINING, Code.NAMESPACE_RESET)
"""Ends of streams that need no warning: whoever caused them knows."""


class EventStream:
    """Serves one EventStream call. To its driver it is a `StreamSink`.

    Attributes:
        agent: who it is: nobody until the handshake is accepted.
        sent: messages given to it for the client.
        received: messages of the client that the engine has taken.
        reading: whether it is read.
    """

    def __init__(
        self, driver: Driver, context: grpc.aio.ServicerContext[Any, Any], tag: Tag | None = None
    ) -> None:
        self._driver = driver
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._claimed = ""
        self.agent = ""
        self.sent = 0
        self.received = 0
        self._half_window = max(driver.limits.stream_window // 2, 1)
        self._read_on = asyncio.Event()
        self._read_on.set()
        self._out: deque[ServerMessage | None] = deque()
        """What is to be written; None stands for the response headers."""
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._progress = 0.0
        """When the transport last took something, or was last given something after it had been idle."""
        self._ended: asyncio.Future[tuple[str, str]] = self._loop.create_future()
        self._flush_seconds = FLUSH_SECONDS
        self._number = driver.open(self, tag)

    async def serve(self) -> None:
        """Serves the call until either side ends it."""
        reader = asyncio.create_task(self._read())
        writer = asyncio.create_task(self._write())
        try:
            status, message = await self._ended
            self._driver.leave(self._number)
            await asyncio.wait([writer], timeout=self._flush_seconds)
            self._context.set_code(grpc.StatusCode[status])
            self._context.set_details(message)
        finally:
            reader.cancel()
            writer.cancel()
            self._driver.leave(self._number)
            self._log_end()

    # In.

    async def _read(self) -> None:
        """Reads, decodes and feeds, until the client has nothing more to say."""
        try:
            while (data := await self._context.read()) is not grpc.aio.EOF:
                await self._allowed()
                self._receive(data)
            await asyncio.sleep(SETTLE_SECONDS)
            await self._allowed()
            self._driver.feed(HalfClose(self._number))
        except Malformed as problem:
            self.end("INVALID_ARGUMENT", str(problem))
        except grpc.aio.BaseError:
            pass  # the call is over; gRPC tells it to `serve`
        except Exception:
            self._meet_bug()

    async def _allowed(self) -> None:
        if not self._read_on.is_set():
            await self._read_on.wait()

    def _receive(self, data: bytes) -> None:
        message = decode_client_event(data)
        if not self._claimed and isinstance(message, Ack):
            self._claimed = message.message_id
        self._driver.feed(Receive(self._number, message))
        self.received += 1

    @property
    def reading(self) -> bool:
        """Whether it is read; else what the client sends waits on the way."""
        return self._read_on.is_set()

    # Out. The driver calls these while it carries out what the engine said.

    def accept(self) -> None:
        """Writes the response headers (SES-3)."""
        self.agent = self._claimed
        log.info("%s: %s joined", self._driver.name, self.agent)
        self._put(None)

    def send(self, message: ServerMessage) -> None:
        """Writes a message."""
        self.sent += 1
        self._put(message)

    def end(self, status: str, message: str, *, abrupt: bool = False) -> None:
        """Ends the call, after what was sent before unless `abrupt`."""
        if not self._ended.done():
            self._ended.set_result((status, message))
            if abrupt:
                self._out.clear()
                self._flush_seconds = 0.0
            self._work.set()

    def pause(self) -> None:
        """Reads no further."""
        self._read_on.clear()

    def resume(self) -> None:
        """Reads on."""
        self._read_on.set()

    async def flushed(self) -> None:
        """Waits until all is written, or until the peer is found to take nothing."""
        while not self._idle.is_set():
            left = self._progress + STALL_SECONDS - self._loop.time()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), left)

    def _put(self, item: ServerMessage | None) -> None:
        self._out.append(item)
        if self._idle.is_set():
            self._idle.clear()
            self._progress = self._loop.time()
        self._work.set()

    async def _write(self) -> None:
        try:
            while not self._ended.done() or self._out:
                await self._write_out()
                self._work.clear()
                self._idle.set()
                if not self._ended.done():
                    await self._work.wait()
        except grpc.aio.BaseError:
            # The client is gone; gRPC is about to cancel the call.
            await asyncio.sleep(SETTLE_SECONDS)
            self.end("UNAVAILABLE", "the stream broke")
        except Exception:
            self._meet_bug()

    async def _write_out(self) -> None:
        """Writes until the list is empty, and reports in bursts what the transport took."""
        taken = 0
        while self._out:
            item = self._out.popleft()
            if item is None:
                if not self._out:  # else the headers go out with what follows them
                    await self._context.send_initial_metadata(())
                continue
            await self._context.write(encode_server_message(item))
            self._progress = self._loop.time()
            taken += 1
            if taken >= self._half_window or not self._out:
                self._report(taken)
                taken = 0

    def _report(self, taken: int) -> None:
        if not self._ended.done():
            self._driver.feed(Writable(self._number, taken))

    # The end.

    def _meet_bug(self) -> None:
        log.exception("%s: the stream of %s met a bug of the bridge", self._driver.name, self.agent or "?")
        self.end("INTERNAL", "the bridge failed; its log says how")

    def _log_end(self) -> None:
        if not self._ended.done():
            log.info("%s: %s left: connection lost", self._driver.name, self.agent or "?")
            return
        status, message = self._ended.result()
        expected = status == "OK" or message.startswith(EXPECTED)
        level = logging.INFO if expected else logging.WARNING
        why = f"{status} {message}".rstrip()
        log.log(level, "%s: %s left: %s", self._driver.name, self.agent or "?", why)
