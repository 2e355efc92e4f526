"""Protobuf by hand, for checks about the wire itself: no generated code can hide a slip then.

A message is a list of fields in order, each its number and its value: an int for a number, bytes for what is
length-delimited (strings, bytes, embedded messages).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OURS", "Field", "decode", "encode", "entry", "foreign_fields", "one"]

OURS = 100
"""The fields of extensions are numbered from here (protocol, section 2)."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
BITS = 64

Field = tuple[int, int | bytes | str]


def encode(*fields: Field) -> bytes:
    """The bytes of a message with these fields. Negative numbers are written as int64 are."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts += [_varint(number << 3 | VARINT), _varint(value % (1 << BITS))]
        else:
            data = value.encode() if isinstance(value, str) else value
            parts += [_varint(number << 3 | LENGTH), _varint(len(data)), data]
    return b"".join(parts)


def entry(key: str, value: str) -> bytes:
    """One entry of a map of strings."""
    return encode((1, key), (2, value))


def decode(data: bytes) -> list[tuple[int, int | bytes]]:
    """The fields of a message, in order.

    Raises:
        ValueError: the bytes are no message.
    """
    fields: list[tuple[int, int | bytes]] = []
    position = 0
    while position < len(data):
        tag, position = _number(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _number(data, position)
            fields.append((number, value))
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(wire_type)
        if wire_type == LENGTH:
            size, position = _number(data, position)
        if size is None or position + size > len(data):
            raise ValueError(f"field {number} is cut off or of wire type {wire_type}")
        fields.append((number, data[position : position + size]))
        position += size
    return fields


def one(data: bytes, number: int) -> int | bytes | None:
    """The last value of a field, as every protobuf reader takes it; None where it is not there."""
    values = [value for field, value in decode(data) if field == number]
    return values[-1] if values else None


def foreign_fields(message: Message) -> Iterator[str]:
    """The fields of extensions in a message and what is within it, known or not: as `Delivery.100`."""
    name = message.DESCRIPTOR.name
    for unknown in UnknownFieldSet(message):  # type: ignore[attr-defined]  # its stubs lack what it is for
        yield f"{name}.{unknown.field_number}"
    for field, value in message.ListFields():
        if field.number >= OURS:
            yield f"{name}.{field.number}"
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for item in [value] if isinstance(value, Message) else value:
                yield from foreign_fields(item)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("the message is cut off within a number")
