"""What a stub takes for a channel of grpc.aio: calls to a bridge in this process, from an event loop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom_testing.inmemory.line import Form, Line, Outcome, Sending, post

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from loom_testing.inmemory.bridge import InMemoryBridge
    from loom_testing.inmemory.serving import Serving

    Metadata = Sequence[tuple[str, str | bytes]]

__all__ = ["InMemoryCall", "InMemoryChannel"]

NO_METADATA = grpc.aio.Metadata()
STOPPED = "the bridge has stopped"


class InMemoryCall:
    """One call, as grpc.aio's calls are used: awaited where one message is answered by one, else read.

    Args:
        bridge: whom it asks.
        method: its path.
        metadata: what is sent beside the request.
        form: how messages become bytes.
        timeout: seconds after which it is given up; None for never.
        request: all that is sent; None where `write` sends it.
    """

    def __init__(
        self,
        bridge: InMemoryBridge,
        method: str,
        metadata: Metadata,
        form: Form,
        timeout: float | None,
        request: bytes | None,
    ) -> None:
        self._bridge = bridge
        self._loop = asyncio.get_running_loop()
        self._form = form
        self._serving: Serving | None = None
        self._outcome: Outcome | None = None
        self._cancelled = False
        self._answers = Line(self._loop, self._tell_taken)
        self._sending = Sending(self._loop)
        self._headers = asyncio.Event()
        self._over = asyncio.Event()
        self._callbacks: list[Callable[[InMemoryCall], object]] = []
        self._timer = None if timeout is None else self._loop.call_later(max(0.0, timeout), self._late)
        if not bridge.post(self._begin, method, metadata, request):
            self._end(Outcome("UNAVAILABLE", STOPPED))

    # On the bridge's thread.

    def _begin(self, method: str, metadata: Metadata, request: bytes | None) -> None:
        self._serving = self._bridge.serve(method, metadata, self)
        if request is not None:
            self._serving.request_came(request)
            self._serving.requests_end()

    def _give(self, data: bytes) -> None:
        assert self._serving is not None
        self._serving.request_came(data)

    def _give_end(self) -> None:
        assert self._serving is not None
        self._serving.requests_end()

    def _give_up(self) -> None:
        assert self._serving is not None
        self._serving.cancel()

    def _tell(self, size: int) -> None:
        assert self._serving is not None
        self._serving.taken(size)

    def answered(self) -> None:
        """The response headers."""
        post(self._loop, self._headers.set)

    def came(self, data: bytes) -> None:
        """A message."""
        post(self._loop, self._came, data)

    def over(self, outcome: Outcome, last: bytes | None = None) -> None:
        """The call has ended, with a last message perhaps."""
        post(self._loop, self._last, outcome, last)

    def request_taken(self, size: int) -> None:
        """So much of what was sent was taken in."""
        post(self._loop, self._sending.taken, size)

    # On the client's loop.

    async def write(self, message: Any) -> None:
        """Sends a message.

        Raises:
            asyncio.InvalidStateError: the call is over.
        """
        if self._outcome is not None:
            raise asyncio.InvalidStateError("RPC already finished.")
        data = self._form.write(message)
        self._bridge.post(self._give, data)
        await self._sending.wait_for_room(data)

    async def done_writing(self) -> None:
        """Nothing more will be sent."""
        if self._outcome is None:
            self._bridge.post(self._give_end)

    async def read(self) -> Any:
        """The next message; grpc.aio.EOF at the end of a call that ended well, None for bytes that are none.

        Raises:
            grpc.aio.AioRpcError: it ended otherwise.
        """
        data = await self._answers.read()
        if data is not None:
            return self._read(data)
        await self._over.wait()
        if self._cancelled:
            raise asyncio.CancelledError
        if self._outcome is not None and self._outcome.code != "OK":
            raise self._error(self._outcome)
        return grpc.aio.EOF

    def __aiter__(self) -> InMemoryCall:
        return self

    async def __anext__(self) -> Any:
        message = await self.read()
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        return message

    def __await__(self) -> Generator[Any, None, Any]:
        return self._answer().__await__()

    async def _answer(self) -> Any:
        try:
            message = await self.read()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if message is grpc.aio.EOF:
            raise self._error(Outcome("INTERNAL", "the call was answered by nothing"))
        await self._over.wait()
        return message

    async def wait_for_connection(self) -> None:
        """There is one."""

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """Waits until the call is answered, or over."""
        await self._headers.wait()
        return NO_METADATA

    async def code(self) -> grpc.StatusCode:
        """How it ended."""
        await self._over.wait()
        assert self._outcome is not None
        return grpc.StatusCode[self._outcome.code]

    async def details(self) -> str:
        """The status's text."""
        await self._over.wait()
        assert self._outcome is not None
        return self._outcome.details

    def done(self) -> bool:
        """Whether it is over."""
        return self._outcome is not None

    def cancelled(self) -> bool:
        """Whether it was given up here."""
        return self._cancelled

    def add_done_callback(self, callback: Callable[[InMemoryCall], object]) -> None:
        """Calls it when the call is over."""
        if self._outcome is not None:
            callback(self)
        else:
            self._callbacks.append(callback)

    def cancel(self) -> bool:
        """Gives it up. False where it is over."""
        if self._outcome is not None:
            return False
        self._cancelled = True
        self._bridge.post(self._give_up)
        self._end(Outcome("CANCELLED", "Locally cancelled by application!"))
        return True

    def _late(self) -> None:
        if self._outcome is None:
            self._bridge.post(self._give_up)
            self._end(Outcome("DEADLINE_EXCEEDED", "Deadline Exceeded"))

    def _came(self, data: bytes) -> None:
        self._headers.set()
        self._answers.came(data)

    def _last(self, outcome: Outcome, last: bytes | None) -> None:
        if last is not None:
            self._came(last)
        self._end(outcome)

    def _end(self, outcome: Outcome) -> None:
        if self._outcome is not None:
            return
        self._outcome = outcome
        if self._timer is not None:
            self._timer.cancel()
        self._headers.set()
        self._over.set()
        self._answers.end()
        self._sending.close()
        for callback in self._callbacks:
            callback(self)

    def _tell_taken(self, size: int) -> None:
        self._bridge.post(self._tell, size)

    def _read(self, data: bytes) -> Any:
        with contextlib.suppress(Exception):  # as gRPC does with bytes that are no message
            return self._form.read(data)
        return None

    def _error(self, outcome: Outcome) -> grpc.aio.AioRpcError:
        code = grpc.StatusCode[outcome.code]
        return grpc.aio.AioRpcError(code, NO_METADATA, NO_METADATA, details=outcome.details)


