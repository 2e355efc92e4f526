"""HTTP/2 by hand, for checks about what no gRPC library would send: broken messages, half frames, many pings.

One connection, one call on it, headers without compression. Of what comes back, only settings, the kinds of
frames and the call's gRPC status are read.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, Any

import grpc

from loom_conformance.expect import Violation
from loom_conformance.stream import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from loom_conformance.bench import Bench
    from loom_conformance.tape import Tape

__all__ = ["MAX_CONCURRENT_STREAMS", "Http2", "connected", "frame", "prefixed"]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CALL = 1
"""The stream of the one call."""
MAX_CONCURRENT_STREAMS = 3
"""The number of this setting."""

STATUS = b"grpc-status"
STATUS_HUFFMAN = bytes.fromhex("9acac8b21234da8f")
"""The same name as HPACK shortens it (RFC 7541, appendix B)."""
DIGITS = ("00000", "00001", "00010", "011001", "011010", "011011", "011100", "011101", "011110", "011111")
"""How it shortens the digits."""
CODES = {int(code.value[0]): code for code in grpc.StatusCode}


@contextlib.asynccontextmanager
async def connected(
    bench: Bench, who: str = "raw", *, greet: bool = True, address: str = ""
) -> AsyncIterator[Http2]:
    """A connection to the bridge, or to the address of another; with `greet` it has spoken HTTP/2 already.

    Raises:
        RuntimeError: the bridge speaks TLS.
    """
    if bench.target.credentials is not None:
        raise RuntimeError("bytes by hand are sent to bridges without TLS only")
    host, _, port = (address or bench.target.address).rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    connection = Http2(reader, writer, who, bench.tape)
    try:
        if greet:
            await connection.greet()
        yield connection
    finally:
        await connection.close()


def prefixed(message: bytes, *, length: int | None = None) -> bytes:
    """A message as gRPC sends it, after its length, or after another one than its own."""
    return b"\0" + (len(message) if length is None else length).to_bytes(4, "big") + message


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    """One frame."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


class Http2:
    """One connection, without a gRPC library.

    Attributes:
        settings: what the bridge announced, by number.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str, tape: Tape
    ) -> None:
        self.settings: dict[int, int] = {}
        self._reader = reader
        self._writer = writer
        self._who = who
        self._tape = tape

    async def greet(self) -> None:
        """Says what a client says first, and reads the bridge's settings.

        Raises:
            Violation: it does not speak HTTP/2.
        """
        await self.send(PREFACE + frame(SETTINGS), "HTTP/2 preface and settings")
        while not self.settings:
            try:
                kind, flags, payload = await self._read()
            except (asyncio.IncompleteReadError, OSError):
                raise Violation(f"the connection of {self._who}", "settings", "its end") from None
            if kind == SETTINGS and not flags & ACK:
                self.settings = dict(struct.iter_unpack(">HI", payload))
                await self.send(frame(SETTINGS, flags=ACK), "settings acknowledged")

    async def call(self, method: str, *metadata: tuple[str, str]) -> None:
        """Begins the call (`/package.Service/Method`)."""
        fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", method),
            (":authority", "bridge"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            *metadata,
        ]
        block = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)
        await self.send(frame(HEADERS, block, flags=END_HEADERS, stream=CALL), f"headers of {method}")

    async def data(self, data: bytes, what: str, *, end: bool = False) -> None:
        """Sends a frame of data of the call; with `end`, the client's side of it is closed."""
        flags = END_STREAM if end else 0
        await self.send(frame(DATA, data, flags=flags, stream=CALL), what)

    async def send(self, data: bytes, what: str) -> None:
        """Sends bytes as they are; nothing where the bridge has hung up."""
        self._tape.sent(self._who, "HTTP/2", f"{what} ({len(data)} bytes)")
        with contextlib.suppress(OSError):
            self._writer.write(data)
            await self._writer.drain()

    async def headers(self) -> None:
        """Waits until the bridge has accepted the call: its response headers.

        Raises:
            Violation: they do not come.
        """
        try:
            while (await self._read())[0] != HEADERS:
                pass
        except (asyncio.IncompleteReadError, OSError):
            raise Violation(f"the call of {self._who}", "response headers", "the connection's end") from None

    async def status(self) -> grpc.StatusCode | None:
        """The gRPC status with which the call ends; None where it is reset, or the connection ends.

        Raises:
            Violation: it does not end in time.
        """
        while True:
            try:
                kind, flags, payload = await self._read()
            except (asyncio.IncompleteReadError, OSError):
                self._tape.received(self._who, "HTTP/2", "the connection ended")
                return None
            if kind == RESET:
                self._tape.received(self._who, "HTTP/2", "the call was reset")
                return None
            if kind == HEADERS and flags & END_STREAM:
                code = _grpc_status(payload)
                self._tape.received(self._who, "HTTP/2", f"end: {code.name if code else 'no gRPC status'}")
                return code

    async def pings(self, count: int) -> bool:
        """Pings so often; whether all pings came back before the bridge ended the connection, if it did."""
        acknowledged = 0
        try:
            for number in range(count):
                self._writer.write(frame(PING, number.to_bytes(8, "big")))
                await self._writer.drain()
                while acknowledged <= number:
                    kind, flags, _ = await self._read()
                    if kind == GOAWAY:
                        return False
                    acknowledged += kind == PING and bool(flags & ACK)
        except (asyncio.IncompleteReadError, OSError):
            return False
        return True

    def abort(self) -> None:
        """Ends the connection at once, without a word."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Ends the connection, whatever became of it."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> tuple[int, int, bytes]:
        """Kind, flags and payload of the next frame."""
        head = await self._patiently(self._reader.readexactly(9), "a frame")
        payload = await self._patiently(self._reader.readexactly(int.from_bytes(head[:3], "big")), "a frame")
        if head[3] == PING and not head[4] & ACK:
            self._writer.write(frame(PING, payload, flags=ACK))  # else the bridge takes us for dead
        return head[3], head[4], payload

    async def _patiently(self, reading: Coroutine[Any, Any, bytes], what: str) -> bytes:
        try:
            async with asyncio.timeout(PATIENCE / 2):
                return await reading
        except TimeoutError:
            raise Violation(f"the connection of {self._who}", what, "nothing in time") from None


def _text(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data


def _grpc_status(block: bytes) -> grpc.StatusCode | None:
    """The gRPC status in a block of headers: written out, or shortened."""
    for name, first in ((STATUS, 0), (STATUS_HUFFMAN, 0x80)):
        _, found, after = block.partition(bytes([first + len(name)]) + name)
        if not found:
            continue
        value = after[1 : 1 + (after[0] & 0x7F)]
        text = _digits(value) if after[0] & 0x80 else value.decode("ascii", "replace")
        return CODES.get(int(text)) if text.isdecimal() else None
    return None


def _digits(data: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in data)
    text = ""
    while found := [number for number, code in enumerate(DIGITS) if bits.startswith(code)]:
        text += str(found[0])
        bits = bits[len(DIGITS[found[0]]) :]
    return text
