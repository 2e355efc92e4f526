"""FLOW: full queues, who is slowed, who is cut off, and that nothing grows without bound."""

from __future__ import annotations

from typing import Any

import pytest

from loom.codes import Code
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from tests.loom_testing.engine.world import World, event


def held(world: World, name: str, *topics: str, **fields: Any) -> Any:
    """An agent whose writes a test holds."""
    client = world.join(name, *topics, **fields)
    world.do(i.Hold(name))
    return client


def test_the_shell_is_given_at_most_a_window(make_world: Any) -> None:
    """FLOW-1: the queue belongs to the engine."""
    world = make_world(writes=False, stream_window=3)
    agent = world.join("a", "x", features=[])
    publisher = world.join("p")
    for number in range(5):
        world.publish(publisher, "x", f"e{number}")
    assert agent.event_ids() == ["e0", "e1", "e2"]
    assert _queued(world, "a") == 2
    world.wrote(agent, 1)
    assert agent.event_ids() == ["e3"]
    world.wrote(agent, 3)
    assert agent.event_ids() == ["e4"]


def _queued(world: World, name: str) -> int:
    return next(state.queued_events for state in world.snapshot().agents if state.agent_id == name)


def test_a_full_queue_slows_the_publisher_and_only_it(make_world: Any) -> None:
    """FLOW-1, FLOW-2: a copy waits, charged to its publisher; other subscribers get theirs at once."""
    world = make_world(queue_events=2)
    slow = held(world, "slow", "x")
    quick = world.join("quick", ">")
    culprit, other = world.join("culprit"), world.join("other")
    for number in range(3):
        world.publish(culprit, "x", f"e{number}")
    assert quick.event_ids() == ["e0", "e1", "e2"]
    assert culprit.paused
    assert not other.paused
    world.publish(other, "y", "free")
    assert not other.paused
    state = next(state for state in world.snapshot().agents if state.agent_id == "slow")
    assert (state.queued_events, state.waiting_events) == (2, 1)
    world.do(i.Release("slow"))
    assert not culprit.paused
    assert slow.event_ids() == ["e0", "e1", "e2"]


def test_later_publishers_wait_behind_the_first(make_world: Any) -> None:
    world = make_world(writes=False, queue_events=1, stream_window=1)
    slow = world.join("slow", "x", features=[])
    publishers = [world.join(name) for name in ("p1", "p2", "p3")]
    world.publish(publishers[0], "x", "written")
    for number, publisher in enumerate(publishers):
        world.publish(publisher, "x", f"e{number}")
    assert [publisher.paused for publisher in publishers] == [False, True, True]
    world.wrote(slow, 1)
    assert [publisher.paused for publisher in publishers] == [False, False, True]
    world.wrote(slow, 1)
    world.wrote(slow, 1)
    assert slow.event_ids() == ["written", "e0", "e1", "e2"]


def test_bytes_count_too_and_an_empty_queue_takes_anything(make_world: Any) -> None:
    world = make_world(queue_bytes=1000)
    slow = held(world, "slow", "x")
    publisher = world.join("p")
    world.publish(publisher, "x", "big", payload=b"x" * 2000)
    assert not publisher.paused
    world.publish(publisher, "x", "small")
    assert publisher.paused
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["big", "small"]


def test_a_small_event_does_not_overtake_a_large_one_that_waits(make_world: Any) -> None:
    world = make_world(queue_bytes=200)
    slow = held(world, "slow", "x")
    one, two = world.join("p1"), world.join("p2")
    world.publish(one, "x", "first", payload=b"x" * 100)
    world.publish(one, "x", "large", payload=b"x" * 100)
    world.publish(two, "x", "small")
    assert two.paused
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["first", "large", "small"]


def test_realtime_drops_the_oldest_and_tells(make_world: Any) -> None:
    """FLOW-1, PUB-6."""
    world = make_world(queue_events=2)
    slow = held(world, "slow", subscriptions=[m.Subscription("x", qos=0)])
    publisher = world.join("p")
    for number in range(5):
        world.publish(publisher, "x", f"e{number}")
    assert not publisher.paused
    assert world.snapshot().counters["copies_dropped"] == 3
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["e3", "e4"]
    assert [(error.code, error.message) for error in slow.take(m.Err)] == [
        (Code.EVENTS_DROPPED, "3 realtime events were dropped because the queue was full")
    ]


def test_realtime_never_pushes_out_what_must_not_be_lost(make_world: Any) -> None:
    world = make_world(queue_events=2)
    slow = held(world, "slow", "keep", subscriptions=[m.Subscription("x", qos=0)])
    publisher = world.join("p")
    world.publish(publisher, "keep", "k1")
    world.publish(publisher, "keep", "k2")
    world.publish(publisher, "x", "lost")
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["k1", "k2"]
    assert slow.take(m.Err)[0].message == "1 realtime event was dropped because the queue was full"


