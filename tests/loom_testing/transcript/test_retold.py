"""What an engine was told, as messages again."""

from __future__ import annotations

import pytest

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.codec import decode_client_event, decode_invoke, decode_register
from loom_testing.engine import messages
from loom_testing.transcript.retold import retold_call, retold_message, retold_registration

SUBSCRIPTION = agent_pb2.Subscription(topic="a.*", event_types=["x"], qos=2, group="g", observer=True)
EVENT = event_pb2.Event(id="e", payload=b"\x00", metadata={"k": "v"})


@pytest.mark.parametrize(
    "message",
    [
        {"publish": event_pb2.Publish(topic="a", event=EVENT, confirm=True, pub_seq=3)},
        {"publish": event_pb2.Publish(topic="a", event=event_pb2.Event())},
        {"publish": event_pb2.Publish()},
        {
            "ack": stream_pb2.Ack(
                message_id="a",
                epoch=1,
                seq=2,
                done=[stream_pb2.SeqRange(first=4, last=5)],
                registration=6,
                producer=7,
            )
        },
        {"ack": stream_pb2.Ack()},
        {"ping": stream_pb2.HeartbeatRequest(timestamp_ms=-3)},
        {"ping": stream_pb2.HeartbeatRequest()},
        {"action_result": action_pb2.ActionResult(id="c", status=1, output=b"x")},
        {
            "action_result": action_pb2.ActionResult(
                status=77, error=action_pb2.ActionError(code="X", details={"a": "b"})
            )
        },
        {"subscribe": stream_pb2.Subscribe(ref=1, subscriptions=[SUBSCRIPTION])},
        {"unsubscribe": stream_pb2.Unsubscribe(ref=2, subscriptions=[agent_pb2.Subscription(topic="b")])},
        {"goodbye": stream_pb2.Goodbye(reason="r")},
        {"goodbye": stream_pb2.Goodbye()},
    ],
)
def test_messages_of_the_stream(message: dict):
    event = stream_pb2.ClientEvent(**message)
    told = decode_client_event(event.SerializeToString())
    assert stream_pb2.ClientEvent.FromString(retold_message(told)) == event


def test_a_message_that_the_engine_does_not_know():
    assert retold_message(messages.Unknown("x")) == b""


def test_a_registration():
    request = agent_pb2.AgentRegisterRequest(
        agent_id="a",
        subscribed_topics=["t"],
        capabilities=[
            action_pb2.CapabilityDescriptor(name="c", version="1", provider=2, metadata={"k": "v"})
        ],
        metadata={"m": "n"},
        subscriptions=[SUBSCRIPTION],
        features=["session"],
        echo=False,
    )
    assert retold_registration(decode_register(1, request.SerializeToString())) == request
    bare = agent_pb2.AgentRegisterRequest(agent_id="a")
    assert retold_registration(decode_register(1, bare.SerializeToString())) == bare


def test_a_call():
    call = action_pb2.ActionCall(
        id="c",
        capability="x",
        version="1",
        payload=b"{}",
        headers={"a": "b"},
        timeout_ms=5,
        correlation_id="t",
        qos=2,
    )
    assert retold_call(decode_invoke(1, call.SerializeToString()).request) == call
