"""gRPC messages in a stream of bytes: a flag, a length, and so many bytes, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MAX_MESSAGE_BYTES", "Frame", "Frames"]

PREFIX = 5
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Larger ones are passed on in pieces, as they come: so a bridge refuses one when it is announced (LIM-1.10).
This is what a bridge takes unless it was told otherwise."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.

    Attributes:
        data: its bytes.
        flag: whether they are compressed; passed on as it came.
        is_whole: whether it is one; else these are bytes of one that is not taken in whole: it is too large,
            or the call ended in its middle.
        completes: whether with it a message is whole.
    """

    data: bytes
    flag: int = 0
    is_whole: bool = True
    completes: bool = True

    def wire(self) -> bytes:
        """As it stands in the stream."""
        if not self.is_whole:
            return self.data
        return bytes([self.flag]) + len(self.data).to_bytes(4) + self.data


class Frames:
    """Cuts one direction of a call into messages."""

    __slots__ = ("_buffer", "_in_pieces")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_pieces = 0
        """Bytes still to come of a message that is too large to be taken in whole."""

    def feed(self, data: bytes) -> list[Frame]:
        """The messages that are whole now, and the pieces of those that are too large."""
        self._buffer += data
        found: list[Frame] = []
        while True:
            if self._in_pieces and self._buffer:
                found.append(self._piece(self._in_pieces))
                continue
            if len(self._buffer) < PREFIX:
                return found
            size = int.from_bytes(self._buffer[1:PREFIX])
            if size > MAX_MESSAGE_BYTES:
                found.append(self._piece(PREFIX + size))
            elif len(self._buffer) < PREFIX + size:
                return found
            else:
                found.append(Frame(bytes(self._buffer[PREFIX : PREFIX + size]), self._buffer[0]))
                del self._buffer[: PREFIX + size]

    def _piece(self, left: int) -> Frame:
        """What has come of a message of which so many bytes are left."""
        data = bytes(self._buffer[:left])
        del self._buffer[:left]
        self._in_pieces = left - len(data)
        return Frame(data, is_whole=False, completes=not self._in_pieces)

    def rest(self) -> Frame | None:
        """What is left when the direction ends: bytes that are no whole message."""
        if not self._buffer:
            return None
        rest = Frame(bytes(self._buffer), is_whole=False, completes=False)
        self._buffer.clear()
        return rest
