"""What HTTP/2 says about a connection itself, taken out of its bytes before h2 sees them: GOAWAY and PING.

A server that stops in order says GOAWAY first and lets the calls that are open go on (RFC 9113, 6.8). h2
takes every GOAWAY for the connection's end, and reads nothing after it. And h2 answers every PING at once: a
peer that is gone or frozen would seem to live as long as the proxy does. So both are looked for here, and
passed on.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Signal", "Signals", "TooLarge", "signal_bytes"]

HEADER = 9
PREFACE = 24
"""With so many bytes a client's connection begins, before its first frame."""
PING_TYPE, GOAWAY_TYPE = 6, 7
LARGEST = 16_384
"""Bytes of a frame's payload, unless a side allows more; the proxy does not."""
ACK = 1
ALL_STREAMS = 2**31 - 1
NO_ERROR = 0


class Signal(Enum):
    """What is said of the connection."""

    PING = "ping"
    PONG = "pong"
    GOAWAY = "goaway"


class TooLarge(Exception):  # noqa: N818 - named after what happened
    """A frame says that it is larger than any may be."""


class Signals:
    """Takes PINGs, their answers, and GOAWAYs without an error out of what a peer sends.

    Args:
        of_client: whether the peer is the client, whose bytes begin with a preface.
    """

    __slots__ = ("_buffer", "_preface")

    def __init__(self, *, of_client: bool) -> None:
        self._buffer = bytearray()
        self._preface = PREFACE if of_client else 0

    def feed(self, data: bytes) -> tuple[bytes, list[tuple[Signal, bytes]]]:
        """What is left of the bytes, whole frames, and the signals among them, each with its payload.

        Raises:
            TooLarge: a frame is larger than any may be; the connection is of no use any more.
        """
        self._buffer += data
        kept, signals = bytearray(), []
        position = min(self._preface, len(self._buffer))
        kept += self._buffer[:position]
        self._preface -= position
        while not self._preface and len(self._buffer) - position >= HEADER:
            size = HEADER + int.from_bytes(self._buffer[position : position + 3])
            if size > HEADER + LARGEST:
                raise TooLarge(f"a frame of {size - HEADER} bytes")
            if len(self._buffer) - position < size:
                break
            frame = self._buffer[position : position + size]
            position += size
            signal = _signal_of(frame)
            if signal is None:
                kept += frame
            else:
                signals.append((signal, bytes(frame[HEADER:])))
        del self._buffer[:position]
        return bytes(kept), signals


def signal_bytes(signal: Signal, payload: bytes = b"") -> bytes:
    """A signal as it stands in a connection. A GOAWAY is one without an error, about all calls."""
    if signal is Signal.GOAWAY:
        return _frame(GOAWAY_TYPE, 0, ALL_STREAMS.to_bytes(4) + NO_ERROR.to_bytes(4))
    return _frame(PING_TYPE, ACK if signal is Signal.PONG else 0, payload)


def _frame(kind: int, flags: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + bytes(4) + payload


def _signal_of(frame: bytearray) -> Signal | None:
    kind, flags, payload = frame[3], frame[4], frame[HEADER:]
    if any(frame[5:HEADER]):
        return None  # of a stream, which is an error that h2 knows
    if kind == PING_TYPE and len(payload) == 8:
        return Signal.PONG if flags & ACK else Signal.PING
    if kind == GOAWAY_TYPE and int.from_bytes(payload[4:8]) == NO_ERROR:
        return Signal.GOAWAY
    return None
