"""What HTTP/2 says about a connection itself, taken out of its bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.proxy.signals import Signal, Signals, TooLarge, signal_bytes

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA = bytes.fromhex("000003000000000001") + b"abc"
PING, PONG = signal_bytes(Signal.PING, b"01234567"), signal_bytes(Signal.PONG, b"76543210")
GOAWAY = signal_bytes(Signal.GOAWAY)
ENHANCE_YOUR_CALM = GOAWAY[:-1] + b"\x0b"
TAKEN = {
    PING: (Signal.PING, b"01234567"),
    PONG: (Signal.PONG, b"76543210"),
    GOAWAY: (Signal.GOAWAY, GOAWAY[9:]),
}
FRAMES = st.lists(st.sampled_from([DATA, PING, PONG, GOAWAY, ENHANCE_YOUR_CALM]), max_size=8)


@given(FRAMES, st.booleans(), st.data())
def test_they_are_taken_out_however_the_bytes_are_cut(
    frames: list[bytes], of_client: bool, data: st.DataObject
):
    preface = PREFACE if of_client else b""
    whole = preface + b"".join(frames)
    signals = Signals(of_client=of_client)
    kept, seen = b"", []
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        left, found = signals.feed(whole[:size])
        kept += left
        seen += found
        whole = whole[size:]
    assert kept == preface + b"".join(frame for frame in frames if frame not in TAKEN)
    assert seen == [TAKEN[frame] for frame in frames if frame in TAKEN]


def test_a_frame_that_is_not_whole_waits():
    signals = Signals(of_client=False)
    assert signals.feed(DATA[:5]) == (b"", [])
    assert signals.feed(DATA[5:]) == (DATA, [])


@pytest.mark.parametrize(
    "frame",
    [
        PING[:8] + b"\x01" + PING[9:],  # of a stream
        bytes.fromhex("000002060000000000") + b"01",  # too short
    ],
)
def test_what_is_none_is_left_to_h2(frame):
    assert Signals(of_client=False).feed(frame) == (frame, [])


def test_what_is_no_http2_is_not_waited_for():
    with pytest.raises(TooLarge, match="a frame of 4670804 bytes"):
        Signals(of_client=False).feed(b"GET / HTTP/1.1\r\n")
