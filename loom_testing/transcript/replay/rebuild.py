"""Messages from a transcript's JSON: the inverse of `loom_testing.transcript.plain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from loom_testing.transcript.entry import TranscriptError, Way
from loom_testing.transcript.payloads import payload_bytes
from loom_testing.transcript.plain import PAYLOADS, UNKNOWN
from loom_testing.transcript.wire import ONEOFS, message_class

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor

    from loom_testing.transcript.entry import Entry

__all__ = ["rebuilt", "stream_message"]


def rebuilt(entry: Entry, body: Any) -> Message:
    """The message that an entry tells of, its placeholders already replaced in `body`.

    Raises:
        TranscriptError: the entry tells of none that this Loom knows.
    """
    cls = message_class(entry.rpc, entry.way)
    if cls is None:
        raise TranscriptError(f"there is no method {entry.rpc!r}: record the transcript again")
    message = cls()
    target = message
    if cls.DESCRIPTOR.full_name in ONEOFS and entry.name != "empty":
        if entry.name not in cls.DESCRIPTOR.fields_by_name:
            way = "to" if entry.way is Way.SENT else "from"
            raise TranscriptError(
                f"no message {entry.name!r} goes {way} a bridge: record the transcript again"
            )
        target = getattr(message, entry.name)
        target.SetInParent()
    try:
        _fill(target, body or {})
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise TranscriptError(
            f"a {entry.name} of {entry.who} is no message of this Loom ({error}): record the transcript again"
        ) from None
    return message


def stream_message(entry: Entry, body: Any) -> bytes:
    """The same, encoded."""
    return rebuilt(entry, body).SerializeToString()


def _fill(message: Message, body: dict[str, Any]) -> None:
    fields: Any = message.DESCRIPTOR.fields_by_name
    for name, value in body.items():
        if name == UNKNOWN:
            continue  # only their numbers are known
        if name not in fields:
            raise ValueError(f"it has no field {name!r}")
        _set(message, fields[name], value)


def _set(message: Message, field: FieldDescriptor, value: Any) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        getattr(message, field.name).update(value)
    elif field.is_repeated:
        many = getattr(message, field.name)
        for item in value:
            if field.message_type is not None:
                _fill(many.add(), item)
            else:
                many.append(_scalar(field, item))
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        _fill(inner, value)
    else:
        setattr(message, field.name, _scalar(field, value))


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    if field.full_name in PAYLOADS:
        return payload_bytes(value)
    if field.enum_type is not None and isinstance(value, str):
        return field.enum_type.values_by_name[value].number
    return value
