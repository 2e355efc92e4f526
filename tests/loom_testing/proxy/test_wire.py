"""One HTTP/2 connection: a client's end against a server's, in memory."""

from __future__ import annotations

import pytest

from loom_testing.proxy import wire as wire_module
from loom_testing.proxy.signals import Signal
from tests.loom_testing.proxy.memory import Pair, Pipe, connected

REQUEST = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a/b"), (b":authority", b"x")]
ANSWER = [(b":status", b"200"), (b"content-type", b"application/grpc")]
TRAILERS = [(b"grpc-status", b"0"), (b"key-bin", b"AAE")]
WINDOW = 65_535
LARGE = bytes(range(256)) * 4096 * 3  # 3 MiB


def test_a_call_from_end_to_end():
    pair = connected()
    stream = pair.client.open(REQUEST)
    pair.client.data(stream, b"hello")
    pair.client.end(stream)
    pair.flow()
    assert pair.at_server.take("headers", "data") == [
        ("headers", 1, REQUEST, False),
        ("data", 1, b"hello", False),
        ("data", 1, b"", True),
    ]
    pair.server.headers(stream, ANSWER)
    pair.server.data(stream, b"hi")
    pair.server.end(stream, TRAILERS)
    pair.flow()
    assert pair.at_client.take("headers", "data") == [
        ("headers", 1, ANSWER, False),
        ("data", 1, b"hi", False),
        ("headers", 1, TRAILERS, True),
    ]


def test_an_answer_that_is_only_trailers():
    pair = connected()
    stream = pair.client.open(REQUEST, end=True)
    pair.flow()
    assert pair.at_server.take("headers") == [("headers", 1, REQUEST, True)]
    pair.server.end(stream, [*ANSWER, *TRAILERS])
    pair.flow()
    assert pair.at_client.take("headers", "data") == [("headers", 1, [*ANSWER, *TRAILERS], True)]


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_however_the_bytes_are_cut(piece):
    pair = Pair()
    pair.flow(piece)
    stream = pair.client.open(REQUEST)
    pair.client.data(stream, b"hello" * 100)
    pair.client.end(stream)
    pair.flow(piece)
    assert pair.at_server.data() == b"hello" * 100


def test_a_message_of_several_mebibytes_in_both_directions():
    pair = connected()
    stream = pair.client.open(REQUEST)
    pair.client.data(stream, LARGE)
    pair.flow()
    assert pair.at_server.data() == LARGE
    pair.server.headers(stream, ANSWER)
    pair.server.data(stream, LARGE)
    pair.flow()
    assert pair.at_client.data() == LARGE


# Room.


def test_who_is_not_read_may_send_so_much_and_no_more():
    pair = connected(takes=False)
    stream = pair.client.open(REQUEST)
    pair.client.data(stream, LARGE)
    pair.flow()
    assert len(pair.at_server.data()) == WINDOW
    assert not pair.client.has_room(stream)
    while len(pair.at_server.data()) < len(LARGE):
        pair.server.taken(stream, 50_000)
        pair.flow()
    assert pair.client.has_room(stream)
    assert pair.at_server.data() == LARGE
    assert ("room", stream) in pair.at_client.heard


def test_one_call_that_is_not_read_does_not_stop_the_others():
    pair = connected(takes=False)
    for stream in (pair.client.open(REQUEST) for _ in range(100)):
        pair.client.data(stream, bytes(WINDOW))
    pair.flow()
    assert [len(pair.at_server.data(stream)) for stream in range(1, 201, 2)] == [WINDOW] * 100


def crowded() -> Pair:
    """A pair between which there is no room, for any call, until something flows."""
    pair = connected()
    for size in WINDOW, 1:
        pair.client.data(pair.client.open(REQUEST), bytes(size))
    return pair


