"""Checks a carried event once, on arrival, without decoding it (PUB-3, PUB-5, LIM-2).

A bridge carries an event as the bytes it came in. So that no subscriber ever receives what its protobuf
library refuses, the bytes are walked once: tags, wire types of the known fields, lengths, UTF-8, nesting. The
walk is written out rather than left to a protobuf library, because libraries differ in what they let
through, and both engines must refuse the same bytes. On the way it picks up the few things a bridge looks at.

Stricter than some libraries, on purpose: a known field with another wire type, a tag of more than five bytes
and a number of more than 64 bits are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TTL_KEY", "EventView", "Malformed", "scan"]

TTL_KEY = b"loom.ttl_ms"
GROUPS_DEEP = 64
WIDE = 0x80
"""From here on a tag's first byte says that it has more of them."""

VARINT, FIXED64, LENGTH, START_GROUP, END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5

_ID, _TYPE, _METADATA = 0x0A, 0x12, 0x2A
_STRINGS = frozenset({_ID, _TYPE, 0x22, 0x42})
_PAYLOAD = 0x32
_NUMBERS = frozenset({0x18, 0x48})
_CONFIDENCE = 0x3D
_KEY, _VALUE = 0x0A, 0x12
_LAST_KNOWN_FIELD = 9


class Malformed(Exception):  # noqa: N818 - it is a verdict on bytes, caught where the bytes came in
    """The bytes are no well-formed loom.v1.Event; the text says where and why."""


@dataclass(slots=True)
class EventView:
    """What a bridge looks at: the id (for errors), the type (for filters), the TTL as it was written."""

    id: str = ""
    type: str = ""
    ttl: bytes | None = None


def scan(data: bytes) -> EventView:
    """Walks an encoded event.

    Raises:
        Malformed: it is not well-formed.
    """
    view = EventView()
    position, end = 0, len(data)
    while position < end:
        tag, content = data[position], position + 1
        if tag >= WIDE:
            tag, content = _wide_tag(data, position, end)
        if tag in _STRINGS:
            start, position = _slice(data, content, end)
            text = _utf8(data, start, position)
            if tag == _ID:
                view.id = text
            elif tag == _TYPE:
                view.type = text
        elif tag == _METADATA:
            start, position = _slice(data, content, end)
            _entry(data, start, position, view)
        elif tag == _PAYLOAD:
            position = _slice(data, content, end)[1]
        elif tag in _NUMBERS:
            position = _varint(data, content, end)[1]
        elif tag == _CONFIDENCE:
            position = _skip(content, 4, end)
        else:
            position = _unknown(data, position, end, _LAST_KNOWN_FIELD)
    return view


def _entry(data: bytes, position: int, end: int, view: EventView) -> None:
    """One entry of the metadata map."""
    key, value = b"", b""
    while position < end:
        tag, content = data[position], position + 1
        if tag >= WIDE:
            tag, content = _wide_tag(data, position, end)
        if tag == _KEY:
            start, position = _slice(data, content, end)
            _utf8(data, start, position)
            key = data[start:position]
        elif tag == _VALUE:
            start, position = _slice(data, content, end)
            _utf8(data, start, position)
            value = data[start:position]
        else:
            position = _unknown(data, position, end, 2)
    if key == TTL_KEY:
        view.ttl = value


def _unknown(data: bytes, position: int, end: int, last_known: int) -> int:
    """Passes over a field of a number that is not known, groups included; answers where it ends."""
    open_groups: list[int] = []
    while True:
        field, wire_type, position = _tag(data, position, end)
        if not open_groups and field <= last_known:
            raise Malformed(f"field {field} has wire type {wire_type}")
        if wire_type == VARINT:
            position = _varint(data, position, end)[1]
        elif wire_type == FIXED64:
            position = _skip(position, 8, end)
        elif wire_type == LENGTH:
            position = _slice(data, position, end)[1]
        elif wire_type == START_GROUP:
            open_groups.append(field)
            if len(open_groups) > GROUPS_DEEP:
                raise Malformed(f"groups are nested more than {GROUPS_DEEP} deep")
        elif wire_type == END_GROUP:
            if not open_groups or open_groups.pop() != field:
                raise Malformed(f"group {field} ends without having begun")
        elif wire_type == FIXED32:
            position = _skip(position, 4, end)
        else:
            raise Malformed(f"field {field} has the unknown wire type {wire_type}")
        if not open_groups:
            return position


def _wide_tag(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A tag of several bytes, which a known field may have too, and where the field's content begins."""
    field, wire_type, content = _tag(data, position, end)
    return field << 3 | wire_type, content


def _tag(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """Field number, wire type, and where the field's content begins."""
    tag, after = _varint(data, position, end)
    if after - position > 5 or tag > 0xFFFFFFFF:
        raise Malformed("a tag has more than 32 bits")
    if tag >> 3 == 0:
        raise Malformed("a field has the number 0")
    return tag >> 3, tag & 7, after


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        if shift == 63 and byte > 1:
            raise Malformed("a number has more than 64 bits")
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise Malformed("it ends inside a number")


def _slice(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Where a length-delimited content starts and stops."""
    if position < end and data[position] < 0x80:
        length = data[position]
        position += 1
    else:
        length, position = _varint(data, position, end)
    if length > end - position:
        raise Malformed("a field is longer than what is left")
    return position, position + length


def _skip(position: int, size: int, end: int) -> int:
    if size > end - position:
        raise Malformed("it ends inside a number")
    return position + size


def _utf8(data: bytes, start: int, stop: int) -> str:
    try:
        return str(data[start:stop], "utf-8")
    except UnicodeDecodeError:
        raise Malformed("a string is not UTF-8") from None
