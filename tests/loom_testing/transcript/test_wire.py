"""Messages taken apart."""

from __future__ import annotations

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.transcript import Kind, Way
from loom_testing.transcript.recorder import Recorded
from loom_testing.transcript.wire import METHODS, crossings, message_class, method_of


def recorded(what, rpc="EventStream", way=Way.SENT, kind=Kind.MESSAGE) -> Recorded:
    return Recorded(0, 0, "a", way, kind, rpc, 1, what)


def names(item: Recorded) -> list[tuple[str, Kind]]:
    return [(crossing.name, crossing.kind) for crossing in crossings(item)]


def test_a_stream_message_is_named_by_its_member():
    goodbye = stream_pb2.ClientEvent(goodbye=stream_pb2.Goodbye(reason="r"))
    (crossing,) = crossings(recorded(goodbye))
    assert (crossing.name, crossing.message) == ("goodbye", stream_pb2.Goodbye(reason="r"))


def test_a_batch_is_its_messages():
    inner = [
        stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest()),
        stream_pb2.ClientEvent(publish=event_pb2.Publish()),
    ]
    batch = stream_pb2.ClientEvent(batch=stream_pb2.ClientBatch(items=inner))
    assert names(recorded(batch)) == [("ping", Kind.MESSAGE), ("publish", Kind.MESSAGE)]


def test_unary_messages_are_request_and_response():
    assert names(recorded(agent_pb2.AgentRegisterRequest(), "RegisterAgent")) == [("request", Kind.MESSAGE)]
    answer = recorded(b"", "/loom.v1.Bridge/RegisterAgent", Way.RECEIVED)
    assert names(answer) == [("response", Kind.MESSAGE)]


def test_a_chunk_of_a_streamed_answer():
    item = action_pb2.ActionStreamItem(result=action_pb2.ActionResult(id="1"))
    assert names(recorded(item, "ForwardActionStream", Way.RECEIVED)) == [("result", Kind.MESSAGE)]


def test_a_message_without_a_member():
    assert names(recorded(stream_pb2.ClientEvent())) == [("empty", Kind.MESSAGE)]


def test_bytes_that_are_no_message():
    assert names(recorded(b"\xff\xff")) == [("", Kind.BYTES)]
    assert names(recorded(b"", "Unknown")) == [("", Kind.BYTES)]


def test_a_fault_names_the_message_it_met():
    goodbye = stream_pb2.ClientEvent(goodbye=stream_pb2.Goodbye())
    assert names(recorded(("dropped", None, goodbye), kind=Kind.FAULT)) == [("goodbye", Kind.FAULT)]
    assert names(recorded(("dropped", None, b"\xff"), kind=Kind.FAULT)) == [("", Kind.FAULT)]
    assert names(recorded(("cut", None, None), kind=Kind.FAULT)) == [("", Kind.FAULT)]


def test_every_method_of_the_bridge_is_known():
    from loom.v1 import bridge_pb2

    services = bridge_pb2.DESCRIPTOR.services_by_name.values()
    methods = {method.name: method for service in services for method in service.methods}
    assert METHODS.keys() == methods.keys()
    for name, (request, response) in METHODS.items():
        assert methods[name].input_type == request.DESCRIPTOR
        assert methods[name].output_type == response.DESCRIPTOR


def test_the_class_of_a_message():
    assert method_of("/loom.v1.Bridge/EventStream") == "EventStream"
    assert message_class("/loom.v1.Bridge/EventStream", Way.RECEIVED) is stream_pb2.ServerEvent
    assert message_class("Other", Way.SENT) is None
