"""From a recording to a transcript."""

from __future__ import annotations

import uuid

from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom_testing.transcript import Kind, Recorder, Way
from tests.loom_testing.transcript.story import STREAM, Story, order


def test_calls_are_numbered_for_each_agent_and_method():
    recorder = Recorder()
    for who, call in (("a", 70), ("b", 71), ("a", 72)):
        recorder.sent(who, "ForwardAction", action_pb2.ActionCall(), call=call)
        recorder.received(who, "ForwardAction", action_pb2.ActionResult(), call=call)
    calls = [(entry.who, entry.call) for entry in recorder.transcript(causal=False).entries]
    assert calls == [("a", 1), ("a", 1), ("b", 1), ("b", 1), ("a", 2), ("a", 2)]


def test_the_sdks_heartbeats_are_left_out_and_its_barriers_kept():
    story = Story()
    for stamp in (-1, 5_000):
        story.send("a", ping=stream_pb2.HeartbeatRequest(timestamp_ms=stamp))
        story.receive("a", pong=stream_pb2.HeartbeatResponse(timestamp_ms=stamp))
    story.recorder.sent("a", "Heartbeat", stream_pb2.HeartbeatRequest(timestamp_ms=5))
    assert [entry.body["timestamp_ms"] for entry in story.transcript().entries] == [-1, -1]
    story.recorder.heartbeats = True
    assert len(story.transcript().entries) == 5


def test_of_metadata_only_the_parties_own_is_kept_and_no_secret():
    recorder = Recorder()
    metadata = [
        ("user-agent", "grpc"),
        ("Authorization", "Bearer abcdef123"),
        ("loom-namespace", "test-3f9a01bc77aa"),
        ("x-data-bin", b"\x00"),
        ("grpc-timeout", "1S"),
    ]
    recorder.headers("a", STREAM, metadata, way=Way.SENT)
    assert recorder.transcript().entries[0].body == {
        "authorization": "${redacted}",
        "loom-namespace": "test-${namespace:1}",
        "x-data-bin": "AA==",
    }


def test_the_lane_of_a_replica_is_the_same_in_every_run():
    recorder = Recorder()
    recorder.half_close(f"w:{uuid.uuid4().hex[:8]}", STREAM)
    assert recorder.transcript().entries[0].who == "w:${agent:1}"


def test_values_that_the_recorder_was_told_are_bound():
    recorder = Recorder(names={"x7f3": "check"})
    recorder.note("x7f3-orders", "x7f3-a")
    entry = recorder.transcript().entries[0]
    assert (entry.name, entry.who) == ("${check:1}-orders", "${check:1}-a")


def test_a_status_a_reset_and_a_half_close():
    recorder = Recorder()
    recorder.half_close("a", STREAM)
    recorder.status("a", STREAM, "OK")
    recorder.status("b", STREAM, "ABORTED", "why")
    recorder.reset("c", STREAM, way=Way.RECEIVED)
    found = [(e.who, e.kind, e.way, e.name, e.body) for e in recorder.transcript(causal=False).entries]
    assert found == [
        ("a", Kind.HALF_CLOSE, Way.SENT, "", None),
        ("a", Kind.STATUS, Way.RECEIVED, "OK", None),
        ("b", Kind.STATUS, Way.RECEIVED, "ABORTED", {"details": "why"}),
        ("c", Kind.RESET, Way.RECEIVED, "", None),
    ]


def test_faults_tell_what_they_met():
    recorder = Recorder()
    ping = stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest(timestamp_ms=-4))
    recorder.fault("dropped", "a", way=Way.SENT, rpc=STREAM, message=ping, body={"rule": 1})
    recorder.fault("corrupted", "a", way=Way.SENT, rpc=STREAM, message=b"\xff")
    recorder.fault("held", "a")
    bodies = [entry.body for entry in recorder.transcript(causal=False).entries]
    assert bodies == [
        {"message": {"ping": {"timestamp_ms": -4}}, "about": {"rule": 1}},
        {"message": {"bytes": {"bytes": 1, "$base64": "/w=="}}},
        None,
    ]


def test_the_bridge_is_known_by_what_it_said_of_itself():
    assert order().transcript().bridge == "loom-testing 1.2"
    assert Recorder(bridge="mine").transcript().bridge == "mine"
    assert Recorder().transcript().bridge == ""


def test_when_it_began_and_what_it_is_about():
    transcript = order().transcript()
    assert transcript.started == "2026-01-02T03:04:05+00:00"
    assert (transcript.about, transcript.virtual) == ("an order", True)


def test_bytes_that_are_no_message_are_shortened():
    recorder = Recorder()
    recorder.sent("a", STREAM, b"\xff" * 5000)
    body = recorder.transcript().entries[0].body
    assert body["bytes"] == 5000
    assert len(body["$base64"]) < 1400


def test_a_moved_clock_says_by_how_much():
    recorder = Recorder()
    recorder.advanced(30.0)
    recorder.advanced(0.000001)
    assert [entry.name for entry in recorder.transcript().entries] == ["30", "1e-06"]


def test_a_registration_without_a_name_has_a_lane_of_its_own():
    recorder = Recorder()
    recorder.sent("", "RegisterAgent", agent_pb2.AgentRegisterRequest())
    assert recorder.transcript().entries[0].who == ""
