"""Bytes to messages and back, compared with the generated code of loom.v1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom.view.v1 import view_pb2
from loom_testing import codec
from loom_testing.engine import inputs, messages, outputs
from loom_testing.engine.limits import Limits

EVENT = event_pb2.Event(
    id="e1",
    type="t",
    timestamp_ms=5,
    source="s",
    metadata={"k": "v"},
    payload=b"\x00\xff",
    tags=["a"],
    priority=-1,
)
FOREIGN_FIELD = b"\xfa\x06\x03abc"  # field 111, a string nobody here knows


def client_event(**event) -> messages.ClientMessage:
    return codec.decode_client_event(stream_pb2.ClientEvent(**event).SerializeToString())


def server_event(message: messages.ServerMessage) -> stream_pb2.ServerEvent:
    return stream_pb2.ServerEvent.FromString(codec.encode_server_message(message))


# The stream: what clients send.


def test_a_publish_carries_its_event_as_the_bytes_it_came_in():
    data = EVENT.SerializeToString() + FOREIGN_FIELD
    raw = b"\x0a" + bytes([len(data) + 5]) + b"\x0a\x01t" + b"\x12" + bytes([len(data)]) + data
    assert codec.decode_client_event(raw) == messages.Publish("t", data)


def test_a_publish_without_an_event_is_told_from_one_with_an_empty_event():
    assert client_event(publish=event_pb2.Publish(topic="t")) == messages.Publish("t", None)
    empty = event_pb2.Publish(topic="t", event=event_pb2.Event())
    assert client_event(publish=empty) == messages.Publish("t", b"")


def test_a_confirmed_publish():
    publish = event_pb2.Publish(topic="t", event=event_pb2.Event(), confirm=True, pub_seq=2**64 - 1)
    assert client_event(publish=publish) == messages.Publish("t", b"", True, 2**64 - 1)


def test_an_ack():
    assert client_event(ack=stream_pb2.Ack(message_id="a")) == messages.Ack("a")
    done = [stream_pb2.SeqRange(first=5, last=7), stream_pb2.SeqRange(first=9, last=9)]
    ack = stream_pb2.Ack(message_id="a", epoch=1, seq=3, done=done, registration=4, producer=2**63)
    assert client_event(ack=ack) == messages.Ack("a", 1, 3, [(5, 7), (9, 9)], 4, 2**63)


def test_a_ping_and_a_goodbye():
    assert client_event(ping=stream_pb2.HeartbeatRequest(timestamp_ms=-3)) == messages.Ping(-3)
    assert client_event(goodbye=stream_pb2.Goodbye(reason="r")) == messages.Goodbye("r")


def test_a_result_and_its_error():
    result = action_pb2.ActionResult(id="c", status=action_pb2.ACTION_OK, output=b"o")
    assert client_event(action_result=result) == messages.ActionResult("c", 0, b"o", None)
    error = action_pb2.ActionError(code="X", message="m", details={"d": "1"})
    result = action_pb2.ActionResult(id="c", status=action_pb2.ACTION_RETRYABLE, error=error)
    assert client_event(action_result=result) == messages.ActionResult(
        "c", 3, b"", messages.ActionError("X", "m", {"d": "1"})
    )


@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe"])
def test_changes_of_subscriptions(kind):
    message = {"subscribe": stream_pb2.Subscribe, "unsubscribe": stream_pb2.Unsubscribe}[kind]
    ours = {"subscribe": messages.Subscribe, "unsubscribe": messages.Unsubscribe}[kind]
    wire = message(ref=8, subscriptions=[agent_pb2.Subscription(topic="a.>", group="g")])
    assert client_event(**{kind: wire}) == ours(8, [messages.Subscription("a.>", group="g")])


def test_an_unset_qos_is_told_from_realtime():
    subscriptions = [
        agent_pb2.Subscription(topic="a"),
        agent_pb2.Subscription(topic="b", qos=event_pb2.QOS_REALTIME),
    ]
    decoded = client_event(subscribe=stream_pb2.Subscribe(subscriptions=subscriptions))
    assert [item.qos for item in decoded.subscriptions] == [None, 0]


def test_what_is_not_known_is_named_where_it_can_be():
    assert codec.decode_client_event(b"") == messages.Unknown("")
    assert codec.decode_client_event(FOREIGN_FIELD) == messages.Unknown("")
    assert client_event(batch=stream_pb2.ClientBatch()) == messages.Unknown("batch")
    assert client_event(action_chunk=action_pb2.ActionChunk(id="c")) == messages.Unknown("action_chunk")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(data):
    try:
        message = codec.decode_client_event(data)
    except codec.Malformed:
        return
    assert isinstance(message, messages.ClientMessage)


@given(st.integers(0, 300))
def test_a_cut_message_is_a_message_or_malformed(cut):
    whole = stream_pb2.ClientEvent(publish=event_pb2.Publish(topic="t", event=EVENT)).SerializeToString()
    data = whole[: cut % len(whole)]
    if data:
        with pytest.raises(codec.Malformed):
            codec.decode_client_event(data)


# The stream: what the bridge sends.


def test_a_delivery_carries_its_event_byte_for_byte():
    wire = server_event(messages.Delivery("t.x", EVENT.SerializeToString() + FOREIGN_FIELD, 3))
    assert wire.delivery.topic == "t.x"
    assert wire.delivery.seq == 3
    assert wire.delivery.event.SerializeToString(deterministic=True).endswith(FOREIGN_FIELD)
    assert FOREIGN_FIELD in codec.encode_server_message(messages.Delivery("t", FOREIGN_FIELD))


@pytest.mark.parametrize(
    ("ours", "wire"),
    [
        (
            messages.Delivery("t", EVENT.SerializeToString()),
            {"delivery": event_pb2.Delivery(topic="t", event=EVENT)},
        ),
        (messages.Delivery("t", b""), {"delivery": event_pb2.Delivery(topic="t", event=event_pb2.Event())}),
        (messages.Pong(), {"pong": stream_pb2.HeartbeatResponse(status="ok")}),
        (messages.Pong(-1), {"pong": stream_pb2.HeartbeatResponse(timestamp_ms=-1, status="ok")}),
        (
            messages.Err("C", "m", "r", True),
            {"err": stream_pb2.Error(code="C", message="m", ref="r", fatal=True)},
        ),
        (messages.Err("", ""), {"err": stream_pb2.Error()}),
        (
            messages.ActionCall("i", "c", "1", b"p", {"h": "v"}, 9, "t", 2),
            {
                "action_call": action_pb2.ActionCall(
                    id="i",
                    capability="c",
                    version="1",
                    payload=b"p",
                    headers={"h": "v"},
                    timeout_ms=9,
                    correlation_id="t",
                    qos=event_pb2.QOS_BACKGROUND,
                )
            },
        ),
        (messages.ActionCall(), {"action_call": action_pb2.ActionCall()}),
        (
            messages.Welcome(5, True, 2, 3),
            {"welcome": stream_pb2.Welcome(epoch=5, resumed=True, lost=2, credit=3)},
        ),
        (messages.Receipt(1, 2, "C"), {"receipt": stream_pb2.Receipt(ref=1, matched=2, code="C")}),
        (messages.Receipt(0), {"receipt": stream_pb2.Receipt()}),
        (
            messages.ActionCancel("i", "TIMEOUT"),
            {"action_cancel": action_pb2.ActionCancel(id="i", code="TIMEOUT")},
        ),
        (messages.Drain(5000), {"drain": stream_pb2.Drain(grace_ms=5000)}),
        (messages.Drain(0), {"drain": stream_pb2.Drain()}),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else next(iter(value)),
)
def test_what_the_bridge_sends(ours, wire):
    assert server_event(ours) == stream_pb2.ServerEvent(**wire)


def test_an_enum_number_without_a_name_passes_untouched():
    assert server_event(messages.ActionCall(qos=77)).action_call.qos == 77
    result = outputs.Answer(1, messages.ActionResult("i", 77))
    assert action_pb2.ActionResult.FromString(codec.encode_answer(result)).status == 77


# Unary calls.


def test_a_registration():
    request = agent_pb2.AgentRegisterRequest(
        agent_id="a",
        subscribed_topics=["x", "y.*"],
        capabilities=[
            action_pb2.CapabilityDescriptor(
                name="c", version="1", provider=action_pb2.PROVIDER_MCP, metadata={"m": "1"}
            )
        ],
        metadata={"k": "v"},
        subscriptions=[agent_pb2.Subscription(topic="z", event_types=["t"], observer=True)],
        features=["session"],
        echo=False,
    )
    assert codec.decode_register(4, request.SerializeToString()) == inputs.Register(
        4,
        "a",
        ["x", "y.*"],
        [messages.Capability("c", "1", 3, {"m": "1"})],
        {"k": "v"},
        [messages.Subscription("z", ["t"], None, "", True)],
        ["session"],
        False,
    )


def test_an_unset_echo_is_told_from_false():
    assert codec.decode_register(1, b"").echo is None


def test_the_answer_to_a_registration_says_which_bridge_this_is_and_what_it_takes():
    reply = outputs.RegisterReply(1, features=["confirm"], heartbeat_interval_ms=3000, registration=9)
    wire = agent_pb2.AgentRegisterResponse.FromString(
        codec.encode_register_reply(reply, Limits(event_bytes=77))
    )
    assert wire.success
    assert (wire.error_code, wire.error_message) == ("", "")
    assert list(wire.features) == ["confirm"]
    assert (wire.heartbeat_interval_ms, wire.registration) == (3000, 9)
    assert (wire.server.name, wire.server.protocol) == ("loom-testing", "1.0")
    assert wire.server.version
    assert wire.limits.event_bytes == 77
    assert all(getattr(wire.limits, field.name) > 0 for field in wire.limits.DESCRIPTOR.fields)


def test_a_refused_registration():
    reply = outputs.RegisterReply(1, "INVALID_TOPIC", "topic 'x y' has a space")
    wire = agent_pb2.AgentRegisterResponse.FromString(codec.encode_register_reply(reply, Limits()))
    assert not wire.success
    assert (wire.error_code, wire.error_message) == ("INVALID_TOPIC", "topic 'x y' has a space")


def test_a_call_and_its_answer():
    call = action_pb2.ActionCall(
        id="i",
        capability="c",
        version="1",
        payload=b"p",
        headers={"h": "v"},
        timeout_ms=-9,
        correlation_id="t",
    )
    assert codec.decode_invoke(3, call.SerializeToString()) == inputs.Invoke(
        3, messages.ActionCall("i", "c", "1", b"p", {"h": "v"}, -9, "t", 0)
    )
    answer = outputs.Answer(3, messages.ActionResult("i", 1, b"", messages.ActionError("X", "m", {"d": "1"})))
    assert action_pb2.ActionResult.FromString(codec.encode_answer(answer)) == action_pb2.ActionResult(
        id="i",
        status=action_pb2.ACTION_ERROR,
        error=action_pb2.ActionError(code="X", message="m", details={"d": "1"}),
    )


def test_an_empty_error_stays_an_error():
    answer = outputs.Answer(3, messages.ActionResult("i", 1, b"", messages.ActionError("")))
    assert action_pb2.ActionResult.FromString(codec.encode_answer(answer)).HasField("error")
    wire = action_pb2.ActionResult(id="i", error=action_pb2.ActionError())
    assert client_event(action_result=wire).error == messages.ActionError("")


def test_listing_capabilities():
    assert codec.decode_list_capabilities(2, b"") == inputs.ListCapabilities(2)
    reply = outputs.CapabilitiesReply(2, [messages.Capability("c", "1", 2, {"input_schema": "{}"})])
    wire = action_pb2.ListCapabilitiesResponse.FromString(codec.encode_capabilities(reply))
    assert list(wire.capabilities) == [
        action_pb2.CapabilityDescriptor(
            name="c", version="1", provider=action_pb2.PROVIDER_GRPC, metadata={"input_schema": "{}"}
        )
    ]


def test_the_unary_heartbeat():
    request = stream_pb2.HeartbeatRequest(timestamp_ms=5).SerializeToString()
    assert codec.decode_heartbeat(1, request) == inputs.Heartbeat(1, 5)
    reply = codec.encode_heartbeat(outputs.HeartbeatReply(1, 5))
    assert stream_pb2.HeartbeatResponse.FromString(reply) == stream_pb2.HeartbeatResponse(
        timestamp_ms=5, status="ok"
    )


@pytest.mark.parametrize(
    "decode",
    [codec.decode_register, codec.decode_invoke, codec.decode_list_capabilities, codec.decode_heartbeat],
)
@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x05ab", b"\x07", b"\x0b" * 500])
def test_malformed_requests(decode, data):
    with pytest.raises(codec.Malformed, match=r"not a well-formed loom\.v1\."):
        decode(1, data)


@pytest.mark.parametrize("decode", [codec.decode_register, codec.decode_invoke])
def test_a_string_that_is_not_utf_8_is_malformed(decode):
    with pytest.raises(codec.Malformed):
        decode(1, b"\x0a\x02\xc3\x28")


def test_an_error_names_the_message_of_the_protocol_not_the_bridges_view():
    with pytest.raises(codec.Malformed, match=r"not a well-formed loom\.v1\.ClientEvent$"):
        codec.parse(view_pb2.ClientEvent, b"\xff")
