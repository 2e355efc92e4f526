"""`ControlCall`: one streaming call that the proxy itself makes to the bridge."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import h2.exceptions

from loom_testing.driver import Refused
from loom_testing.proxy.framing import Frame, Frames
from loom_testing.proxy.headers import status_of
from loom_testing.proxy.signals import Signal

if TYPE_CHECKING:
    from loom_testing.proxy.dialling import Dial
    from loom_testing.proxy.wire import Headers, Wire

__all__ = ["ControlCall"]


class ControlCall:
    """A call of the proxy's own, on a connection of its own. It is a `Handler` of that connection."""

    def __init__(self) -> None:
        self._wire: Wire | None = None
        self._stream = 0
        self._frames = Frames()
        self._came: asyncio.Queue[bytes | Exception] = asyncio.Queue()

    @classmethod
    async def opened(cls, dial: Dial, method: str) -> ControlCall:
        """Makes the call.

        Raises:
            OSError: nobody answers there, or hangs up at once.
        """
        call = cls()
        call._wire = await dial.open(call)
        headers = [
            (b":method", b"POST"),
            (b":scheme", dial.scheme),
            (b":path", method.encode()),
            (b":authority", dial.endpoint.address.encode()),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
        ]
        if dial.endpoint.token is not None:
            headers.append((b"authorization", f"Bearer {dial.endpoint.token}".encode()))
        try:
            call._stream = call._wire.open(headers)
        except h2.exceptions.ProtocolError as error:
            call.close()
            raise ConnectionError(f"{dial.endpoint.address} takes no call: {error}") from None
        return call

    def send(self, data: bytes) -> None:
        """Sends a message."""
        if self._wire is not None:
            self._wire.data(self._stream, Frame(data).wire())

    async def receive(self) -> bytes:
        """The next message.

        Raises:
            Refused: the bridge ended the call.
            OSError: the connection was lost.
        """
        came = await self._came.get()
        if isinstance(came, Exception):
            raise came
        return came

    def close(self) -> None:
        """Ends the call and its connection."""
        if self._wire is not None:
            self._wire.close()

    # As a handler.

    def on_settings(self, wire: Wire) -> None:
        """Nothing depends on it."""

    def on_headers(self, wire: Wire, stream: int, headers: Headers, *, ended: bool) -> None:
        """The call is answered, or over."""
        if ended:
            self._came.put_nowait(Refused(*status_of(headers)))

    def on_data(self, wire: Wire, stream: int, data: bytes, *, ended: bool) -> None:
        """Messages came."""
        for frame in self._frames.feed(data):
            self._came.put_nowait(frame.data)
        wire.taken(stream, len(data))
        if ended:
            self._came.put_nowait(Refused("UNKNOWN", "the bridge ended the call without a status"))

    def on_reset(self, wire: Wire, stream: int, code: int) -> None:
        """The bridge broke it."""
        self._came.put_nowait(ConnectionResetError(f"reset with code {code}"))

    def on_room(self, wire: Wire, stream: int) -> None:
        """Nothing waits for it."""

    def on_signal(self, wire: Wire, signal: Signal, payload: bytes) -> None:
        """The bridge asks whether anybody is there; or takes no more calls, but this one goes on."""
        if signal is Signal.PING:
            wire.signal(Signal.PONG, payload)

    def on_lost(self, wire: Wire, *, in_order: bool) -> None:
        """The connection is over."""
        self._came.put_nowait(ConnectionResetError("the connection was lost"))
