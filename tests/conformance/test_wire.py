import pytest

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_conformance.wire import decode, encode, entry, foreign_fields, one


def test_what_is_written_by_hand_is_what_a_library_reads():
    data = encode((1, "id"), (3, -5), (5, entry("key", "value")), (6, b"\xff"), (8, "a"), (8, "b"), (9, 300))
    event = event_pb2.Event.FromString(data)
    assert (event.id, event.timestamp_ms, event.payload, event.priority) == ("id", -5, b"\xff", 300)
    assert dict(event.metadata) == {"key": "value"}
    assert list(event.tags) == ["a", "b"]


def test_what_a_library_writes_is_read_by_hand():
    event = event_pb2.Event(id="id", timestamp_ms=300, confidence=0.5, payload=b"x" * 200)
    fields = decode(event.SerializeToString())
    assert fields == [(1, b"id"), (3, 300), (6, b"x" * 200), (7, b"\x00\x00\x00\x3f")]
    assert decode(encode((1_000, "x"))) == [(1_000, b"x")]


def test_the_last_value_of_a_field_counts():
    data = encode((1, 1), (2, 2), (1, 3))
    assert (one(data, 1), one(data, 2), one(data, 3)) == (3, 2, None)


@pytest.mark.parametrize("data", [b"\x80", b"\x0a\x05ab", b"\x0d\x00", b"\x0b\x0c"])
def test_bytes_that_are_no_message(data):
    with pytest.raises(ValueError, match="cut off"):
        decode(data)


def test_fields_of_extensions_are_found_wherever_they_are():
    seen = stream_pb2.ServerEvent(delivery=event_pb2.Delivery(topic="t", seq=1))
    assert list(foreign_fields(seen)) == ["Delivery.100"]
    news = stream_pb2.ServerEvent.FromString(encode((1, encode((1, "t"), (150, 1))), (151, "x")))
    assert list(foreign_fields(news)) == ["ServerEvent.151", "Delivery.150"]
    several = agent_pb2.AgentRegisterRequest(features=["x"], subscribed_topics=["t"])
    assert list(foreign_fields(several)) == ["AgentRegisterRequest.101"]


def test_the_base_level_has_none():
    call = action_pb2.ActionCall(id="1", headers={"a": "b"}, qos=event_pb2.QOS_BATCHED)
    assert not list(foreign_fields(stream_pb2.ServerEvent(action_call=call)))
    descriptor = action_pb2.CapabilityDescriptor(name="c", metadata={"a": "b"})
    assert not list(foreign_fields(agent_pb2.AgentRegisterRequest(agent_id="a", capabilities=[descriptor])))