def test_calls_take_turns_at_the_room_that_they_share(monkeypatch):
    """Each has a further message as soon as one is out; none may send it before the others had their turn."""
    monkeypatch.setattr(wire_module, "WHOLE_WINDOW", 1)
    pair = crowded()
    calls = [pair.client.open(REQUEST) for _ in range(10)]
    sent = dict.fromkeys(calls, 1)

    def more(wire, stream):
        if sent.get(stream, 5) < 5:
            sent[stream] += 1
            wire.data(stream, bytes([sent[stream]]) * 1_000)

    pair.at_client.act_on_room = more
    for stream in calls:
        pair.client.data(stream, b"\1" * 1_000)
        assert not pair.client.has_room(stream)
    pair.flow()
    came = [data[0] for _, stream, data, _ in pair.at_server.take("data") if stream in calls]
    assert came == [number for number in range(1, 6) for _ in calls]


def test_what_ends_takes_its_turn_too(monkeypatch):
    monkeypatch.setattr(wire_module, "WHOLE_WINDOW", 1)
    pair = crowded()
    stream = pair.client.open(REQUEST)
    pair.at_client.act_on_room = lambda wire, which: wire.end(which) if which == stream else None
    pair.client.data(stream, b"x" * 1_000)
    pair.flow()
    came = [(len(data), ended) for _, which, data, ended in pair.at_server.take("data") if which == stream]
    assert came == [(1_000, False), (0, True)]


def test_the_end_comes_after_all_that_was_given():
    pair = connected(takes=False)
    stream = pair.client.open(REQUEST)
    pair.client.data(stream, bytes(WINDOW + 1))
    pair.client.end(stream)
    pair.flow()
    assert not any(ended for _, _, _, ended in pair.at_server.take("data"))
    pair.server.taken(stream, WINDOW)
    pair.flow()
    assert [(len(data), ended) for _, _, data, ended in pair.at_server.take("data")] == [
        (1, False),
        (0, True),
    ]


def test_a_transport_that_is_full_leaves_no_room():
    pair = connected()
    stream = pair.client.open(REQUEST)
    pair.client.pause_writing()
    assert not pair.client.has_room(stream)
    pair.client.resume_writing()
    assert pair.client.has_room(stream)
    assert pair.at_client.take("room") == [("room", 0)]