def test_realtime_drops_as_many_as_its_bytes_need(make_world: Any) -> None:
    world = make_world(queue_bytes=1000)
    slow = held(world, "slow", subscriptions=[m.Subscription("x", qos=0)])
    publisher = world.join("p")
    for number in range(4):
        world.publish(publisher, "x", f"e{number}", payload=b"x" * 200)
    world.publish(publisher, "x", "big", payload=b"x" * 700)
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["e3", "big"]


def test_a_realtime_event_that_was_sent_is_not_dropped(make_world: Any) -> None:
    """FLOW-1."""
    world = make_world(queue_events=1)
    agent = world.join("a", subscriptions=[m.Subscription("x", qos=0)])
    publisher = world.join("p")
    world.publish(publisher, "x", "sent")
    world.do(i.Hold("a"))
    world.publish(publisher, "x", "dropped")
    world.publish(publisher, "x", "last")
    world.do(i.Release("a"))
    assert agent.event_ids() == ["sent", "last"]


def test_who_waits_first_is_read_again_first(make_world: Any) -> None:
    """FLOW-2: also where copies expire at the same time."""
    world = make_world(queue_events=1)
    held(world, "slow", "x")
    publishers = [world.join(name) for name in ("p1", "p2", "p3")]
    world.publish(publishers[0], "x", "queued")
    for publisher in publishers:
        world.publish(publisher, "x", "waits", loom__ttl_ms="500")
    world.now += 500_000
    resumed = [output.stream for output in world.do(i.Tick()) if isinstance(output, o.ResumeReading)]
    assert resumed == [publisher.number for publisher in publishers]


def test_an_expired_realtime_event_is_not_dropped_again(make_world: Any) -> None:
    """PUB-7, FLOW-1."""
    world = make_world(queue_events=1)
    slow = held(world, "slow", subscriptions=[m.Subscription("x", qos=0)])
    publisher = world.join("p")
    world.publish(publisher, "x", "expired", loom__ttl_ms="500")
    world.wait(0.5)
    world.publish(publisher, "x", "dropped")
    world.publish(publisher, "x", "last")
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["last"]
    assert slow.take(m.Err)[0].message == "1 realtime event was dropped because the queue was full"


def test_many_dropped_events_do_not_keep_the_others_from_expiring(make_world: Any) -> None:
    """PUB-7: also after the deadlines of what was dropped have been tidied away."""
    world = make_world(queue_events=6)
    slow = held(world, "slow", "keep", subscriptions=[m.Subscription("x", qos=0)])
    publisher = world.join("p")
    for number in range(5):
        world.publish(publisher, "keep", f"k{number}", loom__ttl_ms="1000" if number else "3000")
    for number in range(100):
        world.publish(publisher, "x", f"e{number}", loom__ttl_ms="2000")
    world.wait(1)
    assert world.snapshot().counters["copies_expired"] == 4
    world.wait(1)
    assert world.snapshot().counters["copies_expired"] == 5
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["k0"]


def test_a_slow_consumer_is_cut_off_and_the_others_go_on(make_world: Any) -> None:
    """FLOW-3."""
    world = make_world(queue_events=1)
    slow, quick = held(world, "slow", "x"), world.join("quick", "x")
    publisher = world.join("p")
    world.publish(publisher, "x", "e1")
    world.publish(publisher, "x", "e2")
    world.wait(9.999)
    assert slow.ended is None
    world.wait(0.001)
    assert slow.ended is not None
    assert slow.ended.status == "RESOURCE_EXHAUSTED"
    assert [(error.code, error.fatal) for error in slow.take(m.Err)] == [(Code.SLOW_CONSUMER, True)]
    assert not publisher.paused
    world.publish(publisher, "x", "e3")
    assert quick.event_ids() == ["e1", "e2", "e3"]
    assert world.snapshot().counters["copies_discarded"] == 2


def test_progress_keeps_a_slow_consumer_alive(make_world: Any) -> None:
    """FLOW-3: only no progress at all cuts off."""
    world = make_world(writes=False, queue_events=2, stream_window=2)
    slow = world.join("slow", "x", features=[])
    publishers = [world.join(f"p{number}", features=[]) for number in range(8)]
    for publisher in publishers:
        world.publish(publisher, "x", publisher.number.__str__())
    for _ in range(4):
        world.wait(9)
        world.wrote(slow, 1)
    assert slow.ended is None
    world.wait(10)
    assert slow.ended is None or slow.ended.status == "RESOURCE_EXHAUSTED"


def test_a_queue_that_is_not_full_never_cuts_off(world: World) -> None:
    slow = held(world, "slow", "x")
    world.publish(slow, "x", "e1")
    world.wait(3600)
    assert slow.ended is None


def test_a_queue_that_emptied_by_itself_cuts_nobody_off(make_world: Any) -> None:
    """FLOW-3: there is room again, although the transport made no progress."""
    world = make_world(queue_events=1)
    slow = held(world, "slow", "x")
    publisher = world.join("p")
    world.publish(publisher, "x", "expires", loom__ttl_ms="500")
    world.wait(3600)
    assert slow.ended is None


