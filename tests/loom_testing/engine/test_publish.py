"""PUB: who receives what, how often, in which order; what is refused; receipts."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from loom.codes import Code
from loom.v1.event_pb2 import Event
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.loom_testing.engine.test_event import CARRIED, MALFORMED
from tests.loom_testing.engine.world import World, event


def test_once_however_many_patterns_match(world: World) -> None:
    """PUB-1."""
    agent = world.join("a", "x.y", "x.*", "x.>", ">", subscriptions=[m.Subscription("*.y")])
    world.publish(agent, "x.y", "e1")
    assert agent.event_ids() == ["e1"]


def test_reaches_each_matching_agent_in_order_of_registration(world: World) -> None:
    agents = [world.join(name, "x") for name in ("c", "a", "b")]
    deaf = world.join("d", "y")
    outputs = world.do(i.Receive(deaf.number, m.Publish("x", event("e1"))))
    assert [output.stream for output in outputs] == [agent.number for agent in agents]
    assert deaf.received == []


def test_the_publisher_hears_itself_unless_it_does_not_want_to(world: World) -> None:
    vain, humble = world.join("vain", "x"), world.join("humble", "x", echo=False)
    world.publish(vain, "x", "e1")
    world.publish(humble, "x", "e2")
    assert vain.event_ids() == ["e1", "e2"]
    assert humble.event_ids() == ["e1"]


def test_a_publisher_without_its_echo_keeps_it_from_nobody_else(world: World) -> None:
    first, humble, last = (world.join(name, "x", echo=name != "b") for name in ("a", "b", "c"))
    world.publish(humble, "x", "e1")
    assert [client.event_ids() for client in (first, humble, last)] == [["e1"], [], ["e1"]]


def test_arrives_byte_for_byte(world: World) -> None:
    """PUB-3: also what this bridge does not know."""
    agent = world.join("a", "x.*")
    data = event("e1", payload=b"\x00\xff", odd__key="kept") + b"\xa2\x06\x03abc"
    world.say(agent, m.Publish("x.y", data))
    assert agent.take(m.Delivery) == [m.Delivery("x.y", data, 1)]


def test_order_of_one_stream_is_kept(make_world: Any) -> None:
    """PUB-4: also through full queues."""
    world = make_world(queue_events=3)
    agent = world.join("a", "x")
    publisher = world.join("p")
    world.do(i.Hold("a"))
    for number in range(5):
        world.publish(publisher, "x", f"e{number}")
    world.do(i.Release("a"))
    assert agent.event_ids() == [f"e{number}" for number in range(5)]


REFUSED = [
    (m.Publish("x.*", event("e1")), Code.INVALID_TOPIC, "wildcard", "e1"),
    (m.Publish("x..y", event("e1")), Code.INVALID_TOPIC, "empty token", "e1"),
    (m.Publish("", event("e1")), Code.INVALID_TOPIC, "is empty", "e1"),
    (m.Publish("x"), Code.INVALID_EVENT, "no event", ""),
    (m.Publish("x", b"\x0a\x05ab"), Code.INVALID_EVENT, "malformed", ""),
    *[
        (m.Publish("x", event("e1", loom__ttl_ms=ttl)), Code.INVALID_TTL, "whole number", "e1")
        for ttl in ("0", "", "-1", "1.5", "01", "10000000000", " 5", "5 ", "\u0665")
    ],
    (m.Publish("x", event("e1"), confirm=True), Code.INVALID_MESSAGE, "pub_seq", "e1"),
]


@pytest.mark.parametrize(("message", "code", "reason", "ref"), REFUSED)
def test_refused_with_a_reason_and_the_stream_lives(
    world: World, message: m.Publish, code: Code, reason: str, ref: str
) -> None:
    """PUB-5."""
    agent = world.join("a", ">")
    world.say(agent, message)
    error = agent.take(m.Err)[0]
    assert (error.code, error.ref, error.fatal) == (code, ref, False)
    assert reason in error.message
    assert agent.received == []
    world.publish(agent, "x", "good")
    assert agent.event_ids() == ["good"]
    assert world.snapshot().counters["events_refused"] == 1


def test_a_ttl_without_a_value_is_an_empty_one(world: World) -> None:
    """PUB-5: what is left out on the wire is the default."""
    agent = world.join("a", ">")
    world.say(agent, m.Publish("x", b"\x2a\x0d\x0a\x0bloom.ttl_ms"))
    wanted = 'loom.ttl_ms "" is not a whole number from 1 to 9999999999'
    assert [(error.code, error.message) for error in agent.take(m.Err)] == [(Code.INVALID_TTL, wanted)]
    world.say(agent, m.Publish("x", b"\x2a\x04\x12\x02no"))
    assert len(agent.take(m.Delivery)) == 1


def test_every_malformed_event_is_refused_for_its_reason(world: World) -> None:
    """PUB-3, PUB-5: the same bytes for the same reason, whichever engine looks at them."""
    agent = world.join("a", ">")
    for data, reason in MALFORMED:
        world.say(agent, m.Publish("x", data))
        error = agent.take(m.Err)[0]
        assert (error.code, error.message) == (Code.INVALID_EVENT, f"the event is malformed: {reason}")
    for data in CARRIED:
        world.say(agent, m.Publish("x", data))
    assert [delivery.event for delivery in agent.take(m.Delivery)] == CARRIED


def test_a_confirmed_publish_needs_its_feature(world: World) -> None:
    agent = world.join("a", ">", features=["session"])
    world.confirm(agent, 5, "x", "e1")
    assert [(error.code, error.ref) for error in agent.take(m.Err)] == [(Code.FEATURE_REQUIRED, "e1")]
    assert agent.received == []


def test_events_are_bounded(make_world: Any) -> None:
    """LIM-1."""
    world = make_world(event_bytes=100)
    agent = world.join("a", ">")
    fitting = event("e", payload=b"x" * (100 - len(event("e", payload=b"x")) + 1))
    assert len(fitting) == 100
    world.say(agent, m.Publish("x", fitting))
    world.say(agent, m.Publish("x", fitting + b"\x48\x01"))
    assert agent.event_ids() == ["e"]
    assert [error.code for error in agent.take(m.Err)] == [Code.LIMIT_EXCEEDED]


def test_ttl_passes_in_the_queue(world: World) -> None:
    """PUB-7: by the bridge's clock, counted from when it was accepted."""
    agent = world.join("a", "x")
    publisher = world.join("p")
    world.do(i.Hold("a"))
    world.publish(publisher, "x", "short", loom__ttl_ms="1000")
    world.publish(publisher, "x", "long", loom__ttl_ms="9999999999")
    world.publish(publisher, "x", "none")
    world.wait(1)
    world.do(i.Release("a"))
    assert agent.event_ids() == ["long", "none"]
    assert world.snapshot().counters["copies_expired"] == 1


