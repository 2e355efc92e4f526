"""What of a call's metadata the proxy reads and writes; all else is passed on as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import grpc

from loom_testing.participants import Tag

if TYPE_CHECKING:
    from loom_testing.faults.verdict import Status
    from loom_testing.proxy.wire import Headers

__all__ = [
    "NAMESPACE",
    "PARTICIPANT",
    "answer_of",
    "found",
    "metadata_of",
    "namespace_of",
    "replaced",
    "status_of",
    "tag_of",
    "trailers_of",
]

NAMESPACE = b"loom-namespace"
PARTICIPANT = b"loom-participant"
DEFAULT_NAMESPACE = "default"
CODES = {code.name: int(code.value[0]) for code in grpc.StatusCode}
NAMES = {number: name for name, number in CODES.items()}
PRINTABLE = "".join(chr(sign) for sign in range(0x20, 0x7F) if chr(sign) != "%")


def found(headers: Headers, name: bytes) -> bytes | None:
    """A header's value; None where it is not there."""
    return next((value for key, value in headers if key == name), None)


def replaced(headers: Headers, name: bytes, value: bytes | None) -> Headers:
    """The headers with one of them changed, or left out."""
    kept = [(key, old) for key, old in headers if key != name]
    return kept if value is None else [*kept, (name, value)]


def namespace_of(headers: Headers) -> str:
    """The namespace that a call is about."""
    named = found(headers, NAMESPACE)
    return DEFAULT_NAMESPACE if named is None else named.decode("ascii", "replace")


def tag_of(headers: Headers) -> Tag | None:
    """Which participant's call it is; None for nobody's. A malformed one is the bridge's to refuse."""
    text = found(headers, PARTICIPANT)
    if text is None:
        return None
    try:
        return Tag.read(text.decode("ascii", "replace"))
    except ValueError:
        return None


def metadata_of(headers: Headers) -> list[tuple[str, str | bytes]]:
    """The parties' own metadata, as a transcript takes it."""
    return [
        (key.decode("ascii", "replace"), value.decode("utf-8", "replace"))
        for key, value in headers
        if not key.startswith(b":") and key not in (PARTICIPANT, NAMESPACE)
    ]


def answer_of(status: Status) -> Headers:
    """What ends a call that was not answered yet."""
    return [
        (b":status", b"200"),
        (b"content-type", b"application/grpc"),
        *trailers_of(status),
    ]


def trailers_of(status: Status) -> Headers:
    """What ends a call."""
    return [
        (b"grpc-status", str(CODES[status.code]).encode()),
        (b"grpc-message", quote(status.message, safe=PRINTABLE).encode()),
    ]


def status_of(headers: Headers) -> tuple[str, str]:
    """The status that a call ends with: its name and its text."""
    code = found(headers, b"grpc-status")
    number = int(code) if code is not None and code.isdigit() else CODES["UNKNOWN"]
    message = unquote((found(headers, b"grpc-message") or b"").decode("utf-8", "replace"))
    return NAMES.get(number, "UNKNOWN"), message