def test_what_comes_later_gives_a_slow_consumer_no_more_time(make_world: Any) -> None:
    """FLOW-3."""
    world = make_world(queue_events=1)
    slow = held(world, "slow", "x")
    publisher = world.join("p")
    world.publish(publisher, "x", "e1")
    world.wait(5)
    world.publish(publisher, "x", "e2")
    world.wait(4.999)
    assert slow.ended is None
    world.wait(0.001)
    assert slow.ended is not None


@pytest.mark.parametrize("left", [0, 1])
def test_a_queue_is_full_to_the_byte(make_world: Any, left: int) -> None:
    """FLOW-3: with room for one byte it is not full."""
    world = make_world(queue_bytes=len(event("e1")) + left)
    slow = held(world, "slow", "x")
    world.publish(slow, "x", "e1")
    world.wait(10)
    assert (slow.ended is None) == bool(left)


def test_a_full_queue_of_realtime_events_counts_as_full(make_world: Any) -> None:
    world = make_world(queue_events=2)
    slow = held(world, "slow", subscriptions=[m.Subscription("x", qos=0)])
    publisher = world.join("p")
    world.publish(publisher, "x", "e1")
    world.publish(publisher, "x", "e2")
    world.wait(10)
    assert slow.ended is not None


def test_a_client_that_does_not_take_its_replies_is_read_no_further(make_world: Any) -> None:
    """FLOW-1: all queues are bounded, those of pongs and errors too."""
    world = make_world(stream_replies=4)
    agent = held(world, "a")
    for number in range(4):
        assert not agent.paused
        world.say(agent, m.Ping(number))
    assert agent.paused
    world.do(i.Release("a"))
    assert not agent.paused
    assert len(agent.take(m.Pong)) == 4
    world.do(i.Hold("a"))
    for number in range(4):
        world.say(agent, m.Ping(number))
    world.wait(10)
    assert agent.ended is not None
    assert agent.ended.status == "RESOURCE_EXHAUSTED"


def test_waiting_copies_outlive_their_publisher(make_world: Any) -> None:
    """SES-6: everything the client sent before it left takes effect."""
    world = make_world(queue_events=1)
    slow = held(world, "slow", "x")
    publisher = world.join("p")
    world.publish(publisher, "x", "e1")
    world.publish(publisher, "x", "e2")
    world.say(publisher, m.Goodbye())
    assert publisher.ended is not None
    world.register("p")
    again = world.open("p")
    assert again.paused
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["e1", "e2"]
    assert not again.paused


def test_waiting_copies_expire_and_free_their_publisher(make_world: Any) -> None:
    world = make_world(queue_events=1)
    held(world, "slow", "x")
    publisher = world.join("p")
    world.publish(publisher, "x", "e1")
    world.publish(publisher, "x", "e2", loom__ttl_ms="500")
    assert publisher.paused
    world.wait(0.5)
    assert not publisher.paused


def test_expiry_in_the_queue_lets_the_waiting_in(make_world: Any) -> None:
    world = make_world(queue_events=1)
    slow = held(world, "slow", "x")
    publisher = world.join("p")
    world.publish(publisher, "x", "e1", loom__ttl_ms="500")
    world.publish(publisher, "x", "e2")
    world.wait(0.5)
    assert not publisher.paused
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["e2"]


def test_a_publisher_that_hears_itself_can_wait_for_itself(make_world: Any) -> None:
    world = make_world(writes=False, queue_events=1, stream_window=1)
    agent = world.join("a", "x", features=[])
    for number in range(3):
        world.publish(agent, "x", f"e{number}")
    assert agent.paused
    for _ in range(3):
        world.wrote(agent, 1)
    assert agent.event_ids() == ["e0", "e1", "e2"]
    assert not agent.paused


@pytest.mark.parametrize("control", [i.Hold, i.Release])
def test_hold_and_release_of_nobody_do_nothing(world: World, control: type) -> None:
    world.do(control("nobody"))
    world.register("a")
    world.do(control("a"))


def test_reports_about_forgotten_streams_are_ignored(world: World) -> None:
    agent = world.join("a")
    world.do(i.Break(agent.number))
    for late in (i.Writable(agent.number, 1), i.Break(agent.number), i.Receive(agent.number, m.Ping(1))):
        assert world.do(late) == []
    assert event("e")


def test_a_client_that_took_half_of_its_replies_is_read_again(make_world: Any) -> None:
    """FLOW-1: it stops at as many as the limit says, and goes on with half of them left."""
    world = make_world(writes=False, stream_replies=5, stream_window=1)
    agent = world.join("a")
    for number in range(5):
        assert not agent.paused
        world.say(agent, m.Ping(number))
    read = []
    for _ in range(5):
        world.wrote(agent, 1)
        read.append(not agent.paused)
    assert read == [False, False, True, True, True]
