"""What caused what."""

from __future__ import annotations

from loom.v1 import action_pb2, event_pb2, stream_pb2
from loom_testing.transcript import Way
from loom_testing.transcript.causes import Causes
from loom_testing.transcript.wire import crossings
from tests.loom_testing.transcript.story import STREAM, Story


def causes_of(story: Story) -> list[set[int]]:
    """For each recorded entry the places of its causes."""
    causes = Causes()
    taken = [crossing for item in story.recorder._head for crossing in crossings(item)]
    return [causes.of(place, crossing) for place, crossing in enumerate(taken)]


def last(story: Story) -> set[int]:
    return causes_of(story)[-1]


def place(story: Story) -> int:
    """The place of the latest entry."""
    return len(story.recorder) - 1


def two() -> Story:
    story = Story()
    story.join("a", "t")
    story.join("b", "t")
    return story


def test_a_delivery_comes_of_its_publish():
    story = two()
    event = story.event("a")
    story.publish("a", "t", event)
    published = place(story)
    story.deliver("b", "t", event)
    assert published in last(story)


def test_equal_events_are_told_apart_by_their_number():
    story = two()
    event = event_pb2.Event(id="e")
    places = []
    for _ in range(2):
        story.publish("a", "t", event)
        places.append(place(story))
    found = []
    for _ in range(2):
        story.deliver("b", "t", event)
        found.append(set(places) & last(story))
    assert [min(item) for item in found] == places


def test_equal_calls_one_after_the_other_are_told_apart():
    story = two()
    places, found = [], []
    for number in (1, 2, 3):
        story.recorder.sent("a", "ForwardAction", action_pb2.ActionCall(id=f"a-{number}", capability="c"))
        places.append(place(story))
        story.receive("b", action_call=action_pb2.ActionCall(id=f"b-{number}", capability="c"))
        found.append(set(places) & last(story))
    assert found == [{each} for each in places]


def test_a_receipt_comes_of_what_it_confirms():
    story = two()
    for number in (1, 2):
        story.publish("a", "t", story.event("a"), confirm=True, pub_seq=number)
    story.receipt("a", 1)
    assert place(story) - 2 in last(story)
    assert place(story) - 1 not in last(story)


def test_a_refusal_comes_of_the_event_it_names_else_of_all_that_was_sent():
    story = two()
    event = story.event("a")
    story.publish("a", "*", event)
    refused = place(story)
    story.publish("a", "t", story.event("a"))
    story.receive("a", err=stream_pb2.Error(code="INVALID_TOPIC", ref=event.id))
    assert refused in last(story)
    assert refused + 1 not in last(story)
    story.receive("a", err=stream_pb2.Error(code="OTHER"))
    assert refused + 1 in last(story)


def test_a_superseded_stream_comes_of_the_newer_handshake():
    story = Story()
    story.recorder.sent("a", STREAM, stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="a")), call=1)
    story.recorder.sent("a", STREAM, stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="a")), call=2)
    err = stream_pb2.ServerEvent(err=stream_pb2.Error(code="SUPERSEDED", fatal=True))
    story.recorder.received("a", STREAM, err, call=1)
    assert 1 in last(story)


def test_a_call_comes_of_the_request_and_its_answer_of_the_providers():
    story = two()
    request = action_pb2.ActionCall(id="mine", capability="c", payload=b"1")
    story.recorder.sent("a", "ForwardAction", request)
    asked = place(story)
    story.receive("b", action_call=action_pb2.ActionCall(id="bridges", capability="c", payload=b"1"))
    assert asked in last(story)
    given = place(story)
    story.send("b", action_result=action_pb2.ActionResult(id="bridges"))
    assert given in last(story)
    answered = place(story)
    story.recorder.received("a", "ForwardAction", action_pb2.ActionResult(id="mine"))
    assert answered in last(story)


def test_a_call_that_is_given_out_again_comes_of_the_same_request():
    story = two()
    story.recorder.sent("a", "ForwardAction", action_pb2.ActionCall(id="mine", capability="c"))
    asked = place(story)
    for number in "12":
        story.receive("b", action_call=action_pb2.ActionCall(id=number, capability="c"))
        assert asked in last(story)


def test_a_cancelled_call_comes_of_its_caller_leaving():
    story = two()
    story.recorder.sent("a", "ForwardAction", action_pb2.ActionCall(id="mine", capability="c"), call=9)
    story.receive("b", action_call=action_pb2.ActionCall(id="bridges", capability="c"))
    story.recorder.reset("a", "ForwardAction", call=9)
    left = place(story)
    story.receive("b", action_cancel=action_pb2.ActionCancel(id="bridges"))
    assert left in last(story)


def test_a_reply_comes_of_the_request_with_its_correlation():
    story = two()
    asked = story.event("a", metadata={"loom.correlation_id": "c-1", "loom.reply_to": "agent.a.replies"})
    other = story.event("a")
    for event in (asked, other):
        story.deliver("b", "t", event)
    reply = story.event("b", metadata={"loom.correlation_id": "c-1"})
    story.publish("b", "agent.a.replies", reply)
    assert place(story) - 2 in last(story)
    assert place(story) - 1 not in last(story)


