"""gRPC messages in a stream of bytes, however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.proxy import framing
from loom_testing.proxy.framing import MAX_MESSAGE_BYTES, Frame, Frames

MESSAGES = st.lists(st.tuples(st.binary(max_size=40), st.sampled_from([0, 1])), max_size=8)


def cut(data: st.DataObject, whole: bytes) -> list[bytes]:
    """The bytes in pieces of any sizes."""
    pieces = []
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        pieces.append(whole[:size])
        whole = whole[size:]
    return pieces


@given(MESSAGES, st.data())
def test_any_cutting_gives_the_same_messages(messages, data):
    sent = [Frame(body, flag) for body, flag in messages]
    frames = Frames()
    found = [
        frame for piece in cut(data, b"".join(frame.wire() for frame in sent)) for frame in frames.feed(piece)
    ]
    assert found == sent
    assert frames.rest() is None


@given(MESSAGES, st.binary(min_size=1, max_size=4), st.data())
def test_what_breaks_off_is_the_rest(messages, beginning, data):
    whole = b"".join(Frame(body, flag).wire() for body, flag in messages)
    frames = Frames()
    for piece in cut(data, whole + beginning):
        frames.feed(piece)
    rest = frames.rest()
    assert rest is not None
    assert (rest.wire(), rest.is_whole, rest.completes) == (beginning, False, False)
    assert frames.rest() is None


@given(MESSAGES, st.integers(0, 30), st.data())
def test_what_is_too_large_passes_in_pieces_between_the_others(messages, most, data):
    sent = [Frame(body, flag) for body, flag in messages]
    whole = b"".join(frame.wire() for frame in sent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "MAX_MESSAGE_BYTES", most)
        frames = Frames()
        found = [frame for piece in cut(data, whole) for frame in frames.feed(piece)]
        assert frames.rest() is None
    assert b"".join(frame.wire() for frame in found) == whole
    assert [frame for frame in found if frame.is_whole] == [
        frame for frame in sent if len(frame.data) <= most
    ]
    assert sum(frame.completes for frame in found) == len(sent)


def test_a_message_of_several_mebibytes():
    sent = Frame(bytes(3 * 1024 * 1024))
    frames, wire = Frames(), sent.wire()
    found = [
        frame for start in range(0, len(wire), 16384) for frame in frames.feed(wire[start : start + 16384])
    ]
    assert found == [sent]


def test_one_that_is_only_announced_passes_at_once():
    frames = Frames()
    prefix = bytes(1) + (2**32 - 1).to_bytes(4)
    assert frames.feed(prefix) == [Frame(prefix, is_whole=False, completes=False)]
    assert frames.rest() is None
    assert frames.feed(b"x") == [Frame(b"x", is_whole=False, completes=False)]


def test_the_largest_is_taken_in_whole():
    frames = Frames()
    assert frames.feed(bytes(1) + MAX_MESSAGE_BYTES.to_bytes(4)) == []
