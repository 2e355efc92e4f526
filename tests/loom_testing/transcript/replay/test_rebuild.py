"""Messages from a transcript's JSON."""

from __future__ import annotations

import pytest

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.transcript import Entry, Kind, TranscriptError, Way
from loom_testing.transcript.plain import Literal
from loom_testing.transcript.replay.rebuild import rebuilt
from loom_testing.transcript.wire import ONEOFS

MESSAGES = [
    (
        "EventStream",
        "publish",
        event_pb2.Publish(topic="t", event=event_pb2.Event(payload=b'{"a":1}', tags=["x"])),
    ),
    (
        "EventStream",
        "publish",
        event_pb2.Publish(event=event_pb2.Event(payload=b"\xff", metadata={"k": "v"})),
    ),
    ("EventStream", "publish", event_pb2.Publish(event=event_pb2.Event(payload=b"text"))),
    ("EventStream", "goodbye", stream_pb2.Goodbye()),
    ("EventStream", "ack", stream_pb2.Ack(message_id="a", done=[stream_pb2.SeqRange(first=1, last=2)])),
    ("EventStream", "action_result", action_pb2.ActionResult(status=2, error=action_pb2.ActionError())),
    ("EventStream", "action_result", action_pb2.ActionResult(status=77)),
    (
        "RegisterAgent",
        "request",
        agent_pb2.AgentRegisterRequest(
            agent_id="a", subscriptions=[agent_pb2.Subscription(topic="t", qos=0)], echo=False
        ),
    ),
]


@pytest.mark.parametrize(("rpc", "name", "message"), MESSAGES)
def test_a_message_is_built_as_it_was_read(rpc: str, name: str, message):
    entry = Entry("a", Way.SENT, Kind.MESSAGE, name, rpc, 1)
    built = rebuilt(entry, Literal().message(message))
    assert (getattr(built, name) if rpc == "EventStream" else built) == message


def test_a_message_without_a_member():
    built = rebuilt(Entry("a", Way.SENT, Kind.MESSAGE, "empty", "EventStream", 1), {})
    assert built == stream_pb2.ClientEvent()
    assert built.DESCRIPTOR.full_name in ONEOFS


def test_unknown_fields_are_left_out():
    entry = Entry("a", Way.SENT, Kind.MESSAGE, "goodbye", "EventStream", 1)
    wanted = stream_pb2.ClientEvent(goodbye=stream_pb2.Goodbye(reason="r"))
    assert rebuilt(entry, {"reason": "r", "$unknown": [900]}) == wanted


@pytest.mark.parametrize(
    ("rpc", "name", "body", "said"),
    [
        ("Other", "request", {}, "there is no method 'Other'"),
        ("EventStream", "delivery", {}, "no message 'delivery' goes to a bridge"),
        ("EventStream", "goodbye", {"why": 1}, "it has no field 'why'"),
        ("EventStream", "goodbye", {"reason": 1}, "a goodbye of a is no message of this Loom"),
        ("EventStream", "goodbye", [1], "is no message of this Loom"),
        ("EventStream", "action_result", {"status": "ACTION_NONE"}, "ACTION_NONE"),
        ("EventStream", "publish", {"event": {"payload": {"$base64": "*"}}}, "no base64"),
    ],
)
def test_what_is_no_message(rpc: str, name: str, body: object, said: str):
    with pytest.raises(TranscriptError, match="record the transcript again") as caught:
        rebuilt(Entry("a", Way.SENT, Kind.MESSAGE, name, rpc, 1), body)
    assert said in str(caught.value)
