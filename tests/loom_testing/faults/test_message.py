"""One message, as a fault's predicates see it."""

from __future__ import annotations

import pytest

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.faults.message import KINDS, STREAM, Direction, WireMessage
from loom_testing.transcript.entry import Way
from loom_testing.transcript.wire import METHODS, ONEOFS
from tests.loom_testing.faults.messages import (
    TO_AGENT,
    TO_BRIDGE,
    answer,
    call,
    delivery,
    down,
    publish,
    register,
    up,
)


def test_directions_are_ways():
    assert (TO_BRIDGE.way, TO_AGENT.way) == (Way.SENT, Way.RECEIVED)


def test_an_event():
    for message, kind in (publish("a.b", "kind"), "publish"), (delivery("a.b", "kind"), "delivery"):
        assert (message.kind, message.topic, message.type) == (kind, "a.b", "kind")
        assert message.event is not None
        assert message.capability == ""


def test_a_call_and_its_answer():
    asked = call("adding", caller="me")
    assert (asked.kind, asked.capability, asked.names) == ("call", "adding", "me")
    answered = answer(asked)
    assert (answered.kind, answered.capability) == ("answer", "adding")
    assert answer().capability == ""
    assert (asked.topic, asked.type, asked.event) == ("", "", None)


def test_a_call_on_the_stream_and_its_result():
    given = down(action_call=action_pb2.ActionCall(id="1", capability="c"))
    assert (given.kind, given.capability) == ("action_call", "c")
    result = up(action_result=action_pb2.ActionResult(id="1"))
    result.asked = given
    assert (result.kind, result.capability) == ("action_result", "c")


def test_the_first_message_of_a_stream_is_its_handshake():
    ack = stream_pb2.Ack(message_id="me")
    first = up(first=True, ack=ack)
    assert (first.kind, first.names) == ("handshake", "me")
    later = up(ack=ack)
    assert (later.kind, later.names) == ("ack", "")
    assert up(first=True, ack=stream_pb2.Ack()).kind == "ack"


def test_a_registration_names_its_agent():
    assert (register("me").kind, register("me").names) == ("register", "me")
    told = WireMessage(TO_AGENT, "RegisterAgent", agent_pb2.AgentRegisterResponse().SerializeToString())
    assert (told.kind, told.names) == ("registered", "")


def test_the_items_of_a_streamed_call():
    def item(**fields):
        data = action_pb2.ActionStreamItem(**fields).SerializeToString()
        return WireMessage(TO_AGENT, "ForwardActionStream", data, asked=call("c"))

    assert item(chunk=action_pb2.ActionChunk()).kind == "chunk"
    assert item(chunk=action_pb2.ActionChunk()).capability == "c"
    assert item(result=action_pb2.ActionResult()).kind == "answer"


@pytest.mark.parametrize("message", [up(), WireMessage(TO_BRIDGE, STREAM, b"\xff" * 12)])
def test_what_is_no_message_is_nothing(message):
    assert (message.kind, message.topic, message.type, message.capability, message.names) == ("",) * 5
    assert message.parsed is None
    assert message.event is None


def test_a_method_of_nobody_is_nothing():
    assert WireMessage(TO_BRIDGE, "Sing", b"").kind == ""


def test_an_empty_message_is_its_method():
    assert WireMessage(TO_BRIDGE, "ListCapabilities", b"").kind == "list"
    assert WireMessage(TO_AGENT, "Heartbeat", b"").kind == "heartbeat_answer"


def test_every_kind_of_the_protocol_is_there():
    """What the .proto files may send, a fault may name."""
    found = {}
    for rpc, classes in METHODS.items():
        for direction, cls in zip((TO_BRIDGE, TO_AGENT), classes, strict=True):
            oneof = ONEOFS.get(cls.DESCRIPTOR.full_name)
            if oneof is None:
                found.setdefault(WireMessage(direction, rpc, b"").kind, set()).add(direction)
                continue
            for field in cls.DESCRIPTOR.oneofs_by_name[oneof].fields:
                made = cls()
                getattr(made, field.name).SetInParent()
                kind = WireMessage(direction, rpc, made.SerializeToString()).kind
                found.setdefault(kind, set()).add(direction)
    found["handshake"] = {TO_BRIDGE}
    assert found == {kind: set(Direction) if way is None else {way} for kind, way in KINDS.items()}


def test_an_event_in_a_message_of_another_kind_is_none():
    message = down(receipt=stream_pb2.Receipt(ref=1))
    assert (message.kind, message.event, message.type) == ("receipt", None, "")


def test_a_publish_without_an_event_has_no_type():
    assert up(publish=event_pb2.Publish(topic="t")).type == ""
