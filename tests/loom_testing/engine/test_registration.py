"""REG: who may register, as what, and what a second registration does."""

from __future__ import annotations

from typing import Any

import pytest

from loom.codes import Code
from loom_testing.engine import messages as m
from loom_testing.engine.text import quote
from tests.loom_testing.engine.world import FEATURES, START, World


def test_accepts_and_numbers(world: World) -> None:
    first = world.register("a", "x.>", features=["session", "telepathy", "confirm"])
    second = world.register("b")
    assert first.error_code == ""
    assert first.features == ["confirm", "session"]
    assert first.heartbeat_interval_ms == 3000
    assert START < first.registration < second.registration


def test_a_feature_that_is_named_twice_is_agreed_on_once(world: World) -> None:
    reply = world.register("a", features=["session", "drain", "session", "session", "drain"])
    assert reply.features == ["drain", "session"]


@pytest.mark.parametrize(
    ("agent_id", "reason"),
    [
        ("", "is empty"),
        ("a b", "character"),
        ("a.*", "wildcard"),
        (".", "empty token"),
        ("x" * 129, "129 bytes"),
    ],
)
def test_refuses_a_bad_agent_id(world: World, agent_id: str, reason: str) -> None:
    reply = world.register(agent_id)
    assert reply.error_code == Code.INVALID_AGENT_ID
    assert reason in reply.error_message
    assert reply.registration == 0
    assert world.engine.is_idle


BAD_PARTS: list[tuple[dict[str, Any], Code, str]] = [
    ({"subscribed_topics": ["ok", "a..b"]}, Code.INVALID_TOPIC, '"a..b" has an empty token'),
    ({"subscriptions": [m.Subscription("a.>.b")]}, Code.INVALID_TOPIC, '"a.>.b" has > before'),
    ({"subscriptions": [m.Subscription("a", qos=3)]}, Code.INVALID_SUBSCRIPTION, "unknown qos 3"),
    ({"subscriptions": [m.Subscription("a", qos=-1)]}, Code.INVALID_SUBSCRIPTION, "unknown qos -1"),
    ({"subscriptions": [m.Subscription("a", ["t", ""])]}, Code.INVALID_SUBSCRIPTION, "empty event type"),
    ({"subscriptions": [m.Subscription("a", group="g h")]}, Code.INVALID_SUBSCRIPTION, 'group "g h"'),
    (
        {"subscriptions": [m.Subscription("a", group="g", observer=True)]},
        Code.INVALID_SUBSCRIPTION,
        "group and is an observer",
    ),
    ({"capabilities": [m.Capability("a b")]}, Code.INVALID_CAPABILITY, '"a b" has a character'),
    ({"capabilities": [m.Capability("")]}, Code.INVALID_CAPABILITY, "is empty"),
    (
        {"capabilities": [m.Capability("c", "1"), m.Capability("c", "2")]},
        Code.INVALID_CAPABILITY,
        '"c" is named twice',
    ),
    ({"capabilities": [m.Capability("c", "v" * 129)]}, Code.INVALID_CAPABILITY, "more than 128 bytes"),
    *[
        (
            {"capabilities": [m.Capability("c", metadata={"loom.max_concurrency": text})]},
            Code.INVALID_CAPABILITY,
            "a whole number from 1",
        )
        for text in ("0", "-1", "1.5", "", "x", "1000000", "01")
    ],
]


@pytest.mark.parametrize(("parts", "code", "reason"), BAD_PARTS)
def test_one_bad_part_fails_the_whole(world: World, parts: dict[str, Any], code: Code, reason: str) -> None:
    """Atomically: what the agent heard and offered before stays as it was (REG-2)."""
    agent = world.join("a", "old", capabilities=[m.Capability("old.cap")])
    topics = parts.get("subscribed_topics", ["new"])
    rest = {key: value for key, value in parts.items() if key != "subscribed_topics"}
    reply = world.register("a", *topics, **rest)
    assert reply.error_code == code
    assert reason in reply.error_message
    other = world.join("b")
    world.publish(other, "old", "e1")
    world.publish(other, "new", "e2")
    assert agent.event_ids() == ["e1"]
    assert [capability.name for capability in _listed(world)] == ["old.cap"]
    assert world.register("c", "new").error_code == ""


def _listed(world: World) -> list[m.Capability]:
    from loom_testing.engine.inputs import ListCapabilities

    call = world.number()
    world.do(ListCapabilities(call))
    listed: list[m.Capability] = world.replies[call].capabilities
    return listed


def test_subscriptions_with_options_need_their_feature(world: World) -> None:
    reply = world.register("a", subscriptions=[m.Subscription("x")], features=["session"])
    assert reply.error_code == Code.FEATURE_REQUIRED


