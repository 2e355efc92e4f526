"""The part of one agent: what it heard, and what it said to that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom_testing.transcript import Transcript, TranscriptError
from loom_testing.transcript.role import Role
from tests.loom_testing.transcript.story import Story, order


def told(role: Role) -> list[tuple[str, list[str]]]:
    """What was heard, and the topics or results that it led to."""
    return [
        (one.heard.name if one.heard else "", [said.body.get("topic", said.name) for said in one.said])
        for one in (role.opening, *role.exchanges)
    ]


def as_told(story: Story) -> Transcript:
    return story.transcript(causal=False)


def test_the_shop_of_an_order():
    role = Role.of(order().transcript(), "shop")
    assert role.lane == "shop:${agent:1}"
    assert told(role) == [("", []), ("delivery", ["orders.priced"])]
    assert role.request(lambda body: body).subscribed_topics == ["orders.*"]
    assert told(Role.of(order().transcript(), "prices")) == [("", []), ("action_call", ["action_result"])]
    assert Role.of(order().transcript(), "shop:1").lane == role.lane


def test_what_is_said_goes_to_what_it_answers():
    story = Story()
    story.join("a", ">", offers=("c",))
    first = story.event("b", metadata={"loom.thread_id": "one"})
    second = story.event("b", metadata={"loom.correlation_id": "two", "loom.reply_to": "agent.b.replies"})
    story.publish("a", "hello", story.event("a"))
    story.deliver("a", "t", first)
    story.deliver("a", "t", second)
    story.receive("a", action_call=action_pb2.ActionCall(id="c-1", capability="c"))
    story.publish("a", "of.one", story.event("a", metadata={"loom.thread_id": "one"}))
    story.publish(
        "a", "agent.b.replies", story.event("a", metadata={"loom.correlation_id": "two"}), confirm=True
    )
    story.send("a", action_result=action_pb2.ActionResult(id="c-1"))
    story.publish("a", "of.nothing", story.event("a"))
    assert told(Role.of(as_told(story), "a")) == [
        ("", ["hello"]),
        ("delivery", ["of.one"]),
        ("delivery", ["agent.b.replies"]),
        ("action_call", ["action_result", "of.nothing"]),
    ]


def test_answers_to_what_it_asked_itself_are_not_asked_of_it():
    story = Story()
    story.join("a", "t")
    story.publish("a", "q", story.event("a", metadata={"loom.reply_to": "agent.a.replies"}))
    story.deliver("a", "agent.a.replies", story.event("b"))
    assert told(Role.of(as_told(story), "a")) == [("", ["q"])]


def test_it_registers_for_all_that_it_ever_heard_and_offered():
    story = Story()
    story.join("a", "t", offers=("c",))
    story.recorder.sent("a", "RegisterAgent", agent_pb2.AgentRegisterRequest(agent_id="a"))
    more = [agent_pb2.Subscription(topic="u", group="g")]
    story.send("a", subscribe=stream_pb2.Subscribe(ref=1, subscriptions=more))
    story.send("a", subscribe=stream_pb2.Subscribe(ref=2, subscriptions=more))
    request = Role.of(as_told(story), "a").request(lambda body: body)
    assert list(request.subscribed_topics) == ["t"]
    assert [(item.topic, item.group) for item in request.subscriptions] == [("u", "g")]
    assert [item.name for item in request.capabilities] == ["c"]


def test_times_are_those_of_a_virtual_clock_only():
    for virtual, expected in ((True, [30.0]), (False, [0.0])):
        story = Story(virtual=virtual)
        story.join("a", "t")
        story.deliver("a", "t", story.event("b"))
        story.now = 30_000_000
        story.publish("a", "late", story.event("a"))
        (exchange,) = Role.of(as_told(story), "a").exchanges
        assert [exchange.after(said) for said in exchange.said] == expected


def test_what_cannot_be_played_is_refused():
    story = order()
    transcript = story.transcript()
    with pytest.raises(TranscriptError, match=r"no agent 'shops' was recorded; recorded were probe, shop:1,"):
        Role.of(transcript, "shops")
    with pytest.raises(TranscriptError, match="recorded were none"):
        Role.of(Transcript(), "shop")
    with pytest.raises(TranscriptError, match="7 entries are missing"):
        Role.of(replace(transcript, left_out=7), "shop")
    late = replace(
        transcript, entries=tuple(entry for entry in transcript.entries if entry.rpc != "RegisterAgent")
    )
    with pytest.raises(TranscriptError, match="does not register in the transcript"):
        Role.of(late, "shop")
    story.send("prices", action_chunk=action_pb2.ActionChunk(id="c"))
    with pytest.raises(TranscriptError, match="prices answered in parts"):
        Role.of(story.transcript(), "prices")
