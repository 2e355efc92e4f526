"""A received event, and the making of those that are sent."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from loom.envelope import TTL_MS, Envelope
from loom.errors import InvalidInput
from loom.payload import decode_into, decode_json
from loom.v1 import event_pb2

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping, Sequence

__all__ = ["Event", "make_event"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it arrived.

    Attributes:
        topic: the concrete topic it was published to.
        id: its own id, chosen by its publisher.
        type: what kind of event it is.
        source: who made it, for people to read.
        payload: its content, as it is.
        envelope: how it stands to other events.
        metadata: all of its metadata, the envelope's entries included.
        tags: free labels.
        confidence: how sure the publisher is, 0 to 1.
        priority: higher is more urgent.
        timestamp_ms: when the publisher made it, milliseconds since the Unix epoch.
    """

    topic: str
    id: str
    type: str
    source: str
    payload: bytes
    envelope: Envelope
    metadata: Mapping[str, str]
    tags: tuple[str, ...] = ()
    confidence: float = 0.0
    priority: int = 0
    timestamp_ms: int = 0

    @classmethod
    def from_message(cls, topic: str, message: event_pb2.Event) -> Event:
        """An event of the wire."""
        metadata = dict(message.metadata)
        return cls(
            topic=topic,
            id=message.id,
            type=message.type,
            source=message.source,
            payload=message.payload,
            envelope=_lenient(metadata),
            metadata=metadata,
            tags=tuple(message.tags),
            confidence=message.confidence,
            priority=message.priority,
            timestamp_ms=message.timestamp_ms,
        )

    @property
    def sender(self) -> str:
        """The agent that published it, as far as it says so."""
        return self.envelope.sender or self.source

    def json(self) -> Any:
        """The payload as plain Python data.

        Raises:
            PayloadError: it is not JSON.
        """
        return decode_json(self.payload)

    @overload
    def into(self, model: builtins.type[T]) -> T: ...
    @overload
    def into(self, model: Any) -> Any: ...
    def into(self, model: Any) -> Any:
        """The payload, validated into a type.

        Raises:
            InvalidInput: it does not fit; `details` names the fields.
            PayloadError: it is not JSON.
        """
        return decode_into(self.payload, model, what=f"the payload of {self.type or self.topic}")


def make_event(
    type: str,
    payload: bytes,
    envelope: Envelope,
    *,
    tags: Sequence[str] = (),
    confidence: float = 0.0,
    priority: int = 0,
) -> event_pb2.Event:
    """An event to be published now, with an id of its own."""
    return event_pb2.Event(
        id=uuid.uuid4().hex,
        type=type,
        timestamp_ms=time.time_ns() // 1_000_000,
        source=envelope.sender,
        metadata=envelope.to_metadata(),
        payload=payload,
        tags=tags,
        confidence=confidence,
        priority=priority,
    )


def _lenient(metadata: dict[str, str]) -> Envelope:
    """The envelope; a malformed time to live, which only a base-level bridge lets through, is no reason to
    refuse the event.
    """
    try:
        return Envelope.from_metadata(metadata)
    except InvalidInput:
        return replace(Envelope.from_metadata({**metadata, TTL_MS: ""}), ttl_ms=None)
