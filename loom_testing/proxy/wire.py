"""`Wire`: one HTTP/2 connection on asyncio. The protocol itself is h2's.

It hands on what comes in, and takes what is to go out. Of each stream it keeps what the peer's window has no
room for yet, and says when that is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Protocol, cast

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from loom_testing.proxy.signals import Signal, Signals, TooLarge, signal_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Handler", "Headers", "Wire"]

Headers = list[tuple[bytes, bytes]]

RESET = struct.pack("ii", 1, 0)
"""Linger for no time: what is closed so is reset."""
WHOLE_WINDOW = 16 * 1024 * 1024
"""Of a connection; each stream has its own window, which is what holds a fast sender back."""
HEADER_BYTES = 64 * 1024
"""How large the metadata of a call may be."""


class Handler(Protocol):
    """What is told of a connection."""

    def on_settings(self, wire: Wire) -> None:
        """The peer has said what it takes."""

    def on_headers(self, wire: Wire, stream: int, headers: Headers, *, ended: bool) -> None:
        """A call begins, or is answered, or ends."""

    def on_data(self, wire: Wire, stream: int, data: bytes, *, ended: bool) -> None:
        """Bytes of a call; `wire.taken` when they have gone on."""

    def on_reset(self, wire: Wire, stream: int, code: int) -> None:
        """The peer broke a call."""

    def on_room(self, wire: Wire, stream: int) -> None:
        """All that was given of a call has gone out; 0 for all calls."""

    def on_signal(self, wire: Wire, signal: Signal, payload: bytes) -> None:
        """Something is said of the connection itself: a ping and its answer, a server that stops."""

    def on_lost(self, wire: Wire, *, in_order: bool) -> None:
        """The connection is over: closed by a side, or broken."""


class Wire(asyncio.Protocol):
    """One connection.

    Attributes:
        is_open: whether it still is.
        is_over: whether it is, or this side has ended it: what still comes is not told.
        is_greeted: whether this side has said hello.

    Args:
        handler: who is told.
        client_side: whether this side opened it.
        greets: whether to say hello as soon as it stands; else when `greet` is called.
    """

    def __init__(self, handler: Handler, *, client_side: bool, greets: bool = True) -> None:
        config = h2.config.H2Configuration(
            client_side=client_side,
            header_encoding=None,
            # What a peer sent is passed on as it came: judging it is the other side's business.
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
        )
        self.is_open = self.is_over = False
        self._handler = handler
        self._greets = greets
        self._http = h2.connection.H2Connection(config)
        self._transport: asyncio.Transport | None = None
        self._out: dict[int, deque[bytes | memoryview]] = {}
        self._ends: dict[int, Headers | None] = {}
        """Streams that end when all is out: with trailers, or with nothing more."""
        self._kept: list[bytes] = []
        self.is_greeted = False
        self._is_full = False
        self._is_held = self._is_turning = False
        self._held: list[bytes] = []
        self._signals = Signals(of_client=not client_side)

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True
        if self.is_over:
            self._transport.abort()
            return
        sock = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # no TCP
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._greets:
            self.greet()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if not self.is_greeted:
            self._kept.append(data)
            return
        try:
            data, signals = self._signals.feed(data)
            events = self._http.receive_data(data)
        except (h2.exceptions.ProtocolError, TooLarge):
            self._send()  # what it says of that to the peer
            self.close()
            return
        self._send()
        for event in events:
            if self.is_over:
                return
            self._tell(event)
        for signal, payload in signals:
            self._handler.on_signal(self, signal, payload)

    def eof_received(self) -> bool:
        """The peer says nothing more."""
        return False

    def pause_writing(self) -> None:
        """The peer takes nothing for now."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It does again."""
        self._is_full = False
        self._handler.on_room(self, 0)

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self.is_open, self.is_over = False, True
        self._handler.on_lost(self, in_order=error is None)

    # What is said.

    def greet(self, settings: dict[h2.settings.SettingCodes, int] | None = None) -> None:
        """Says hello, and what this side takes."""
        self.is_greeted = True
        self._http.local_settings = h2.settings.Settings(
            client=self._http.config.client_side,
            initial_values={h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: HEADER_BYTES, **(settings or {})},
        )
        self._http.initiate_connection()
        self._http.increment_flow_control_window(WHOLE_WINDOW)
        self._send()
        kept, self._kept = self._kept, []
        for data in kept:
            self.data_received(data)

    @property
    def peer_settings(self) -> h2.settings.Settings:
        """What the peer takes."""
        return self._http.remote_settings

    def open(self, headers: Headers, *, end: bool = False) -> int:
        """Begins a call. Answers its stream's number.

        Raises:
            h2.exceptions.ProtocolError: the peer takes no more calls, or none at all.
        """
        stream = self._http.get_next_available_stream_id()
        self._http.send_headers(stream, headers, end_stream=end)
        self._send()
        return stream

    def headers(self, stream: int, headers: Headers) -> None:
        """Answers a call's headers."""
        self._do(lambda: self._http.send_headers(stream, headers))

    def data(self, stream: int, data: bytes) -> None:
        """More bytes of a call."""
        self._out.setdefault(stream, deque()).append(data)
        if not self._is_turning:
            self._pour(stream)

    def end(self, stream: int, trailers: Headers | None = None) -> None:
        """This side says no more in a call, once all that was given is out."""
        self._ends[stream] = trailers
        if not (self._is_turning and stream in self._out):
            self._pour(stream)

    def reset(self, stream: int, code: int) -> None:
        """Breaks a call."""
        self._forget(stream)
        self._do(lambda: self._http.reset_stream(stream, code))

    def taken(self, stream: int, size: int) -> None:
        """So many bytes of a call have gone on: its peer may send as many more."""
        if size:
            self._do(lambda: self._http.increment_flow_control_window(size, stream))

    def has_room(self, stream: int) -> bool:
        """Whether all that was given of a call has gone out."""
        return not self._is_full and not self._out.get(stream)

    def hold(self) -> None:
        """Nothing goes out any more, not even an answer to a ping; what comes in is taken in."""
        self._is_held = True

    def release(self) -> None:
        """It does again, with what was kept back."""
        self._is_held = False
        held, self._held = self._held, []
        for data in held:
            self._write(data)
        self._send()

    def signal(self, signal: Signal, payload: bytes = b"") -> None:
        """Says something of the connection itself."""
        if self.is_greeted:
            self._send()
            self._write(signal_bytes(signal, payload))

    def close(self) -> None:
        """Ends it in order."""
        if self._transport is not None and self.is_open:
            with contextlib.suppress(h2.exceptions.ProtocolError):
                self._http.close_connection()
            self.hang_up()

    def hang_up(self) -> None:
        """Ends it without a word, when all that was said is out."""
        self.is_over = True
        if self._transport is not None and self.is_open:
            self._is_held = False
            self._send()
            self._transport.close()

    def abort(self) -> None:
        """Loses it: the peer sees it reset, without a word."""
        self.is_over = True
        if self._transport is None or not self.is_open:
            return
        with contextlib.suppress(OSError):  # it is closed already, or no TCP
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._transport.abort()

    # Inside.

    def _tell(self, event: h2.events.Event) -> None:
        handler = self._handler
        match event:
            case h2.events.RemoteSettingsChanged():
                handler.on_settings(self)
                self._pour_all()
            case h2.events.RequestReceived() | h2.events.ResponseReceived() | h2.events.TrailersReceived():
                ended = event.stream_ended is not None
                handler.on_headers(self, _number(event.stream_id), _raw(event.headers), ended=ended)
            case h2.events.DataReceived():
                self._took(event)
                ended = event.stream_ended is not None
                handler.on_data(self, _number(event.stream_id), bytes(event.data or b""), ended=ended)
            case h2.events.StreamReset():
                self._forget(_number(event.stream_id))
                handler.on_reset(self, _number(event.stream_id), int(event.error_code or 0))
            case h2.events.WindowUpdated():
                if event.stream_id:
                    self._pour(event.stream_id, tell=True)
                else:
                    self._pour_all()
            case h2.events.ConnectionTerminated() if self._transport is not None:
                self._transport.close()
            case _:
                pass

    def _took(self, event: h2.events.DataReceived) -> None:
        """The connection's own window is opened at once; a padding's share of the stream's as well."""
        size = event.flow_controlled_length or 0
        padding = size - len(event.data or b"")
        if size:
            self._do(lambda: self._http.increment_flow_control_window(size))
        if padding:
            self.taken(_number(event.stream_id), padding)

    def _pour_all(self) -> None:
        """There is room again, which all calls share: each takes its turn, and then those that have more.

        Whoever is told of room gives more at once. Were that sent at once, one call that has much would keep
        the others waiting for as long as it has it.
        """
        if self._is_turning:
            return
        self._is_turning = True
        try:
            waiting = list(self._out)
            while waiting:
                drained = [stream for stream in waiting if self._pour(stream, tell=True)]
                waiting = [stream for stream in drained if stream in self._out]
        finally:
            self._is_turning = False

    def _pour(self, stream: int, *, tell: bool = False) -> bool:
        """Sends what the peer has room for. Answers whether something waited and nothing waits any more."""
        waiting = self._out.get(stream)
        had = bool(waiting)
        try:
            while waiting:
                room = min(self._http.local_flow_control_window(stream), self._http.max_outbound_frame_size)
                chunk = memoryview(waiting[0])  # of large messages most is not copied each time
                if room <= 0 and chunk:
                    break
                self._http.send_data(stream, bytes(chunk[:room]))
                if len(chunk) > room:
                    waiting[0] = chunk[room:]
                else:
                    waiting.popleft()
            if not waiting and stream in self._ends:
                self._end_now(stream)
        except h2.exceptions.ProtocolError:
            self._forget(stream)  # the peer has ended it meanwhile
            waiting = None
        self._send()
        if waiting:
            return False
        self._out.pop(stream, None)
        if had and tell:
            self._handler.on_room(self, stream)
        return had

    def _end_now(self, stream: int) -> None:
        trailers = self._ends.pop(stream)
        if trailers is None:
            self._http.end_stream(stream)
        else:
            self._http.send_headers(stream, trailers, end_stream=True)

    def _forget(self, stream: int) -> None:
        self._out.pop(stream, None)
        self._ends.pop(stream, None)

    def _do(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(h2.exceptions.ProtocolError, KeyError):  # the peer has ended it meanwhile
            act()
        self._send()

    def _send(self) -> None:
        if self._is_held:
            return
        data = self._http.data_to_send()
        if data:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._is_held:
            self._held.append(data)
        elif self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _number(stream: int | None) -> int:
    assert stream is not None
    return stream


def _raw(headers: Iterable[tuple[bytes | str, bytes | str]] | None) -> Headers:
    return [(_bytes(name), _bytes(value)) for name, value in headers or ()]


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