class InMemoryChannel(grpc.aio.Channel):
    """A channel to a bridge in this process.

    Args:
        bridge: which one.
    """

    def __init__(self, bridge: InMemoryBridge) -> None:
        self._bridge = bridge
        self._calls: set[InMemoryCall] = set()

    async def __aenter__(self) -> InMemoryChannel:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Gives up what is open."""
        for call in list(self._calls):
            call.cancel()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """It is connected."""
        return grpc.ChannelConnectivity.READY

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """It never changes."""
        await asyncio.Event().wait()

    async def channel_ready(self) -> None:
        """It is."""

    def unary_unary(self, method: str, *_: Any, **options: Any) -> Any:
        """A method that answers one message with one."""
        return self._one(method, Form.of(options))

    def unary_stream(self, method: str, *_: Any, **options: Any) -> Any:
        """A method that answers one message with several."""
        return self._one(method, Form.of(options))

    def stream_unary(self, method: str, *_: Any, **options: Any) -> Any:
        """A method that takes several messages."""
        return self._several(method, Form.of(options))

    def stream_stream(self, method: str, *_: Any, **options: Any) -> Any:
        """A method that takes and answers several messages."""
        return self._several(method, Form.of(options))

    def _one(self, method: str, form: Form) -> Any:
        def ask(
            request: Any, *, timeout: float | None = None, metadata: Metadata | None = None, **_: Any
        ) -> InMemoryCall:
            return self._called(method, metadata, form, timeout, form.write(request))

        return ask

    def _several(self, method: str, form: Form) -> Any:
        def ask(*, timeout: float | None = None, metadata: Metadata | None = None, **_: Any) -> InMemoryCall:
            return self._called(method, metadata, form, timeout)

        return ask

    def _called(
        self,
        method: str,
        metadata: Metadata | None,
        form: Form,
        timeout: float | None,
        request: bytes | None = None,
    ) -> InMemoryCall:
        call = InMemoryCall(self._bridge, method, tuple(metadata or ()), form, timeout, request)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call
