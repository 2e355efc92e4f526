"""The envelope: how one event stands to the others. It travels as `Event.metadata`.

Six names of the metadata are the envelope's own; everything else is somebody else's and is kept in
`Envelope.extra`, untouched. So for every metadata whose own entries are not empty
`Envelope.from_metadata(metadata).to_metadata() == metadata`, and for every envelope
`Envelope.from_metadata(envelope.to_metadata()) == envelope`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loom.codes import Code
from loom.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CORRELATION_ID",
    "MAX_TTL_MS",
    "REPLY_TO",
    "RESERVED",
    "SENDER",
    "THREAD_ID",
    "TRACEPARENT",
    "TRACESTATE",
    "TTL_MS",
    "Envelope",
    "parse_ttl_ms",
]

THREAD_ID = "loom.thread_id"
CORRELATION_ID = "loom.correlation_id"
SENDER = "loom.sender"
REPLY_TO = "loom.reply_to"
TTL_MS = "loom.ttl_ms"
TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"

RESERVED = frozenset({THREAD_ID, CORRELATION_ID, SENDER, REPLY_TO, TTL_MS, TRACEPARENT, TRACESTATE})
"""The names in `Event.metadata` that are the envelope's own."""

MAX_TTL_MS = 9_999_999_999
"""The longest time to live, milliseconds (about 115 days)."""

# Exactly what a bridge accepts (PUB-5): ASCII digits, no sign, space or leading zero.
_TTL = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)

# The envelope's texts: field, then its name in the metadata.
_TEXTS = (
    ("thread_id", THREAD_ID),
    ("correlation_id", CORRELATION_ID),
    ("sender", SENDER),
    ("reply_to", REPLY_TO),
    ("traceparent", TRACEPARENT),
    ("tracestate", TRACESTATE),
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """How one event stands to the others. An empty text means unset.

    Attributes:
        thread_id: the thread of work the event belongs to; events of one thread are handled in order.
        correlation_id: what ties a reply to its request.
        sender: the id of the agent that published it.
        reply_to: the topic on which the sender awaits a reply.
        ttl_ms: how long the event may be delivered, and its receiver's budget, milliseconds from 1 to
            `MAX_TTL_MS` (PUB-7); None for no limit.
        traceparent: W3C trace context.
        tracestate: W3C trace context of the tracing systems.
        extra: every other entry of the metadata, by its own name.

    Raises:
        InvalidInput: `ttl_ms` is out of range (code INVALID_TTL), or `extra` holds one of the envelope's
            own names.
    """

    thread_id: str = ""
    correlation_id: str = ""
    sender: str = ""
    reply_to: str = ""
    ttl_ms: int | None = None
    traceparent: str = ""
    tracestate: str = ""
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.ttl_ms is not None:
            _check_ttl(self.ttl_ms)
        taken = sorted(RESERVED.intersection(self.extra))
        if taken:
            raise InvalidInput(
                f"extra metadata may not hold {taken[0]}: set the envelope's own field instead",
                details={f"extra.{taken[0]}": "is the envelope's own"},
            )
        # A copy of our own: what the caller does with its mapping later must not change a frozen envelope.
        object.__setattr__(self, "extra", dict(self.extra))

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Envelope:
        """Reads an envelope from an event's metadata.

        Raises:
            InvalidInput: `loom.ttl_ms` is malformed (code INVALID_TTL).
        """
        ttl = metadata.get(TTL_MS, "")
        return cls(
            **{name: metadata.get(key, "") for name, key in _TEXTS},
            ttl_ms=parse_ttl_ms(ttl) if ttl else None,
            extra={key: value for key, value in metadata.items() if key not in RESERVED},
        )

    def to_metadata(self) -> dict[str, str]:
        """The metadata that carries this envelope: what is set of its own, and `extra`."""
        metadata = dict(self.extra)
        for name, key in _TEXTS:
            value: str = getattr(self, name)
            if value:
                metadata[key] = value
        if self.ttl_ms is not None:
            metadata[TTL_MS] = str(self.ttl_ms)
        return metadata

    def child(
        self,
        sender: str,
        *,
        thread_id: str | None = None,
        correlation_id: str = "",
        reply_to: str = "",
        ttl_ms: int | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Envelope:
        """The envelope of an event published because of this one: same thread, same trace.

        What belongs to this event alone (its correlation, whom to answer, how long it may live, foreign
        metadata) is not handed on.

        Args:
            sender: the publishing agent's id.
            thread_id: another thread; None stays in this one.
            correlation_id: as in `Envelope`.
            reply_to: as in `Envelope`.
            ttl_ms: as in `Envelope`.
            extra: as in `Envelope`.
        """
        return Envelope(
            thread_id=self.thread_id if thread_id is None else thread_id,
            correlation_id=correlation_id,
            sender=sender,
            reply_to=reply_to,
            ttl_ms=ttl_ms,
            traceparent=self.traceparent,
            tracestate=self.tracestate,
            extra=extra or {},
        )

    def reply(
        self, sender: str, *, ttl_ms: int | None = None, extra: Mapping[str, str] | None = None
    ) -> Envelope:
        """The envelope of the reply to this event: a child that keeps the correlation id.

        It is published to this envelope's `reply_to`.
        """
        return self.child(sender, correlation_id=self.correlation_id, ttl_ms=ttl_ms, extra=extra)


def parse_ttl_ms(text: str) -> int:
    """Reads a `loom.ttl_ms`, milliseconds.

    Raises:
        InvalidInput: it is not decimal digits without sign, space or leading zero, or above `MAX_TTL_MS`
            (code INVALID_TTL).
    """
    if not _TTL.fullmatch(text):
        raise _ttl_error(text)
    return int(text)


def _check_ttl(value: object) -> None:
    """A time to live given by the program; a bool is not a number here."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_TTL_MS:
        raise _ttl_error(value)


def _ttl_error(value: object) -> InvalidInput:
    shown = repr(value)
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    return InvalidInput(
        f"{TTL_MS} is {shown}; it must be a whole number of milliseconds from 1 to {MAX_TTL_MS}",
        code=Code.INVALID_TTL,
        details={"ttl_ms": f"not a whole number of milliseconds from 1 to {MAX_TTL_MS}"},
    )
