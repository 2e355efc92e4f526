"""The bridge's end of a call: what a service's handler takes for gRPC's context. On the bridge's loop."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import grpc.aio

from loom_testing.inmemory.line import Line, Outcome, Sending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Client", "Serving"]

log = logging.getLogger("loom_testing.bridge")


class Client(Protocol):
    """The client's end; called on the bridge's thread, each does its work on the client's."""

    def answered(self) -> None:
        """The response headers."""

    def came(self, data: bytes) -> None:
        """A message."""

    def over(self, outcome: Outcome, last: bytes | None = None) -> None:
        """The call has ended, with a last message perhaps."""

    def request_taken(self, size: int) -> None:
        """So much of what the client sent was taken in."""


class Serving:
    """One call that is served.

    Args:
        handler: the method's; None where there is none.
        metadata: what the client sent beside the request.
        client: its end.
        most_bytes: how large a message may be.
        ended: called when the call is over.
    """

    def __init__(
        self,
        handler: grpc.RpcMethodHandler[Any, Any] | None,
        metadata: Sequence[tuple[str, str | bytes]],
        client: Client,
        most_bytes: int,
        ended: Callable[[Serving], object],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._handler = handler
        self._metadata = metadata
        self._client = client
        self._most_bytes = most_bytes
        self._requests = Line(loop, client.request_taken)
        self._sending = Sending(loop)
        self._outcome: Outcome | None = None
        self._last: bytes | None = None
        self._has_answered = False
        self._is_over = False
        self._task = asyncio.create_task(self._serve(), name="loom-in-memory-call")
        self._task.add_done_callback(lambda _: ended(self))  # also of one that never began

    # What the client's end tells, on this loop.

    def request_came(self, data: bytes) -> None:
        """The client sent a message."""
        if len(data) > self._most_bytes:
            text = f"Received message larger than max ({len(data)} vs. {self._most_bytes})"
            self._finish(Outcome("RESOURCE_EXHAUSTED", text))
            self._task.cancel()
            return
        self._requests.came(data)

    def requests_end(self) -> None:
        """The client sends no more."""
        self._requests.end()

    def taken(self, size: int) -> None:
        """The client took so much in."""
        self._sending.taken(size)

    def cancel(self) -> None:
        """The client gave the call up, or is gone."""
        self._is_over = True
        self._sending.close()
        self._task.cancel()

    def stop(self) -> None:
        """The bridge stops."""
        self._finish(Outcome("UNAVAILABLE", "the bridge has stopped"))
        self.cancel()

    # What the handler asks of its context.

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]]:
        """What the client sent beside the request."""
        return self._metadata

    async def read(self) -> Any:
        """The next message; grpc.aio.EOF where the client sends no more."""
        data = await self._requests.read()
        return grpc.aio.EOF if data is None else data

    async def write(self, data: bytes) -> None:
        """Sends a message."""
        if self._is_over:
            raise grpc.aio.InternalError("the call is over")
        self._has_answered = True
        self._client.came(data)
        await self._sending.wait_for_room(data)

    async def send_initial_metadata(self, _metadata: object) -> None:
        """Sends the response headers."""
        if not self._has_answered:
            self._has_answered = True
            self._client.answered()

    def set_code(self, code: grpc.StatusCode) -> None:
        """How the call will end."""
        self._outcome = Outcome(code.name, self._outcome.details if self._outcome else "")

    def set_details(self, details: str) -> None:
        """Its text."""
        self._outcome = Outcome(self._outcome.code if self._outcome else "OK", details)

    async def abort(self, code: grpc.StatusCode, details: str = "", _metadata: object = ()) -> None:
        """Ends the call here.

        Raises:
            grpc.aio.AbortError: always.
        """
        self._outcome = Outcome(code.name, details)
        raise grpc.aio.AbortError

    async def _serve(self) -> None:
        try:
            self._finish(await self._handled())
        except asyncio.CancelledError:
            self._finish(Outcome("CANCELLED", "the call was given up"))

    async def _handled(self) -> Outcome:
        handler = self._handler
        if handler is None:
            return Outcome("UNIMPLEMENTED", "Method not found!")
        try:
            if handler.response_streaming:
                await handler.stream_stream(None, self)  # type: ignore[arg-type,misc]  # it reads from us
            else:
                answer: Any = await handler.stream_unary(None, self)  # type: ignore[arg-type,misc]  # as above
                if self._outcome is None:
                    self._last = answer
        except grpc.aio.AbortError:
            pass  # the outcome says why
        except Exception as error:
            log.exception("a call met a bug of the bridge")
            return Outcome("UNKNOWN", f"Unexpected {type(error)}: {error}")
        return self._outcome or Outcome("OK")

    def _finish(self, outcome: Outcome) -> None:
        if not self._is_over:
            self._is_over = True
            self._sending.close()
            self._client.over(outcome, self._last)