def test_the_share_of_padding_is_given_back():
    pair = connected(takes=False)
    stream = pair.client.open(REQUEST)
    for _ in range(WINDOW // 100 * 2):
        pair.client._http.send_data(stream, b"", pad_length=99)  # nothing but padding
        pair.client._send()
        pair.flow()
    assert pair.client._http.local_flow_control_window(stream) > 0


# Ends that come early.


def test_a_reset():
    pair = connected()
    stream = pair.client.open(REQUEST)
    pair.client.reset(stream, 8)
    pair.flow()
    assert pair.at_server.take("reset") == [("reset", stream, 8)]
    pair.server.headers(stream, ANSWER)  # too late, and no harm
    pair.server.data(stream, b"x")
    pair.server.end(stream, TRAILERS)
    pair.server.reset(stream, 8)
    pair.server.taken(stream, 5)
    pair.flow()
    assert pair.at_client.take("headers", "data", "reset") == []
    assert pair.server.has_room(stream)


def test_what_waited_for_a_call_that_is_broken_is_forgotten():
    pair = connected(takes=False)
    stream = pair.client.open(REQUEST)
    pair.client.data(stream, LARGE)
    pair.flow()
    pair.server.reset(stream, 8)
    pair.flow()
    assert pair.client.has_room(stream)
    assert pair.client._out == {}


def test_a_call_that_is_over_on_both_sides_is_not_reset():
    pair = connected()
    stream = pair.client.open(REQUEST, end=True)
    pair.flow()
    pair.server.end(stream, [*ANSWER, *TRAILERS])
    pair.server.reset(stream, 0)
    pair.flow()
    assert pair.at_client.take("reset") == []


# The connection itself.


def test_a_server_that_greets_later_has_missed_nothing():
    pair = Pair(greets=False)
    stream = pair.client.open(REQUEST)
    pair.flow()
    assert pair.at_server.heard == []
    assert not pair.server.is_greeted
    pair.server.greet()
    pair.flow()
    assert ("headers", stream, REQUEST, False) in pair.at_server.heard


def test_signals_are_told_and_not_answered():
    pair = connected()
    pair.client.signal(Signal.PING, b"01234567")
    pair.flow()
    assert pair.at_server.heard == [("signal", Signal.PING, b"01234567")]
    assert pair.at_client.heard == []
    pair.server.signal(Signal.PONG, b"01234567")
    pair.server.signal(Signal.GOAWAY)
    pair.flow()
    assert [item[1] for item in pair.at_client.take("signal")] == [Signal.PONG, Signal.GOAWAY]


def test_open_calls_go_on_after_a_goaway():
    pair = connected()
    stream = pair.client.open(REQUEST)
    pair.flow()
    pair.server.signal(Signal.GOAWAY)
    pair.server.headers(stream, ANSWER)
    pair.flow()
    pair.client.data(stream, b"still there")
    pair.flow()
    assert pair.at_server.data() == b"still there"
    assert pair.at_client.take("headers") == [("headers", stream, ANSWER, False)]


def test_nothing_leaves_what_is_held():
    pair = connected()
    stream = pair.client.open(REQUEST)
    pair.flow()
    pair.server.hold()
    pair.server.headers(stream, ANSWER)
    pair.server.signal(Signal.PONG, bytes(8))
    pair.client.data(stream, bytes(WINDOW))  # not even that it was taken
    pair.flow()
    assert pair.down.written == []
    assert len(pair.at_server.data()) == WINDOW
    pair.server.release()
    pair.flow()
    assert len(pair.at_client.take("headers", "signal")) == 2


def test_what_is_no_http2_ends_it_in_order():
    pair = connected()
    pair.server.data_received(b"GET / HTTP/1.1\r\nHost: nobody\r\n\r\n" + bytes(9000))
    assert pair.down.how_it_ended == "closed"
    assert pair.server.is_over


def test_a_goaway_for_a_reason_ends_it():
    pair = connected()
    pair.server._http.close_connection(11)
    pair.server._send()
    pair.flow()
    assert pair.up.how_it_ended == "closed"


def test_it_is_told_how_it_was_lost():
    for error in None, ConnectionResetError():
        pair = connected()
        pair.client.connection_lost(error)
        assert pair.at_client.heard == [("lost", error is None)]
        assert not pair.client.is_open


def test_what_comes_after_it_was_broken_is_not_told():
    """Several calls may have come in one piece, and the first of them broken the connection."""
    pair = connected()
    pair.at_server.act = lambda wire, stream: wire.abort()
    for _ in range(3):
        pair.client.open(REQUEST)
    pair.flow()
    assert len(pair.at_server.take("headers")) == 1
    assert pair.down.how_it_ended == "aborted"


def test_hanging_up_says_no_goodbye_and_closing_does():
    pair = connected()
    pair.client.hang_up()
    assert (pair.up.written, pair.up.how_it_ended) == ([], "closed")
    pair = connected()
    pair.client.close()
    assert pair.up.take()[3] == 7
    assert pair.up.how_it_ended == "closed"


def test_what_never_stood_can_be_ended():
    pair = Pair()
    wire = type(pair.client)(pair.at_client, client_side=True)
    wire.abort()
    wire.hang_up()
    wire.close()
    assert wire.is_over


def test_nothing_is_written_to_what_has_ended():
    pair = connected()
    stream = pair.client.open(REQUEST)
    pair.client.hang_up()
    pair.client.data(stream, b"x")  # the pipe would complain
    pair.client.signal(Signal.PING, bytes(8))
    assert isinstance(pair.up, Pipe)


def test_metadata_is_passed_on_as_it_is():
    own = [
        (b"key-bin", b"AP8"),
        (b"twice", b"1"),
        (b"twice", b"2"),
        (b"Odd", b" v "),
        (b"long", b"x" * 20_000),
    ]
    pair = connected()
    pair.client.open([*REQUEST, *own])
    pair.flow()
    ((_, _, headers, _),) = pair.at_server.take("headers")
    assert headers[len(REQUEST) :] == own