def asked_and_answered(story: Story, thread: str) -> int:
    """The agent asks for something in a thread and gets its answer. The answer's place."""
    headers = {"loom.thread_id": thread}
    request = action_pb2.ActionCall(id="mine", capability="c", headers=headers)
    story.recorder.sent("b", "ForwardAction", request, call=9)
    story.recorder.received("b", "ForwardAction", action_pb2.ActionResult(id="mine"), call=9)
    return place(story)


def test_a_reply_comes_after_the_answers_that_were_waited_for():
    story = two()
    envelope = {"loom.thread_id": "x", "loom.correlation_id": "c-1"}
    story.deliver("b", "t", story.event("a", metadata=envelope))
    answered = asked_and_answered(story, "x")
    story.publish("b", "agent.a.replies", story.event("b", metadata=envelope))
    assert answered in last(story)


def test_a_result_comes_after_the_answers_that_were_waited_for():
    story = two()
    call = action_pb2.ActionCall(id="theirs", capability="d", headers={"loom.thread_id": "x"})
    story.receive("b", action_call=call)
    answered = asked_and_answered(story, "x")
    story.send("b", action_result=action_pb2.ActionResult(id="theirs"))
    assert answered in last(story)


def test_an_event_of_a_thread_comes_of_the_latest_of_it():
    story = two()
    for thread in ("x", "x", "y"):
        story.deliver("b", "t", story.event("a", metadata={"loom.thread_id": thread}))
    story.publish("b", "t", story.event("b", metadata={"loom.thread_id": "x"}))
    assert place(story) - 2 in last(story)
    assert not {place(story) - 3, place(story) - 1} & last(story)


def test_what_names_nothing_comes_after_all_that_the_agent_heard():
    story = two()
    story.deliver("b", "t", story.event("a"))
    story.publish("b", "t", story.event("b"))
    assert place(story) - 1 in last(story)


def test_a_pong_comes_of_its_ping():
    story = two()
    story.send("a", ping=stream_pb2.HeartbeatRequest(timestamp_ms=-1))
    pinged = place(story)
    story.send("a", ping=stream_pb2.HeartbeatRequest(timestamp_ms=-2))
    story.receive("a", pong=stream_pb2.HeartbeatResponse(timestamp_ms=-1))
    assert pinged in last(story)
    assert pinged + 1 not in last(story)


def test_a_publish_comes_after_those_who_had_joined():
    story = two()
    acks = [number for number, item in enumerate(story.recorder._head) if "ack" in str(item.what)]
    story.publish("a", "t", story.event("a"))
    assert set(acks) <= last(story)


def test_a_note_comes_after_everything_and_before_all_that_follows():
    story = two()
    story.recorder.note("here")
    assert last(story) == set(range(place(story)))
    story.publish("a", "t", story.event("a"))
    assert place(story) - 1 in last(story)


def test_a_message_that_was_dropped_causes_nothing():
    story = two()
    event = story.event("a")
    message = stream_pb2.ClientEvent(publish=event_pb2.Publish(topic="t", event=event))
    story.recorder.fault("dropped", "a", way=Way.SENT, rpc=STREAM, message=message)
    dropped = place(story)
    story.publish("a", "t", event)
    story.deliver("b", "t", event)
    assert dropped not in last(story)


def test_no_cause_comes_after_its_effect():
    story = two()
    event = story.event("a")
    story.deliver("b", "t", event)
    story.publish("a", "t", event)
    story.recorder.note("end")
    assert all(cause < number for number, causes in enumerate(causes_of(story)) for cause in causes)


def test_what_was_heard_first_was_published_first():
    story = two()
    places = []
    events = [story.event(who) for who in ("b", "a", "a")]
    for event in events:
        story.publish("a", "t", event)
        places.append(place(story))
    for event in events:
        story.deliver("b", "t", event)
    causes = Causes()
    taken = [crossing for item in story.recorder._head for crossing in crossings(item)]
    for number, crossing in enumerate(taken):
        causes.of(number, crossing)
    assert causes.later == [(places[1], places[0]), (places[2], places[1])]


def test_the_answer_to_a_call_that_was_held_back_comes_of_the_call_itself():
    story = two()
    call = action_pb2.ActionCall(id="a-1", capability="c")
    story.recorder.fault("delayed", "a", way=Way.SENT, rpc="ForwardAction", message=call, call=7)
    story.recorder.sent("a", "ForwardAction", call, call=7)
    story.receive("b", action_call=action_pb2.ActionCall(id="b-1", capability="c"))
    story.send("b", action_result=action_pb2.ActionResult(id="b-1"))
    answered = place(story)
    story.recorder.headers("a", "ForwardAction", way=Way.RECEIVED, call=7)
    story.recorder.received("a", "ForwardAction", action_pb2.ActionResult(id="a-1"), call=7)
    assert answered in last(story)


def test_who_was_told_that_a_call_was_taken_back_knows_it_from_then_on():
    story = two()
    story.receive("b", action_cancel=action_pb2.ActionCancel(id="b-1", code="TIMEOUT"))
    cancelled = place(story)
    story.send("b", goodbye=stream_pb2.Goodbye())
    assert cancelled in last(story)
