"""Messages as JSON, what is generated bound."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.engine.limits import Limits
from loom_testing.transcript.placeholders import Names
from loom_testing.transcript.plain import Reader

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW = BEGAN.timestamp()


def read(message, *, timeouts: bool = False):
    names = Names()
    body = Reader(names, BEGAN, timeouts=timeouts).message(message)
    return names.json(body)


def payload(value):
    return read(event_pb2.Event(payload=json.dumps(value).encode()))["payload"]


def test_defaults_are_left_out_and_names_are_the_wires():
    event = event_pb2.Event(type="t", payload=b'{"a":1}', tags=["x"], priority=2, confidence=0.5)
    publish = event_pb2.Publish(topic="a.b", event=event, confirm=True, pub_seq=3)
    assert read(publish) == {
        "topic": "a.b",
        "event": {"type": "t", "payload": {"a": 1}, "confidence": 0.5, "tags": ["x"], "priority": 2},
        "confirm": True,
        "pub_seq": 3,
    }


def test_an_empty_event_is_there():
    publish = event_pb2.Publish(topic="a")
    publish.event.SetInParent()
    assert read(publish) == {"topic": "a", "event": {}}


def test_enums_are_named_and_unknown_numbers_kept():
    assert read(action_pb2.ActionResult(status=action_pb2.ACTION_TIMEOUT)) == {"status": "ACTION_TIMEOUT"}
    assert read(action_pb2.ActionResult(status=77)) == {"status": 77}


def test_unknown_fields_are_told_by_their_numbers():
    data = event_pb2.Event(type="t").SerializeToString() + b"\xc0\x3e\x05\xc0\x3e\x06"
    assert read(event_pb2.Event.FromString(data)) == {"type": "t", "$unknown": [1000]}


def test_maps_are_sorted():
    result = read(event_pb2.Event(metadata={"b": "2", "a": "1"}))
    assert list(result["metadata"]) == ["a", "b"]


def test_ids_epochs_and_numbers_are_bound():
    ack = stream_pb2.Ack(message_id=f"w:{uuid.uuid4().hex[:8]}", epoch=7, registration=8, producer=9)
    assert read(ack) == {
        "message_id": "w:${agent:1}",
        "epoch": "${epoch:1}",
        "registration": "${registration:1}",
        "producer": "${producer:1}",
    }


def test_an_event_has_one_time_and_two_events_of_one_millisecond_have_two():
    stamp = int(NOW * 1000)
    events = [event_pb2.Event(id=uuid.uuid4().hex, timestamp_ms=stamp) for _ in range(2)]
    names = Names()
    reader = Reader(names, BEGAN, timeouts=False)
    read_times = [reader.message(event)["timestamp_ms"] for event in (*events, events[0])]
    assert read_times == ["${time:1}", "${time:2}", "${time:1}"]


def test_a_time_that_somebody_made_up_is_kept():
    assert read(event_pb2.Event(timestamp_ms=5)) == {"timestamp_ms": 5}
    assert read(stream_pb2.HeartbeatRequest(timestamp_ms=7)) == {"timestamp_ms": 7}
    assert read(stream_pb2.HeartbeatRequest(timestamp_ms=int(NOW * 1000))) == {"timestamp_ms": "${time:1}"}


def test_what_is_left_of_a_deadline_is_bound_unless_asked_for():
    call = action_pb2.ActionCall(id="c", timeout_ms=29_998)
    assert read(call)["timeout_ms"] == "${timeout:1}"
    assert read(call, timeouts=True)["timeout_ms"] == 29_998


def test_the_bridge_has_no_name_and_only_unusual_limits():
    response = agent_pb2.AgentRegisterResponse(
        success=True,
        server=agent_pb2.ServerInfo(name="loom-bridge", version="9", protocol="1.0"),
        limits=agent_pb2.Limits(queue_events=4, event_bytes=Limits().event_bytes),
    )
    assert read(response) == {
        "success": True,
        "server": {"name": "${bridge:name}", "version": "${bridge:version}", "protocol": "1.0"},
        "limits": {"queue_events": 4},
    }
    response.limits.queue_events = Limits().queue_events
    assert "limits" not in read(response)


def test_metadata_by_its_names():
    thread, trace = uuid.uuid4().hex, f"00-{uuid.uuid4().hex}-0123456789abcdef-01"
    metadata = {
        "loom.thread_id": thread,
        "loom.reply_to": "agent.w:3f9a01bc.replies",
        "traceparent": trace,
        "mine": "order-7",
    }
    assert read(event_pb2.Event(metadata=metadata))["metadata"] == {
        "loom.reply_to": "agent.w:${topic:1}.replies",
        "loom.thread_id": "${thread:1}",
        "mine": "order-7",
        "traceparent": "${trace:1}",
    }


@pytest.mark.parametrize(("name", "unit"), [("s", 1), ("ms", 1000), ("us", 1_000_000), ("ns", 1_000_000_000)])
def test_times_of_the_day_in_payloads_are_bound(name: str, unit: int):
    assert payload({"at": int(NOW * unit), "then": int((NOW - 200_000) * unit), "f": (NOW + 1.5) * unit}) == {
        "at": f"${{time:1.{name}}}",
        "then": int((NOW - 200_000) * unit),
        "f": f"${{time:2.{name}f}}",
    }


def test_written_times_of_the_day_are_bound():
    assert payload({"at": "2026-01-02T04:00:00Z", "on": "2025-06-01T00:00:00Z", "d": "2026-01-02"}) == {
        "at": "${time:1.iso}",
        "on": "2025-06-01T00:00:00Z",
        "d": "2026-01-02",
    }
    assert payload(["2026-01-02T04:00:00.123456+00:00", "2026-99-99T00:00:00"]) == [
        "${time:1.iso}",
        "2026-99-99T00:00:00",
    ]


def test_ids_in_payloads():
    generated = str(uuid.uuid4())
    assert payload(
        {"note": f"see {generated}", "order_id": "3f9a01bc", "orderId": "order-7", "hash": "3f9a01bc"}
    ) == {
        "note": "see ${id:1}",
        "order_id": "${id:2}",
        "orderId": "order-7",
        "hash": "${id:2}",
    }


def test_what_reads_as_a_placeholder_is_escaped():
    assert payload({"${x}": "costs ${call:1}"}) == {"$${x}": "costs $${call:1}"}


def test_booleans_are_no_times():
    assert payload([True, False]) == [True, False]
