"""PUB-8: queue groups, and what becomes of an event when a member is gone."""

from __future__ import annotations

from typing import Any

import pytest

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.loom_testing.engine.world import World


def member(world: World, name: str, *groups: str, topic: str = "x") -> Any:
    return world.join(name, subscriptions=[m.Subscription(topic, group=group) for group in groups])


def test_a_group_gets_each_event_once_in_turn(world: World) -> None:
    """PUB-8: served longest ago, then lowest registration."""
    publisher = world.join("p")
    one, two, three = (member(world, name, "g") for name in ("m1", "m2", "m3"))
    for number in range(4):
        world.publish(publisher, "x", f"e{number}")
    assert (one.event_ids(), two.event_ids(), three.event_ids()) == (["e0", "e3"], ["e1"], ["e2"])
    world.do(i.Break(two.number))
    for number in range(4, 6):
        world.publish(publisher, "x", f"e{number}")
    assert (one.event_ids(), three.event_ids()) == (["e5"], ["e4"])


def test_a_plain_receiver_satisfies_its_group(world: World) -> None:
    member(world, "m1", "g")
    both = world.join("m2", "x", subscriptions=[m.Subscription("x", group="g")])
    outsider = world.join("o", "x")
    world.publish(outsider, "x", "e1")
    assert both.event_ids() == ["e1"]
    assert outsider.event_ids() == ["e1"]
    assert world.clients[both.number].received == []
    assert world.snapshot().counters["copies_sent"] == 2


def test_one_member_of_two_groups_gets_one_copy(world: World) -> None:
    both = member(world, "m", "g", "h")
    world.confirm(both, 1, "x", "e1")
    assert both.event_ids() == ["e1"]
    assert both.take(m.Receipt) == [m.Receipt(1, 1)]


def test_groups_see_only_their_matching_live_members(world: World) -> None:
    world.register("never.streams", subscriptions=[m.Subscription("x", group="g")])
    elsewhere = member(world, "m1", "g", topic="y")
    there = member(world, "m2", "g", topic="x")
    for number in range(3):
        world.publish(there, "x", f"e{number}")
    assert elsewhere.received == []
    assert there.event_ids() == ["e0", "e1", "e2"]


def test_what_a_gone_member_had_not_been_sent_goes_to_another(world: World) -> None:
    """PUB-8."""
    publisher = world.join("p")
    one = member(world, "m1", "g")
    world.do(i.Hold("m1"))
    world.publish(publisher, "x", "e1")
    world.publish(publisher, "x", "e2", loom__ttl_ms="1")
    two = member(world, "m2", "g")
    world.now += 2000
    world.do(i.Break(one.number))
    assert two.event_ids() == ["e1"]
    assert world.snapshot().counters["copies_rerouted"] == 1


def test_a_copy_of_two_groups_goes_on_to_both(world: World) -> None:
    """PUB-8: one copy served two groups; each of them gets it from another member."""
    publisher = world.join("p")
    both = member(world, "m", "g", "h")
    world.do(i.Hold("m"))
    world.publish(publisher, "x", "e1")
    others = [member(world, f"m.{group}", group) for group in ("g", "h")]
    world.do(i.Break(both.number))
    assert [other.event_ids() for other in others] == [["e1"], ["e1"]]


def test_a_copy_goes_on_as_often_as_members_are_lost(world: World) -> None:
    """PUB-8."""
    publisher = world.join("p")
    first, second = member(world, "m1", "g"), member(world, "m2", "g")
    for name in ("m1", "m2"):
        world.do(i.Hold(name))
    world.publish(publisher, "x", "e1")
    world.do(i.Break(first.number))
    last = member(world, "m3", "g")
    world.do(i.Break(second.number))
    assert last.event_ids() == ["e1"]
    world.publish(publisher, "x", "e2")
    fourth = member(world, "m4", "g")
    world.publish(publisher, "x", "e3")
    assert (last.event_ids(), fourth.event_ids()) == (["e2"], ["e3"])


def test_what_goes_on_to_a_realtime_member_may_be_dropped(make_world: Any) -> None:
    """PUB-8, FLOW-1: the QoS is that of the member that gets it."""
    world = make_world(queue_events=1)
    publisher = world.join("p")
    first = world.join("m1", subscriptions=[m.Subscription("x", group="g")])
    world.do(i.Hold("m1"))
    world.publish(publisher, "x", "e1")
    last = world.join("m2", subscriptions=[m.Subscription("x", group="g", qos=0), m.Subscription("y", qos=0)])
    world.do(i.Hold("m2"))
    world.do(i.Break(first.number))
    world.publish(publisher, "y", "newer")
    world.do(i.Release("m2"))
    assert last.event_ids() == ["newer"]


@pytest.mark.parametrize(("ttl", "arrives"), [("11000", []), ("11001", ["e1"])])
def test_what_has_expired_does_not_go_on(make_world: Any, ttl: str, arrives: list[str]) -> None:
    """PUB-7, PUB-8: the shell came late; the slow member is cut off before its copy expires."""
    world = make_world(queue_events=1)
    publisher = world.join("p")
    slow = member(world, "m1", "g")
    world.do(i.Hold("m1"))
    world.publish(publisher, "x", "e1", loom__ttl_ms=ttl)
    other = member(world, "m2", "g")
    world.now += 11_000_000
    world.do(i.Tick())
    assert slow.ended is not None
    assert other.event_ids() == arrives


def test_a_gone_last_member_takes_its_events_along(world: World) -> None:
    publisher = world.join("p")
    only = member(world, "m1", "g")
    world.do(i.Hold("m1"))
    world.publish(publisher, "x", "e1")
    world.do(i.Break(only.number))
    assert world.snapshot().counters["copies_discarded"] == 1


def test_an_observing_member_is_still_a_member(world: World) -> None:
    both = world.join("a", subscriptions=[m.Subscription(">", observer=True), m.Subscription("x", group="g")])
    world.confirm(both, 1, "x", "e1")
    assert both.event_ids() == ["e1"]
    assert both.take(m.Receipt) == [m.Receipt(1, 1)]


def test_what_a_gone_member_that_observes_had_not_been_sent_goes_to_another(world: World) -> None:
    """PUB-8: that it watched as well takes nothing from the group."""
    publisher = world.join("p")
    both = world.join("a", subscriptions=[m.Subscription(">", observer=True), m.Subscription("x", group="g")])
    world.do(i.Hold("a"))
    world.publish(publisher, "x", "work")
    world.publish(publisher, "y", "watched")
    heir = member(world, "m", "g")
    world.do(i.Break(both.number))
    assert heir.event_ids() == ["work"]
    assert world.snapshot().counters["copies_discarded"] == 1
