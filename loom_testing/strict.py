"""Refuses what some protobuf libraries read and others do not (LIM-2), so that a bridge on any of them
answers alike.

Libraries differ on bytes that no library writes: a known field with another wire type is skipped by one and
refused by another; so are the field number 0, a number of more than 64 bits, a tag or a length of more than
five bytes, groups nested very deep. All of these are refused here. A message that is written as the library
itself would write it holds none of them and is not walked.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["NotStrict", "check"]

LEVELS = 100
"""How deep messages and groups may be nested within one another."""
TAG_BYTES = LENGTH_BYTES = 5
VARINT, FIXED64, LENGTH, START_GROUP, END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5

_OTHERS = {
    FieldDescriptor.TYPE_STRING: LENGTH,
    FieldDescriptor.TYPE_BYTES: LENGTH,
    FieldDescriptor.TYPE_MESSAGE: LENGTH,
    FieldDescriptor.TYPE_FLOAT: FIXED32,
    FieldDescriptor.TYPE_FIXED32: FIXED32,
    FieldDescriptor.TYPE_SFIXED32: FIXED32,
    FieldDescriptor.TYPE_DOUBLE: FIXED64,
    FieldDescriptor.TYPE_FIXED64: FIXED64,
    FieldDescriptor.TYPE_SFIXED64: FIXED64,
}
"""Wire types other than a varint."""

Kind = Any
"""A message's descriptor: the library has several types of them."""
Shape = dict[int, tuple[int, Kind]]
"""A message's fields by number: wire type, and what is within if that is a message."""


class NotStrict(Exception):  # noqa: N818 - a verdict on bytes, answered where they came in
    """The bytes are not what every library reads; the text says why."""


def check(message: Message, data: bytes) -> None:
    """Checks the bytes that `message` was read from. Fields that its type does not know are taken from it.

    Raises:
        NotStrict: another library would refuse them.
    """
    message.DiscardUnknownFields()
    if message.SerializeToString() != data:
        _message(data, 0, len(data), type(message).DESCRIPTOR, LEVELS)


@cache
def _shape(kind: Kind) -> Shape:
    return {field.number: (_OTHERS.get(field.type, VARINT), field.message_type) for field in kind.fields}


def _message(data: bytes, position: int, end: int, kind: Kind, levels: int) -> None:
    shape = _shape(kind)
    while position < end:
        number, wire_type, position = _tag(data, position, end)
        known = shape.get(number)
        if known is None:
            position = _skip(data, position, end, number, wire_type, levels)
            continue
        expected, within = known
        if wire_type != expected:
            raise NotStrict(f"field {number} has wire type {wire_type}")
        start, position = _content(data, position, end, wire_type)
        if within is not None:
            if not levels:
                raise NotStrict(f"messages are nested more than {LEVELS} deep")
            _message(data, start, position, within, levels - 1)


def _skip(data: bytes, position: int, end: int, number: int, wire_type: int, levels: int) -> int:
    """Passes over a field that is not known; answers where it ends."""
    if not levels:
        raise NotStrict(f"groups are nested more than {LEVELS} deep")
    if wire_type != START_GROUP:
        return _content(data, position, end, wire_type)[1]
    while True:
        inner, inner_type, position = _tag(data, position, end)
        if inner_type == END_GROUP:
            if inner != number:
                raise NotStrict(f"group {inner} ends without having begun")
            return position
        position = _skip(data, position, end, inner, inner_type, levels - 1)


def _content(data: bytes, position: int, end: int, wire_type: int) -> tuple[int, int]:
    """Where a field's content starts and stops."""
    if wire_type == VARINT:
        stop = _varint(data, position, end)[1]
    elif wire_type == LENGTH:
        length, after = _varint(data, position, end)
        if after - position > LENGTH_BYTES:
            raise NotStrict("a length has more than five bytes")
        position, stop = after, after + length
    elif wire_type in (FIXED32, FIXED64):
        stop = position + (4 if wire_type == FIXED32 else 8)
    else:
        raise NotStrict(f"a field has the wire type {wire_type}")
    if stop > end:
        raise NotStrict("a field is longer than what is left")
    return position, stop


def _tag(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """Field number, wire type, and where the field's content begins."""
    tag, after = _varint(data, position, end)
    if after - position > TAG_BYTES or tag > 0xFFFFFFFF:
        raise NotStrict("a tag has more than 32 bits")
    if tag >> 3 == 0:
        raise NotStrict("a field has the number 0")
    return tag >> 3, tag & 7, after


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        if shift == 63 and byte > 1:
            raise NotStrict("a number has more than 64 bits")
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise NotStrict("it ends inside a number")
