"""Received events, and those that are made."""

import pytest
from pydantic import BaseModel

from loom.envelope import Envelope
from loom.errors import InvalidInput, PayloadError
from loom.event import Event, make_event
from loom.v1 import event_pb2


class Paper(BaseModel):
    title: str


def received(payload=b"", topic="paper.new", **metadata):
    return Event.from_message(
        topic, event_pb2.Event(id="1", type="new", source="web", payload=payload, metadata=metadata)
    )


def test_every_field_arrives():
    message = event_pb2.Event(
        id="1",
        type="t",
        timestamp_ms=5,
        source="web",
        metadata={"loom.thread_id": "th", "mine": "x"},
        payload=b"p",
        confidence=0.5,
        tags=["a", "b"],
        priority=-3,
    )
    event = Event.from_message("topic", message)
    assert (event.topic, event.id, event.type, event.source, event.payload) == (
        "topic",
        "1",
        "t",
        "web",
        b"p",
    )
    assert (event.timestamp_ms, event.confidence, event.tags, event.priority) == (5, 0.5, ("a", "b"), -3)
    assert event.metadata == {"loom.thread_id": "th", "mine": "x"}
    assert event.envelope == Envelope(thread_id="th", extra={"mine": "x"})


def test_the_sender_is_who_the_envelope_says_or_else_the_source():
    assert received().sender == "web"
    assert received(**{"loom.sender": "me"}).sender == "me"


def test_a_malformed_time_to_live_is_no_reason_to_refuse_an_event():
    event = received(**{"loom.ttl_ms": "soon", "loom.thread_id": "th"})
    assert event.envelope == Envelope(thread_id="th")
    assert event.metadata["loom.ttl_ms"] == "soon"


def test_the_payload_as_data_and_as_a_model():
    event = received(b'{"title": "x"}')
    assert event.json() == {"title": "x"}
    assert event.into(Paper) == Paper(title="x")
    with pytest.raises(InvalidInput, match="the payload of new does not fit Paper: field 'title'"):
        received(b"{}").into(Paper)
    with pytest.raises(PayloadError, match="not JSON"):
        received(b"{").json()


def test_what_is_made_is_what_arrives():
    envelope = Envelope(thread_id="th", sender="me", reply_to="r", ttl_ms=9, extra={"mine": "x"})
    first = make_event("t", b"p", envelope, tags=("a",), confidence=0.25, priority=2)
    second = make_event("t", b"p", envelope)
    event = Event.from_message("topic", first)
    assert (event.type, event.payload, event.envelope, event.source) == ("t", b"p", envelope, "me")
    assert (event.tags, event.confidence, event.priority) == (("a",), 0.25, 2)
    assert event.timestamp_ms > 1_600_000_000_000
    assert first.id
    assert first.id != second.id
