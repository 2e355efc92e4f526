"""What every protobuf library reads passes; what only some of them read is refused."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from loom.v1.action_pb2 import ActionCall, ListCapabilitiesRequest
from loom.view.v1.view_pb2 import ClientEvent, Publish
from loom_testing.strict import LEVELS, NotStrict, check

CALL = ActionCall(id="1", capability="c", payload=b"x", headers={"a": "1", "b": "2"}, timeout_ms=-1, qos=7)


def varint(number: int) -> bytes:
    encoded = b""
    while number >= 128:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def groups(levels: int) -> bytes:
    return varint(2000 << 3 | 3) * levels + varint(2000 << 3) + b"\x01" + varint(2000 << 3 | 4) * levels


def batches(levels: int) -> bytes:
    """An event within a batch within an event, and so on."""
    data = b""
    for level in range(levels):
        data = varint((1 if level % 2 == 0 else 100) << 3 | 2) + varint(len(data)) + data
    return data


def checked(kind: Any, data: bytes) -> None:
    check(kind.FromString(data), data)


PASSES = {
    "as it is written": (ActionCall, CALL.SerializeToString()),
    "nothing": (ActionCall, b""),
    "an event that is no event": (
        ClientEvent,
        ClientEvent(publish=Publish(event=b"\xff")).SerializeToString(),
    ),
    "fields in another order": (ActionCall, b"\x30\x05\x0a\x011"),
    "a field twice": (ActionCall, b"\x0a\x011\x0a\x012"),
    "a default that is written": (ActionCall, b"\x0a\x00"),
    "a long length": (ActionCall, b"\x0a\x81\x00x"),
    "an unknown field": (ActionCall, CALL.SerializeToString() + b"\xf8\x7f\x01"),
    "an unknown group": (ActionCall, groups(2)),
    "an unknown field of each kind": (ActionCall, b"\x78\x01\x79\1\2\3\4\5\6\7\x08\x7a\x01x\x7d\1\2\3\4"),
    "an unknown field in an entry": (ActionCall, b"\x2a\x08\x0a\x01k\x12\x01v\x18\x05"),
    "a number of 64 bits": (ActionCall, b"\x30" + b"\xff" * 9 + b"\x01"),
    "as deep as may be": (ClientEvent, batches(LEVELS)),
    "groups as deep as may be": (ActionCall, groups(LEVELS - 1)),
}
REFUSED = {
    "another wire type": (ActionCall, b"\x08\x01", "field 1 has wire type 0"),
    "a map with another wire type": (ActionCall, b"\x28\x01", "field 5 has wire type 0"),
    "another wire type within": (ActionCall, b"\x2a\x02\x08\x01", "field 1 has wire type 0"),
    "a number of 65 bits": (ActionCall, b"\x30" + b"\xff" * 9 + b"\x02", "a number has more than 64 bits"),
    "field 0": (ListCapabilitiesRequest, b"\x00\x05", "a field has the number 0"),
    "groups too deep": (ActionCall, groups(LEVELS), "groups are nested more than 100 deep"),
}


@pytest.mark.parametrize("what", PASSES)
def test_what_every_library_reads(what: str) -> None:
    checked(*PASSES[what])


@pytest.mark.parametrize("what", REFUSED)
def test_what_only_some_libraries_read(what: str) -> None:
    kind, data, why = REFUSED[what]
    with pytest.raises(NotStrict, match=why):
        checked(kind, data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x82\x80\x80\x80\x80\x00\x00", "a tag has more than 32 bits"),
        (b"\x0a\x81\x80\x80\x80\x80\x00x", "a length has more than five bytes"),
        (b"\x0a\x05x", "a field is longer than what is left"),
        (b"\x0a", "it ends inside a number"),
        (b"\x7f", "a field has the wire type 7"),
        (b"\x7b\x84\x01", "group 16 ends without having begun"),
        (batches(LEVELS + 2), "messages are nested more than 100 deep"),
    ],
)
def test_what_this_library_refuses_is_refused_without_it_too(data: bytes, why: str) -> None:
    """Another version of the library might read it."""
    kind = ClientEvent if "messages" in why else ActionCall
    with pytest.raises(NotStrict, match=why):
        check(kind(), data)


@given(st.integers(0, 60), st.binary(max_size=4), st.sampled_from(["insert", "replace"]))
def test_what_passes_is_read_by_this_library(place: int, foreign: bytes, way: str) -> None:
    written = CALL.SerializeToString()
    data = written[:place] + foreign + written[place + (len(foreign) if way == "replace" else 0) :]
    try:
        check(ActionCall(), data)
    except NotStrict:
        return
    try:
        ActionCall.FromString(data)
    except DecodeError:
        # What is left to the library: texts that are no UTF-8.
        with pytest.raises(UnicodeDecodeError):
            data.decode()
