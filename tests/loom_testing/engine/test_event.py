"""The check of carried events: what protobuf writes passes, what it refuses does not (PUB-3, LIM-2)."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from loom.v1.event_pb2 import Event
from loom_testing.engine.event import Malformed, scan

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
EVENTS = st.builds(
    Event,
    id=TEXT,
    type=TEXT,
    timestamp_ms=st.integers(-(2**63), 2**63 - 1),
    source=TEXT,
    metadata=st.dictionaries(TEXT, TEXT, max_size=3),
    payload=st.binary(max_size=300),
    confidence=st.floats(width=32, allow_nan=False),
    tags=st.lists(TEXT, max_size=3),
    priority=st.integers(-(2**31), 2**31 - 1),
)


@given(EVENTS)
def test_what_protobuf_writes_passes(event: Event) -> None:
    view = scan(event.SerializeToString())
    assert (view.id, view.type, view.ttl) == (event.id, event.type, None)


@given(EVENTS, st.data())
def test_what_passes_is_read_by_protobuf(event: Event, data: st.DataObject) -> None:
    """Bytes are flipped and cut: whatever the scan lets through, the library reads, and reads the same."""
    encoded = bytearray(event.SerializeToString())
    for _ in range(data.draw(st.integers(0, 3))):
        if encoded:
            place = data.draw(st.integers(0, len(encoded) - 1))
            encoded[place] = data.draw(st.integers(0, 255))
    encoded = encoded[: data.draw(st.integers(0, len(encoded)))]
    try:
        view = scan(bytes(encoded))
    except Malformed:
        return
    read = Event.FromString(bytes(encoded))
    assert (view.id, view.type) == (read.id, read.type)
    ttl = read.metadata.get("loom.ttl_ms")
    assert view.ttl == (None if ttl is None else ttl.encode())


@given(st.binary(max_size=60))
def test_random_bytes_never_pass_what_protobuf_refuses(data: bytes) -> None:
    try:
        scan(data)
    except Malformed:
        return
    try:
        Event.FromString(data)
    except DecodeError as error:
        raise AssertionError(f"{data!r} passed") from error


def test_finds_the_ttl() -> None:
    event = Event(id="x", type="t", metadata={"a": "b", "loom.ttl_ms": "500"})
    assert scan(event.SerializeToString()).ttl == b"500"


def group(depth: int, field: int = 100) -> bytes:
    begin, end = _tag(field, 3), _tag(field, 4)
    return begin * depth + end * depth


def _tag(field: int, wire_type: int) -> bytes:
    value, out = field << 3 | wire_type, bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


CARRIED = [
    b"",
    Event(id="i" * 128, type="t").SerializeToString(),
    _tag(100, 0) + b"\x05",
    _tag(100, 1) + b"12345678",
    _tag(100, 2) + b"\x03abc",
    _tag(100, 5) + b"1234",
    group(1),
    group(64),
    b"\x3d\x00\x00\x80\x3f\x0a\x01i",
    b"\x8a\x00\x01i\x92\x80\x00\x01t\xaa\x00\x07\x8a\x00\x01k\x92\x00\x00",
    b"\x2a\x02" + _tag(3, 0) + b"\x01",
    _tag(2**29 - 1, 0) + b"\x05",
    _tag(100, 3) + _tag(1, 0) + b"\x05" + _tag(100, 4),
]


@pytest.mark.parametrize("data", CARRIED)
def test_unknown_fields_are_carried(data: bytes) -> None:
    scan(data)
    Event.FromString(data)


def test_a_tag_may_have_more_bytes_than_it_needs() -> None:
    """PUB-3: every protobuf reader takes such a tag for what it is, and so does the scan."""
    entry = b"\x8a\x80\x00\x0bloom.ttl_ms\x92\x00\x015"
    data = b"\x8a\x00\x01i\x92\x80\x80\x80\x00\x01t\xaa\x00" + bytes([len(entry)]) + entry
    view = scan(data)
    assert (view.id, view.type, view.ttl) == ("i", "t", b"5")
    assert Event.FromString(data) == Event(id="i", type="t", metadata={"loom.ttl_ms": "5"})


MALFORMED = [
    (b"\x88\x00\x01", "field 1 has wire type 0"),
    (b"\x2a\x03\x88\x00\x01", "field 1 has wire type 0"),
    (b"\x0a", "it ends inside a number"),
    (b"\x0a\x05ab", "a field is longer than what is left"),
    (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a field is longer than what is left"),
    (b"\x0a\x01\xff", "a string is not UTF-8"),
    (b"\x22\x02\xc3\x28", "a string is not UTF-8"),
    (b"\x42\x03\xed\xa0\x80", "a string is not UTF-8"),
    (b"\x08\x01", "field 1 has wire type 0"),
    (b"\x1a\x00", "field 3 has wire type 2"),
    (b"\x3a\x00", "field 7 has wire type 2"),
    (b"\x18" + b"\x80" * 10 + b"\x01", "a number has more than 64 bits"),
    (b"\x18" + b"\xff" * 9 + b"\x02", "a number has more than 64 bits"),
    (b"\x3d\x00\x00", "it ends inside a number"),
    (b"\x00\x00", "a field has the number 0"),
    (b"\x07\x00", "a field has the number 0"),
    (_tag(9, 2) + b"\x00", "field 9 has wire type 2"),
    (b"\x2a\x02" + _tag(2, 0) + b"\x01", "field 2 has wire type 0"),
    (b"\xff\xff\xff\xff\x0f", "field 536870911 has the unknown wire type 7"),
    (b"\x80\x80\x80\x80\x10\x01", "a tag has more than 32 bits"),
    (_tag(100, 6), "field 100 has the unknown wire type 6"),
    (_tag(100, 7), "field 100 has the unknown wire type 7"),
    (_tag(100, 4), "group 100 ends without having begun"),
    (_tag(100, 3), "it ends inside a number"),
    (_tag(100, 3) + _tag(101, 4), "group 101 ends without having begun"),
    (group(65), "groups are nested more than 64 deep"),
    (b"\xff\xff\xff\xff\xff\x01", "a tag has more than 32 bits"),
    (b"\x8a\x80\x80\x80\x80\x00\x00", "a tag has more than 32 bits"),
    (b"\x2a\x04\x0a\x02ab"[:4], "a field is longer than what is left"),
    (b"\x2a\x02\x0a\x05", "a field is longer than what is left"),
    (b"\x2a\x03\x0a\x01\xff", "a string is not UTF-8"),
    (b"\x2a\x03\x12\x01\xff", "a string is not UTF-8"),
    (b"\x2a\x02\x08\x01", "field 1 has wire type 0"),
]


@pytest.mark.parametrize(("data", "reason"), MALFORMED)
def test_malformed(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as refused:
        scan(data)
    assert str(refused.value) == reason
