"""PUB-8: changing what a live session hears."""

from __future__ import annotations

from typing import Any

from loom.codes import Code
from loom_testing.engine import messages as m
from tests.loom_testing.engine.world import World


def test_subscribe_and_unsubscribe_while_live(world: World) -> None:
    agent = world.join("a")
    world.say(agent, m.Subscribe(1, [m.Subscription("x"), m.Subscription("y", group="g")]))
    assert agent.take(m.Receipt) == [m.Receipt(1)]
    world.publish(agent, "x", "e1")
    world.publish(agent, "y", "e2")
    world.say(agent, m.Unsubscribe(2, [m.Subscription("x"), m.Subscription("y"), m.Subscription("z")]))
    world.publish(agent, "x", "e3")
    world.publish(agent, "y", "e4")
    assert agent.event_ids() == ["e1", "e2", "e4"]
    assert agent.take(m.Receipt) == [m.Receipt(2)]


def test_all_or_none(world: World) -> None:
    agent = world.join("a")
    world.say(agent, m.Subscribe(5, [m.Subscription("x"), m.Subscription("a..b")]))
    error, receipt = agent.received
    assert (error.code, error.ref) == (Code.INVALID_TOPIC, "5")
    assert receipt == m.Receipt(5, 0, Code.INVALID_TOPIC)
    agent.received.clear()
    world.publish(agent, "x", "e1")
    assert agent.event_ids() == []


def test_without_a_ref_there_is_no_receipt(world: World) -> None:
    agent = world.join("a")
    world.say(agent, m.Subscribe(0, [m.Subscription("x")]))
    world.say(agent, m.Subscribe(0, [m.Subscription("")]))
    assert [(error.code, error.ref) for error in agent.received] == [(Code.INVALID_TOPIC, "")]


def test_needs_the_feature(world: World) -> None:
    agent = world.join("a", "y", features=[])
    world.say(agent, m.Subscribe(0, [m.Subscription("x")]))
    world.say(agent, m.Unsubscribe(0, [m.Subscription("y")]))
    assert [error.code for error in agent.take(m.Err)] == [Code.FEATURE_REQUIRED] * 2
    world.publish(agent, "x", "e1")
    world.publish(agent, "y", "e2")
    assert agent.event_ids() == ["e2"]


def test_without_the_feature_there_is_no_receipt_either(world: World) -> None:
    """BASE-2.3: a receipt is a message of an extension; who agreed on none would not know it."""
    agent = world.join("a", features=[])
    world.say(agent, m.Subscribe(1, [m.Subscription("x")]))
    world.say(agent, m.Unsubscribe(2, [m.Subscription("x")]))
    refused = [(error.code, error.ref) for error in agent.take(m.Err)]
    assert refused == [(Code.FEATURE_REQUIRED, "1"), (Code.FEATURE_REQUIRED, "2")]
    assert agent.received == []


def test_the_number_is_limited(make_world: Any) -> None:
    world = make_world(subscriptions=2)
    agent = world.join("a", "x")
    world.say(agent, m.Subscribe(1, [m.Subscription("y"), m.Subscription("z")]))
    assert agent.take(m.Receipt) == [m.Receipt(1, 0, Code.LIMIT_EXCEEDED)]
    world.say(agent, m.Subscribe(2, [m.Subscription("y")]))
    assert agent.take(m.Receipt) == [m.Receipt(2)]


def test_nobody_can_leave_its_replies(world: World) -> None:
    agent = world.join("a")
    world.say(agent, m.Unsubscribe(1, [m.Subscription("agent.a.replies")]))
    world.publish(agent, "agent.a.replies", "e1")
    assert agent.event_ids() == ["e1"]


def test_groups_that_were_left_do_not_pile_up(world: World) -> None:
    agent = world.join("a", subscriptions=[m.Subscription("x", group="kept")])
    for number in range(5):
        group = m.Subscription("x", group=f"g{number}")
        world.say(agent, m.Subscribe(0, [group]))
        world.publish(agent, "x", f"e{number}")
        world.say(agent, m.Unsubscribe(0, [group]))
    assert list(world.engine._core.agents["a"].served) == ["kept"]
    world.register("a", subscriptions=[m.Subscription("x", group="new")])
    assert world.engine._core.agents["a"].served == {}


def test_who_comes_back_to_a_group_is_as_new_in_it(world: World) -> None:
    """PUB-8: it was never served, so it is next."""
    publisher = world.join("p")
    group = m.Subscription("x", group="g")
    one, two = (world.join(name, subscriptions=[group]) for name in ("m1", "m2"))
    for number in range(2):
        world.publish(publisher, "x", f"e{number}")
    world.say(two, m.Unsubscribe(0, [group]))
    world.say(two, m.Subscribe(0, [group]))
    world.publish(publisher, "x", "e2")
    assert (one.event_ids(), two.event_ids()) == (["e0"], ["e1", "e2"])
    world.register("m1", subscriptions=[m.Subscription("x", group="other")])
    world.register("m1", subscriptions=[group])
    world.publish(publisher, "x", "e3")
    assert (one.event_ids(), two.event_ids()) == (["e3"], [])
