"""A role that is asked again: the same gets the same, and what is new is told."""

from __future__ import annotations

from loom.v1 import action_pb2, event_pb2
from loom_testing.transcript.cassette import Cassette
from loom_testing.transcript.role import Role
from tests.loom_testing.transcript.story import Story, order


def cassette(story: Story, agent: str, *ignored: str) -> Cassette:
    return Cassette(Role.of(story.transcript(causal=False), agent), frozenset(ignored))


def call(payload: bytes, call_id: str = "now-1", capability: str = "c") -> action_pb2.ActionCall:
    return action_pb2.ActionCall(id=call_id, capability=capability, payload=payload)


def answers() -> Story:
    """An agent that answers one, then two, to the same call; and nothing to a third."""
    story = Story()
    story.join("a", "t", offers=("c",))
    for number, payload in enumerate((b'{"x":1}', b'{"x":1}', b'{"x":2}'), 1):
        story.receive("a", action_call=call(payload, f"then-{number}"))
        if number < 3:
            result = action_pb2.ActionResult(id=f"then-{number}", output=b"%d" % number)
            story.send("a", action_result=result)
    return story


def test_equal_calls_get_their_answers_in_order_and_the_last_one_stays():
    played = cassette(answers(), "a")
    outputs = []
    for number in range(3):
        (said,) = played.call(call(b'{"x":1}', f"now-{number}")).says
        outputs.append((said.result.id, said.result.output))
    assert outputs == [("now-0", b"1"), ("now-1", b"2"), ("now-2", b"2")]
    assert played.unheard() == ["call c then-3 {x: 2}"]
    assert not played.call(call(b'{"x":2}')).is_answered
    assert played.unheard() == []


def test_what_was_not_called_is_told_with_the_nearest():
    played = cassette(answers(), "a")
    assert played.call(call(b'{"x":3}')).problem.splitlines() == [
        "a was called c {x: 3}, which it was not when it was recorded",
        "  nearest: call c then-1 {x: 1}",
        "    payload.x: recorded 1, now 3",
    ]
    assert played.call(call(b"1", capability="d")).problem == (
        "a was called d 1, which it was not when it was recorded"
    )
    many = bytes(str({f"k{number}": 1 for number in range(14)}), "ascii").replace(b"'", b'"')
    assert played.call(call(many)).problem.endswith("    and 3 more differences")
    assert cassette(answers(), "a", "x").call(call(b'{"x":3}')).is_answered


def test_an_order_is_answered_with_the_ids_of_now():
    played = cassette(order(1), "shop")
    assert played.registration.agent_id == played.agent_id != "shop:${agent:1}"
    event = event_pb2.Event(id="fresh", payload=b'{"id":7,"sku":"A-1"}', metadata={"loom.thread_id": "th"})
    heard = played.event(event_pb2.Delivery(topic="orders.new", event=event))
    (said,) = heard.says
    assert (said.publish.topic, said.publish.event.metadata["loom.thread_id"]) == ("orders.priced", "th")
    assert said.publish.event.metadata["loom.sender"] == played.agent_id
    assert said.publish.event.payload == b'{"id":7,"total":12.5}'
    assert not heard.is_answered


def question(story: Story, sender: str, correlation: str) -> event_pb2.Event:
    metadata = {"loom.reply_to": f"agent.{sender}.replies", "loom.correlation_id": correlation}
    return story.event(sender, b"1", type="q", metadata=metadata)


def test_a_reply_goes_to_whoever_asks_now():
    story = Story()
    story.join("a", "q")
    story.deliver("a", "q", question(story, "b", "then"))
    story.publish("a", "agent.b.replies", story.event("a", metadata={"loom.correlation_id": "then"}))
    played = cassette(story, "a")
    heard = played.event(event_pb2.Delivery(topic="q", event=question(story, "${x}", "now")))
    (said,) = heard.says
    assert said.publish.topic == "agent.${x}.replies"
    assert said.publish.event.metadata["loom.correlation_id"] == "now"


def test_an_event_that_nobody_answered_is_no_question():
    story = Story()
    story.join("a", ">")
    story.deliver("a", "quiet", story.event("b", b"1"))
    story.deliver("a", "loud", story.event("b", b"1", type="loud"))
    story.publish("a", "heard", story.event("a"))
    played = cassette(story, "a")
    for topic in ("quiet", "unknown"):
        assert played.event(event_pb2.Delivery(topic=topic, event=story.event("b", b"2"))) is None
    other = played.event(event_pb2.Delivery(topic="loud", event=story.event("b", b"2", type="whisper")))
    assert other.problem.splitlines() == [
        "a heard loud 2, which it had not when it was recorded",
        "  nearest: loud 1",
        '    type: recorded "loud", now "whisper"',
        "    payload: recorded 1, now 2",
    ]


def test_what_was_said_at_first_is_said_at_first():
    story = Story()
    story.join("a")
    story.publish("a", "hello", story.event("a", b"1"))
    (said,) = cassette(story, "a").opening().says
    assert (said.after, said.publish.topic) == (0, "hello")