def test_ttl_that_has_not_passed_does_no_harm(world: World) -> None:
    agent = world.join("a", "x")
    world.do(i.Hold("a"))
    world.publish(agent, "x", "e1", loom__ttl_ms="1000")
    world.wait(0.999)
    world.do(i.Release("a"))
    assert agent.event_ids() == ["e1"]
    assert world.engine.next_deadline() is None


def test_type_filter_is_exact(world: World) -> None:
    """PUB-8."""
    agent = world.join("a", subscriptions=[m.Subscription("x", ["good", "fine"])])
    for kind in ("good", "goods", "Good", "", "fine"):
        world.publish(agent, "x", f"e-{kind}", type=kind)
    assert agent.event_ids() == ["e-good", "e-fine"]


def test_strongest_qos_holds(make_world: Any) -> None:
    """PUB-8: batched over realtime, so nothing is dropped."""
    world = make_world(queue_events=1)
    agent = world.join("a", subscriptions=[m.Subscription("x", qos=0), m.Subscription(">", qos=2)])
    publisher = world.join("p")
    world.do(i.Hold("a"))
    world.publish(publisher, "x", "e1")
    world.publish(publisher, "x", "e2")
    assert publisher.paused
    world.do(i.Release("a"))
    assert agent.event_ids() == ["e1", "e2"]


ORDERS = [*itertools.permutations([0, 1, 2]), (0, 1), (1, 0), (0, 2), (2, 0)]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_strongest_of_several_qos_holds(make_world: Any, order: tuple[int, ...]) -> None:
    """PUB-8: in whatever order the subscriptions are found, plain ones and those of a group."""
    world = make_world(queue_events=1)
    topics = ("x", "*", ">")[: len(order)]
    plain = [m.Subscription(topic, qos=qos) for topic, qos in zip(topics, order, strict=True)]
    grouped = [m.Subscription(topic, qos=qos, group="g") for topic, qos in zip(topics, order, strict=True)]
    for name, subscriptions in (("plain", plain), ("grouped", grouped)):
        agent = world.join(name, subscriptions=subscriptions)
        publisher = world.join(f"p.{name}")
        world.do(i.Hold(name))
        world.publish(publisher, "x", "e1")
        world.publish(publisher, "x", "e2")
        assert publisher.paused
        world.do(i.Break(agent.number))


def test_receipt_counts_receivers_but_not_observers(world: World) -> None:
    """PUB-9."""
    publisher = world.join("p")
    watcher = world.join("w", subscriptions=[m.Subscription(">", observer=True)])
    world.confirm(publisher, 1, "x", "e1")
    world.join("a", "x")
    world.confirm(publisher, 2, "x", "e2")
    assert publisher.take(m.Receipt) == [m.Receipt(1, 0), m.Receipt(2, 1)]
    assert watcher.event_ids() == ["e1", "e2"]
    assert world.snapshot().counters["events_unmatched"] == 1