def test_counts_are_limited(make_world: Any) -> None:
    world = make_world(subscriptions=2, capabilities=1)
    reply = world.register("a", "x", "y", subscriptions=[m.Subscription("z")])
    assert reply.error_code == Code.LIMIT_EXCEEDED
    assert "3 subscriptions; at most 2" in reply.error_message
    reply = world.register("a", capabilities=[m.Capability("c"), m.Capability("d")])
    assert reply.error_code == Code.LIMIT_EXCEEDED
    assert "2 capabilities; at most 1" in reply.error_message
    assert world.register("a", "x", "y", capabilities=[m.Capability("c")]).error_code == ""


def test_again_replaces_and_the_stream_goes_on(world: World) -> None:
    """REG-3."""
    agent = world.join("a", "old", capabilities=[m.Capability("old.cap")])
    other = world.join("b")
    reply = world.register("a", "new", capabilities=[m.Capability("new.cap")])
    assert reply.error_code == ""
    world.publish(other, "old", "e1")
    world.publish(other, "new", "e2")
    assert agent.event_ids() == ["e2"]
    assert agent.ended is None
    assert world.code(world.invoke("old.cap")) == Code.NOT_FOUND
    world.invoke("new.cap")
    assert len(agent.take(m.ActionCall)) == 1


def test_replies_topic_survives_a_second_registration(world: World) -> None:
    agent = world.join("a")
    world.register("a", "x")
    world.publish(agent, "agent.a.replies", "e1")
    assert agent.event_ids() == ["e1"]


def test_a_call_in_hand_survives_a_second_registration(world: World) -> None:
    agent = world.join("a", capabilities=[m.Capability("c")])
    call = world.invoke("c")
    world.register("a")
    world.say(agent, m.ActionResult(agent.take(m.ActionCall)[0].id, 0, b"done"))
    answer = world.answer(call)
    assert answer is not None
    assert answer.output == b"done"


def test_lapses_without_a_stream(world: World) -> None:
    """REG-4."""
    world.register("a")
    world.wait(29.999)
    assert len(world.snapshot().agents) == 1
    world.wait(0.001)
    assert not world.snapshot().agents
    client = world.open("a")
    assert client.ended is not None
    assert client.ended.status == "FAILED_PRECONDITION"


def test_registering_again_starts_the_lapse_anew(world: World) -> None:
    world.register("a")
    world.wait(20)
    world.register("a")
    world.wait(20)
    assert len(world.snapshot().agents) == 1
    world.wait(10)
    assert not world.snapshot().agents


def test_a_stream_stops_the_lapse(world: World) -> None:
    world.join("a")
    world.wait(3600)
    assert len(world.snapshot().agents) == 1


def test_two_agents_may_offer_one_capability(world: World) -> None:
    """REG-5."""
    one = world.join("a", capabilities=[m.Capability("c")])
    two = world.join("b", capabilities=[m.Capability("c")])
    world.invoke("c")
    world.invoke("c")
    assert (len(one.take(m.ActionCall)), len(two.take(m.ActionCall))) == (1, 1)


def test_features_hold_from_the_next_handshake(world: World) -> None:
    client = world.join("a", features=[])
    world.register("a", features=FEATURES)
    world.confirm(client, 1, "x")
    assert [error.code for error in client.take(m.Err)] == [Code.FEATURE_REQUIRED]
    again = world.open("a")
    world.confirm(again, 1, "x")
    assert len(again.take(m.Receipt)) == 1


PATTERNS = {
    "": "is empty",
    "a..b": "has an empty token",
    "a b": "has a character other than A-Z a-z 0-9 _ : @ / -",
    "\N{LATIN SMALL LETTER E WITH ACUTE}": "has a character other than A-Z a-z 0-9 _ : @ / -",
    "a" * 256: "has 256 bytes; at most 255 are allowed",
    ">.a": "has > before its last token",
    ">.>": "has > before its last token",
    "a.*b": "has a wildcard inside a longer token",
    "a>": "has a wildcard inside a longer token",
    "a" * 255: "",
    "*.a.*.>": "",
}


def test_every_problem_of_a_pattern_is_named(world: World) -> None:
    """REG-2: the same words for topics, for subscriptions, and for those of a live session."""
    live = world.join("live")
    for topic, problem in PATTERNS.items():
        named = f"topic {quote(topic)} {problem}" if problem else ""
        code = Code.INVALID_TOPIC if problem else ""
        for reply in (world.register("a", topic), world.register("b", subscriptions=[m.Subscription(topic)])):
            assert (reply.error_code, reply.error_message) == (code, named)
        world.say(live, m.Subscribe(1, [m.Subscription(topic)]))
        assert [error.message for error in live.take(m.Err)] == ([named] if problem else [])
