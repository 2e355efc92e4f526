"""The client's half of the protocol on virtual time: no socket, no clock, no event loop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.errors import (
    BridgeUnavailable,
    InvalidInput,
    ProtocolError,
    PublishRefused,
    RegistrationRefused,
    Superseded,
    Unauthenticated,
)
from loom.happenings import UNKNOWN, Called, Cancelled, Confirmed, Delivered, Draining, Flushed, Live, Refused
from loom.registration import Registration, Subscription
from loom.session import FEATURES, Session, State, is_final
from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2

Server = stream_pb2.ServerEvent


def accepted(**fields):
    fields.setdefault("features", sorted(FEATURES))
    fields.setdefault("heartbeat_interval_ms", 3000)
    return agent_pb2.AgentRegisterResponse(success=True, registration=7, **fields)


def session(now=0.0, **fields):
    """A session whose stream is live."""
    made = Session(Registration("me", (Subscription("t"),)), producer=99)
    go_live(made, now, **fields)
    return made


def go_live(session, now=0.0, epoch=5, **fields):
    assert session.registered(accepted(**fields)) is None
    session.handshake(now)
    (ack,) = session.take()
    assert ack.WhichOneof("msg") == "ack"
    assert session.receive(Server(welcome=stream_pb2.Welcome(epoch=epoch)), now) == [Live(epoch)]
    return ack.ack


def base_level(now=0.0):
    """A session on a bridge that knows only the base level."""
    made = Session(Registration("me", (Subscription("t", types=("x",)),)), producer=99)
    again = made.registered(agent_pb2.AgentRegisterResponse(success=True))
    assert list(again.subscribed_topics) == ["t", "agent.me.replies"]
    assert made.registered(agent_pb2.AgentRegisterResponse(success=True)) is None
    made.handshake(now)
    made.take()
    assert made.accepted(now) == [Live(0)]
    return made


def kinds(messages):
    return [message.WhichOneof("msg") for message in messages]


def event(name="e"):
    return event_pb2.Event(id=name)


# Handshake.


def test_it_registers_with_every_feature_it_speaks():
    request = Session(Registration("me"), 1).register()
    assert (request.agent_id, list(request.features)) == ("me", sorted(FEATURES))


def test_the_handshake_names_agent_registration_and_producer():
    made = Session(Registration("me"), producer=99)
    ack = go_live(made)
    assert (ack.message_id, ack.registration, ack.producer) == ("me", 7, 99)
    assert (made.state, made.epoch) == (State.STREAMING, 5)


def test_nothing_but_the_handshake_is_written_before_the_stream_is_live():
    made = Session(Registration("me"), 1)
    made.registered(accepted())
    made.publish("t", event(), confirm=False)
    made.handshake(0)
    assert kinds(made.take()) == ["ack"]
    assert made.take() == []
    made.receive(Server(welcome=stream_pb2.Welcome(epoch=1)), 0)
    assert kinds(made.take()) == ["publish"]


def test_headers_alone_are_no_welcome():
    made = Session(Registration("me"), 1)
    made.registered(accepted())
    made.handshake(0)
    assert made.accepted(0) == []
    assert made.state is State.REGISTERED


def test_a_refused_registration_says_what_the_bridge_said_and_is_final():
    made = Session(Registration("me"), 1)
    response = agent_pb2.AgentRegisterResponse(
        error_message="topic is bad", error_code="INVALID_SUBSCRIPTION"
    )
    with pytest.raises(RegistrationRefused, match="registration of me: topic is bad") as caught:
        made.registered(response)
    assert caught.value.code == "INVALID_SUBSCRIPTION"
    assert made.lost(caught.value, 0) is caught.value
    assert made.state is State.CLOSED


# Publishing.


def test_a_receipt_confirms():
    made = session()
    assert made.publish("t", event(), confirm=True) == 1
    (message,) = made.take()
    assert (message.publish.topic, message.publish.confirm, message.publish.pub_seq) == ("t", True, 1)
    receipt = Server(receipt=stream_pb2.Receipt(ref=1, matched=3))
    assert made.receive(receipt, 0) == [Confirmed(1, 3)]
    assert made.receive(receipt, 0) == []


def test_a_refused_publish_is_told_with_the_bridges_words():
    made = session()
    made.publish("t", event(), confirm=True)
    err = stream_pb2.Error(code="INVALID_TTL", message="bad ttl", ref="1")
    assert made.receive(Server(err=err), 0) == []
    receipt = Server(receipt=stream_pb2.Receipt(ref=1, code="INVALID_TTL"))
    assert made.receive(receipt, 0) == [Confirmed(1, 0, "INVALID_TTL", "bad ttl")]


def test_unconfirmed_publishes_are_sent_again_in_order_under_the_same_numbers():
    made = session()
    for name in "abc":
        made.publish("t", event(name), confirm=True)
    made.take()
    made.receive(Server(receipt=stream_pb2.Receipt(ref=2, matched=1)), 0)
    made.lost(None, 1)
    assert made.publish("t", event("d"), confirm=True) == 4
    go_live(made, 2, epoch=6)
    again = made.take()
    assert [(m.publish.event.id, m.publish.pub_seq) for m in again] == [("a", 1), ("c", 3), ("d", 4)]


def test_what_nobody_waits_for_is_not_sent_again():
    made = session()
    made.publish("t", event(), confirm=True)
    made.take()
    made.forget(1)
    made.lost(None, 1)
    go_live(made, 2)
    assert made.take() == []


def test_plain_publishes_that_were_not_written_yet_are_kept_and_results_are_not():
    made = session()
    made.publish("t", event("a"), confirm=False)
    made.publish("t", event("b"), confirm=True)
    made.answer(action_pb2.ActionResult(id="c"))
    made.lost(None, 1)
    go_live(made, 2)
    assert [m.publish.event.id for m in made.take()] == ["b", "a"]


def test_there_is_room_for_as_many_open_publishes_as_the_bridge_keeps():
    made = session(limits=agent_pb2.Limits(producer_outcomes=2))
    assert made.has_room
    made.publish("t", event(), confirm=True)
    made.publish("t", event(), confirm=True)
    assert not made.has_room
    made.receive(Server(receipt=stream_pb2.Receipt(ref=1)), 0)
    assert made.has_room


def test_plain_publishes_wait_for_room_too():
    made = session()
    for _ in range(1024):
        made.publish("t", event(), confirm=False)
    assert not made.has_room
    made.take()
    assert made.has_room


def test_an_event_larger_than_the_bridge_takes_is_refused_here():
    made = session(limits=agent_pb2.Limits(event_bytes=100))
    with pytest.raises(PublishRefused, match="at most 100 are taken") as caught:
        made.publish("t", event_pb2.Event(payload=b"x" * 200), confirm=True)
    assert caught.value.code == "LIMIT_EXCEEDED"
    assert made.take() == []


def test_an_answer_larger_than_the_bridge_takes_becomes_an_error():
    made = session(limits=agent_pb2.Limits(message_bytes=4096))
    assert made.answer(action_pb2.ActionResult(id="c", output=b"x" * 5000))
    (message,) = made.take()
    assert message.action_result.id == "c"
    assert message.action_result.error.code == "INVALID_OUTPUT"
    assert "bytes" in message.action_result.error.message


def test_a_call_larger_than_the_bridge_takes_is_refused_here():
    made = session(limits=agent_pb2.Limits(message_bytes=4096))
    made.check_call(action_pb2.ActionCall(capability="work", payload=b"x" * 1000))
    with pytest.raises(
        InvalidInput, match=r"the call of work has 50.. bytes; at most 3072 are taken"
    ) as caught:
        made.check_call(action_pb2.ActionCall(capability="work", payload=b"x" * 5000))
    assert caught.value.code == "LIMIT_EXCEEDED"


def test_a_result_for_a_lost_stream_is_dropped():
    made = session()
    made.lost(None, 0)
    assert not made.answer(action_pb2.ActionResult(id="c"))


# What comes in.


def test_messages_become_happenings():
    made = session()
    call = action_pb2.ActionCall(id="1")
    delivery = event_pb2.Delivery(topic="t", event=event())
    cancel = action_pb2.ActionCancel(id="1", code="TIMEOUT")
    assert made.receive(Server(delivery=delivery), 0) == [Delivered("t", event())]
    assert made.receive(Server(action_call=call), 0) == [Called(call)]
    assert made.receive(Server(action_cancel=cancel), 0) == [Cancelled("1", "TIMEOUT")]
    assert made.receive(Server(drain=stream_pb2.Drain(grace_ms=9)), 0) == [Draining(9)]
    err = stream_pb2.Error(code="UNKNOWN_CALL", message="late", ref="x")
    assert made.receive(Server(err=err), 0) == [Refused("UNKNOWN_CALL", "late", "x")]


def test_a_flush_is_a_ping_that_says_which():
    made = session()
    assert [made.flush(), made.flush()] == [1, 2]
    pings = [message.ping for message in made.take()]
    assert made.receive(Server(pong=stream_pb2.HeartbeatResponse(timestamp_ms=pings[1].timestamp_ms)), 0) == [
        Flushed(2)
    ]


def test_what_it_does_not_know_means_nothing():
    made = session()
    assert made.receive(Server(), 0) == []
    assert made.receive(Server(flow=stream_pb2.Flow(credit=3)), 0) == []


def test_what_the_bridge_said_comes_before_how_the_stream_ended():
    made = session()
    err = stream_pb2.Error(code="SUPERSEDED", message="newest wins", fatal=True)
    assert made.receive(Server(err=err), 0) == []
    error = made.lost(BridgeUnavailable("aborted"), 0)
    assert isinstance(error, Superseded)
    assert made.state is State.CLOSED


def test_an_unknown_fatal_error_is_no_reason_to_stay_away():
    made = session()
    made.receive(Server(err=stream_pb2.Error(code="NEWS", message="who knows", fatal=True)), 0)
    assert isinstance(made.lost(None, 0), ProtocolError)
    assert made.state is State.NEW


def test_a_fatal_error_belongs_to_its_stream_only():
    made = session()
    made.receive(Server(err=stream_pb2.Error(code="SLOW_CONSUMER", message="slow", fatal=True)), 0)
    assert made.lost(None, 0).code == "SLOW_CONSUMER"
    go_live(made, 1)
    assert made.lost(None, 2).code == "BRIDGE_UNAVAILABLE"


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (Superseded("x"), True),
        (Unauthenticated("x"), True),
        (RegistrationRefused("x"), True),
        (RegistrationRefused("x", code="DRAINING"), False),
        (BridgeUnavailable("x"), False),
        (ProtocolError("x"), False),
    ],
)
def test_what_is_final(error, final):
    assert is_final(error) is final


# Time.


def test_it_pings_each_interval():
    made = session()
    assert made.next_deadline() == 3.0
    assert made.tick(2.9) is None
    assert made.take() == []
    for now in (3.0, 6.0):
        assert made.tick(now) is None
        (message,) = made.take()
        assert message.ping.timestamp_ms == now * 1000
        made.receive(Server(pong=stream_pb2.HeartbeatResponse()), now)
    assert made.next_deadline() == 9.0


def silence(made, begin, end):
    """Ticks on time until the session finds the bridge dead; answers when."""
    while (due := made.next_deadline()) is not None and due <= end:
        if (error := made.tick(due)) is not None:
            assert error.code == "HEARTBEAT_TIMEOUT"
            return due
    return None


def test_a_bridge_silent_for_three_intervals_is_dead():
    made = session(now=10.0)
    assert silence(made, 10.0, 100.0) == 19.0


def test_any_message_is_a_sign_of_life():
    made = session()
    assert silence(made, 0.0, 8.0) is None
    made.receive(Server(), 8.0)
    assert silence(made, 8.0, 100.0) == 17.0


def test_a_bridge_that_never_welcomes_is_dead_too():
    made = Session(Registration("me"), 1)
    made.registered(accepted())
    made.handshake(0)
    assert silence(made, 0, 100) == 9.0


def test_silence_means_nothing_while_nobody_reads():
    made = session()
    made.pause()
    assert silence(made, 1.0, 50.0) is None
    made.resume(50.0)
    assert silence(made, 50.0, 100.0) == 59.0


def test_without_a_stream_there_is_nothing_to_wait_for():
    made = session()
    made.lost(None, 1)
    assert made.next_deadline() is None
    assert made.tick(100) is None


def test_back_off_doubles_up_to_a_bound_and_begins_again():
    made = Session(Registration("me"), 1)
    longest = []
    for _ in range(8):
        made.lost(None, 0)
        longest.append(made.delay(1.0))
    assert longest == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0]
    go_live(made, now=10)
    made.lost(None, 11)  # it did not live long
    assert made.delay(1.0) == 2.0
    go_live(made, now=20)
    made.lost(None, 30)
    assert made.delay(1.0) == 0.2


@given(attempt=st.integers(min_value=0, max_value=10_000), fraction=st.floats(min_value=0, max_value=1))
def test_back_off_is_spread_over_the_upper_half_of_its_bound(attempt, fraction):
    made = Session(Registration("me"), 1)
    made.attempt = attempt
    assert made.delay(1.0) / 2 <= made.delay(fraction) <= made.delay(1.0) <= 2.0


# The base level.


def test_the_base_level_has_no_receipts_and_no_registration_number():
    made = base_level()
    assert made.base_level
    assert not made.confirms
    assert made.publish("t", event(), confirm=True) == 0
    (message,) = made.take()
    assert not message.publish.confirm


def test_the_base_level_is_live_with_its_first_message_at_the_latest():
    made = Session(Registration("me"), 1)
    made.registered(agent_pb2.AgentRegisterResponse(success=True))
    made.registered(agent_pb2.AgentRegisterResponse(success=True))
    made.handshake(0)
    delivery = Server(delivery=event_pb2.Delivery(topic="t", event=event()))
    assert made.receive(delivery, 0) == [Live(0), Delivered("t", event())]


def test_silence_of_a_base_level_bridge_counts_only_once_it_answered_a_ping():
    made = base_level()
    assert silence(made, 0, 50) is None
    made.receive(Server(pong=stream_pb2.HeartbeatResponse()), 50)
    assert silence(made, 50, 100) == 59.0


def test_goodbye_is_not_said_to_who_does_not_know_the_word():
    assert not base_level().close()
    made = session()
    assert made.close("done")
    assert kinds(made.take()) == ["goodbye"]


def test_open_publishes_go_out_plainly_where_the_bridge_came_back_without_receipts():
    made = session()
    made.publish("t", event("a"), confirm=True)
    made.take()
    made.lost(None, 1)
    made.registered(agent_pb2.AgentRegisterResponse(success=True))
    made.registered(agent_pb2.AgentRegisterResponse(success=True))
    made.handshake(2)
    made.take()
    assert made.accepted(2) == [Live(0), Confirmed(1, UNKNOWN)]
    (message,) = made.take()
    assert (message.publish.event.id, message.publish.confirm, message.publish.pub_seq) == ("a", False, 0)


# Replacing the registration, and the end.


def test_a_registration_is_replaced_under_a_live_stream():
    made = session()
    request = made.replace(Registration("me"))
    assert (list(request.features), list(request.subscribed_topics)) == (sorted(FEATURES), [])
    made.replaced(accepted())
    assert made.state is State.STREAMING
    with pytest.raises(RegistrationRefused):
        made.replaced(agent_pb2.AgentRegisterResponse())


def test_after_the_end_nothing_is_sent():
    made = session()
    made.publish("t", event(), confirm=True)
    made.end()
    assert made.state is State.CLOSED
    assert made.take() == []
    assert not made.close()