def test_an_observer_that_also_subscribes_counts(world: World) -> None:
    both = world.join("a", "x", subscriptions=[m.Subscription("x", observer=True)])
    world.confirm(both, 1, "x", "e1")
    assert both.event_ids() == ["e1"]
    assert both.take(m.Receipt) == [m.Receipt(1, 1)]


def test_refused_confirmed_publish_gets_error_and_receipt(world: World) -> None:
    agent = world.join("a")
    world.confirm(agent, 9, "x.*")
    error, receipt = agent.received
    assert (error.code, error.ref) == (Code.INVALID_TOPIC, "9")
    assert receipt == m.Receipt(9, 0, Code.INVALID_TOPIC)


def test_a_repeat_is_accepted_once(world: World) -> None:
    """PUB-9: also after a reconnect, also of what was refused."""
    listener = world.join("l", "x")
    world.register("a")
    first = world.open("a", producer=77)
    world.confirm(first, 1, "x", "e1")
    world.confirm(first, 2, "..", "e2")
    world.do(i.Break(first.number))
    world.wait(119)
    world.register("a")
    second = world.open("a", producer=77)
    for seq, topic in ((1, "x"), (2, ".."), (3, "x")):
        world.confirm(second, seq, topic, f"e{seq}")
    assert second.take(m.Receipt) == [m.Receipt(1, 1), m.Receipt(2, 0, Code.INVALID_TOPIC), m.Receipt(3, 1)]
    assert listener.event_ids() == ["e1", "e3"]
    assert world.snapshot().counters["events_repeated"] == 2


def test_outcomes_of_a_producer_that_came_back_are_not_forgotten(world: World) -> None:
    """PUB-9: the time is counted from when it is gone, and it is not."""
    listener = world.join("l", "x")
    world.register("a")
    first = world.open("a", producer=77)
    world.confirm(first, 1, "x", "e1")
    world.do(i.Break(first.number))
    world.wait(100)
    world.register("a")
    second = world.open("a", producer=77)
    world.wait(100)
    world.confirm(second, 1, "x", "e1")
    assert listener.event_ids() == ["e1"]


def test_outcomes_are_forgotten_two_minutes_after_the_agent_is_gone(world: World) -> None:
    listener = world.join("l", "x")
    world.register("a")
    first = world.open("a", producer=77)
    world.confirm(first, 1, "x", "e1")
    world.wait(600)
    world.confirm(first, 1, "x", "e1")
    world.do(i.Break(first.number))
    world.wait(120)
    world.register("a")
    world.confirm(world.open("a", producer=77), 1, "x", "e1")
    assert listener.event_ids() == ["e1", "e1"]


def test_the_end_of_an_old_stream_does_not_forget_what_a_newer_one_publishes(make_world: Any) -> None:
    """SES-5, PUB-9: the older stream still flushes when the agent is back under the same producer."""
    world = make_world(writes=False)
    listener = world.join("l", "x")
    world.register("a")
    first = world.open("a", producer=77)
    world.say(first, m.Goodbye())
    world.register("a")
    second = world.open("a", producer=77)
    world.wrote(first, len(first.received))
    assert first.ended is not None
    world.confirm(second, 1, "x", "e1")
    world.wait(121)
    world.confirm(second, 1, "x", "e1")
    assert listener.event_ids() == ["e1"]


def test_outcomes_belong_to_one_producer(world: World) -> None:
    listener = world.join("l", "x")
    world.register("a")
    for producer in (1, 2, 0, 0):
        world.confirm(world.open("a", producer=producer), 1, "x", f"e{producer}")
    assert listener.event_ids() == ["e1", "e2", "e0", "e0"]


def test_outcomes_are_bounded(make_world: Any) -> None:
    world = make_world(producer_outcomes=2, producers=2)
    listener = world.join("l", "x")
    world.register("a")
    client = world.open("a", producer=1)
    for seq in (1, 2, 3, 1):
        world.confirm(client, seq, "x", f"e{seq}")
    assert listener.event_ids() == ["e1", "e2", "e3", "e1"]
    for producer in (2, 3):
        world.open("a", producer=producer)
    assert list(world.engine._core.producers) == ["a/2", "a/3"]


def test_publishing_to_nobody_is_accepted(world: World) -> None:
    agent = world.join("a")
    world.publish(agent, "x")
    assert agent.received == []


def test_every_agent_hears_its_replies(world: World) -> None:
    one, two = world.join("one"), world.join("two.three")
    world.publish(one, "agent.two.three.replies", "e1")
    assert two.event_ids() == ["e1"]
    assert Event.FromString(event("e1")).id == "e1"
