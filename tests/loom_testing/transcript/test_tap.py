"""The tap: from a bridge's trace to a transcript."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom_testing.engine import inputs, messages, outputs
from loom_testing.engine.trace import TraceError, encode_step
from loom_testing.transcript import Kind, decode, draw, encode
from loom_testing.transcript.tap import Tap

TRACES = sorted((Path(__file__).parents[3] / "conformance" / "traces").glob("*.jsonl"))
AT = 1_790_000_000_000_000


def tapped(*steps: tuple[int, inputs.Input, list[outputs.Output]], **options) -> Tap:
    tap = Tap(**options)
    for at, came_in, went_out in steps:
        tap.feed(encode_step(AT + at, came_in, went_out))
    return tap


def told(*steps, **options) -> list[tuple[str, str, str]]:
    entries = tapped(*steps, **options).recorder.transcript(causal=False).entries
    return [(entry.who, str(entry.way), entry.name or str(entry.kind)) for entry in entries]


def joined(agent: str = "a", stream: int = 1) -> list[tuple[int, inputs.Input, list[outputs.Output]]]:
    return [
        (0, inputs.Register(5, agent_id=agent), [outputs.RegisterReply(5, registration=1)]),
        (0, inputs.Open(stream), []),
        (
            0,
            inputs.Receive(stream, messages.Ack(agent)),
            [outputs.Accept(stream), outputs.Send(stream, messages.Welcome(7))],
        ),
    ]


JOINED = [
    ("a", "sent", "request"),
    ("a", "received", "response"),
    ("a", "sent", "ack"),
    ("a", "received", "headers"),
    ("a", "received", "welcome"),
]


def test_how_an_agent_joins():
    assert told(*joined()) == JOINED


def test_events_both_ways():
    publish = inputs.Receive(1, messages.Publish("t", b"\x0a\x01e", True, 1))
    sends = [
        outputs.Send(1, messages.Receipt(1, 1)),
        outputs.Send(1, messages.Delivery("t", b"\x0a\x01e", 1)),
    ]
    tap = tapped(*joined(), (0, publish, sends))
    entries = tap.recorder.transcript(causal=False).entries[-3:]
    assert [(entry.name, (entry.body or {}).get("event")) for entry in entries] == [
        ("publish", {"id": "e"}),
        ("receipt", None),
        ("delivery", {"id": "e"}),
    ]


def test_a_call_and_who_makes_it():
    request = messages.ActionCall("c", "x", headers={"x-agent-id": "a"})
    answer = outputs.Answer(9, messages.ActionResult("c", 0, b"1"))
    steps = [(0, inputs.Invoke(9, request), []), (0, inputs.Tick(), [answer])]
    assert told(*steps) == [("a", "sent", "request"), ("a", "received", "response")]
    anonymous = [(0, inputs.Invoke(9, messages.ActionCall("c", "x")), []), (0, inputs.Abandon(9), [])]
    assert told(*anonymous) == [("caller", "sent", "request"), ("caller", "sent", "reset")]


def test_how_streams_end():
    orderly = [(0, inputs.HalfClose(1), [outputs.End(1, "OK")])]
    assert told(*joined(), *orderly)[5:] == [("a", "sent", "half-close"), ("a", "received", "OK")]
    assert told(*joined(), (0, inputs.Break(1), []))[5:] == [("a", "sent", "reset")]
    cut = [(0, inputs.Disconnect("a"), [outputs.End(1, "UNAVAILABLE", abrupt=True)])]
    assert told(*joined(), *cut)[5:] == [("a", "beside", "disconnected"), ("a", "received", "reset")]


def test_what_a_shell_tells_of_an_ended_stream_is_nothing():
    ended = [
        (0, inputs.HalfClose(1), [outputs.End(1, "OK")]),
        (0, inputs.HalfClose(1), []),
        (0, inputs.Break(1), []),
    ]
    assert told(*joined(), *ended)[5:] == [("a", "sent", "half-close"), ("a", "received", "OK")]
    broken = [(0, inputs.Break(1), []), (0, inputs.Receive(1, messages.Ping(1)), [])]
    assert told(*joined(), *broken)[5:] == [("a", "sent", "reset")]


def test_a_stream_that_does_not_say_whose_it_is():
    steps = [
        (0, inputs.Open(1), []),
        (0, inputs.Receive(1, messages.Ping(1)), [outputs.End(1, "INVALID_ARGUMENT")]),
    ]
    tap = tapped(*steps)
    tap.recorder.heartbeats = True
    entries = tap.recorder.transcript().entries
    assert {entry.who for entry in entries} == {"stranger"}
    assert [entry.name for entry in entries] == ["ping", "INVALID_ARGUMENT"]


def test_what_a_test_does_to_the_writes():
    steps = [(0, inputs.Hold("a"), []), (0, inputs.Release("a"), []), (0, inputs.DrainAll(5), [])]
    assert told(*steps) == [
        ("a", "beside", "held"),
        ("a", "beside", "released"),
        ("", "beside", "the bridge is about to stop"),
    ]


def test_a_listing():
    reply = outputs.CapabilitiesReply(3, [messages.Capability("x")])
    entries = tapped((0, inputs.ListCapabilities(3), [reply])).recorder.transcript().entries
    assert [entry.body for entry in entries] == [{}, {"capabilities": [{"name": "x"}]}]


def test_registrations_that_only_ask_which_bridge_it_is_are_not_told():
    probe = inputs.Register(5, agent_id="", metadata={"loom.probe": "1"})
    assert told((0, probe, [outputs.RegisterReply(5, "INVALID_AGENT_ID")])) == []


def test_a_virtual_clock_shows_where_it_was_moved():
    steps = [(0, inputs.Tick(), []), (30_000_000, inputs.Tick(), []), (30_000_000, inputs.Tick(), [])]
    (entry,) = tapped(*steps).recorder.transcript().entries
    assert (entry.kind, entry.name, entry.at) == (Kind.TIME, "30", 30_000_000)
    assert told(*steps, virtual=False) == []


def test_times_count_from_the_first_step():
    entries = tapped(*joined(), (5, inputs.HalfClose(1), []), virtual=False).recorder.transcript().entries
    assert [entry.at for entry in entries] == [0, 0, 0, 0, 0, 5]


def test_a_line_that_is_no_step():
    with pytest.raises(TraceError):
        Tap().feed("{}")


def test_every_kept_trace_can_be_told():
    assert len(TRACES) > 100
    for path in TRACES:
        tap = Tap(path.stem)
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            tap.feed(line)
        transcript = tap.recorder.transcript()
        assert decode(encode(transcript), path.name) == transcript
        assert draw(transcript, full=True, most_rows=10_000).count("\n") >= len(transcript.entries)


def test_heartbeats_are_told_of_and_not_recorded():
    heard: list[int] = []
    tap = Tap()
    tap.heard = heard.append
    for number in (-7, 8):
        tap.feed(encode_step(AT, inputs.Heartbeat(1, number), []))
    assert heard == [-7, 8]
    assert tap.recorder.transcript().entries == ()
    assert tapped((0, inputs.Heartbeat(1, 5), [])).recorder.transcript().entries == ()
