"""SES: handshakes, takeovers, goodbyes, losses and silence."""

from __future__ import annotations

from typing import Any

import pytest

from loom.codes import Code
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from tests.loom_testing.engine.world import World, event


def end(client: Any) -> tuple[str, str]:
    assert client.ended is not None
    return client.ended.status, client.ended.message.partition(":")[0]


@pytest.mark.parametrize(
    "first",
    [
        m.Publish("x", b""),
        m.Ping(1),
        m.Goodbye(),
        m.Unknown(),
        m.Ack(""),
        m.ActionResult("x"),
        m.Subscribe(1),
    ],
)
def test_anything_but_an_ack_ends_the_stream(world: World, first: m.ClientMessage) -> None:
    """SES-1: and nothing of it takes effect."""
    listener = world.join("l", ">")
    client = world.open_stream()
    world.say(client, first)
    assert end(client) == ("INVALID_ARGUMENT", Code.HANDSHAKE_EXPECTED)
    assert not client.accepted
    assert not client.received
    assert not listener.received


def test_handshake_must_come_in_time(world: World) -> None:
    """SES-1."""
    client = world.open_stream()
    world.wait(9.999)
    assert client.ended is None
    world.wait(0.001)
    assert end(client) == ("DEADLINE_EXCEEDED", Code.HANDSHAKE_TIMEOUT)
    assert world.engine.is_idle


def test_later_acks_are_ignored(world: World) -> None:
    client = world.join("a")
    world.say(client, m.Ack("someone.else"))
    world.say(client, m.Ack("a", seq=5))
    assert client.received == []
    assert client.ended is None


def test_unregistered_agent_is_refused(world: World) -> None:
    """SES-2."""
    client = world.open("a")
    assert end(client) == ("FAILED_PRECONDITION", Code.NOT_REGISTERED)
    assert '"a" is not registered' in client.ended.message


def test_stale_registration_is_refused(world: World) -> None:
    """SES-2."""
    old = world.register("a").registration
    new = world.register("a").registration
    assert end(world.open("a", registration=old)) == ("FAILED_PRECONDITION", Code.STALE_REGISTRATION)
    assert world.open("a", registration=new).accepted


def test_headers_leave_before_any_delivery(world: World) -> None:
    """SES-3: Accept is the first output of the handshake, and subscriptions are live from then on."""
    publisher = world.join("p")
    world.register("a", "x")
    world.publish(publisher, "x", "before")
    client = world.open_stream()
    outputs = world.do(i.Receive(client.number, m.Ack("a")))
    assert [type(output) for output in outputs[:2]] == [o.Accept, o.Send]
    assert isinstance(client.received[0], m.Welcome)
    world.publish(publisher, "x", "after")
    assert client.event_ids() == ["after"]


def test_epochs_grow_and_begin_at_the_creation(world: World) -> None:
    """SES-4."""
    world.register("a")
    epochs = [world.open("a").take(m.Welcome)[0].epoch for _ in range(3)]
    assert epochs == sorted(set(epochs))
    assert epochs[0] > world.engine._core.created


def test_newest_stream_wins(world: World) -> None:
    """SES-4."""
    older = world.join("a", "x")
    newer = world.open("a")
    assert end(older) == ("ABORTED", Code.SUPERSEDED)
    assert [(err.code, err.fatal) for err in older.take(m.Err)] == [(Code.SUPERSEDED, True)]
    world.publish(newer, "x", "e1")
    assert newer.event_ids() == ["e1"]
    assert older.received == []


@pytest.mark.parametrize("late", [i.Break, i.HalfClose])
def test_end_of_the_old_stream_leaves_the_newer_alone(world: World, late: type) -> None:
    """SES-5."""
    older = world.join("a", "x")
    newer = world.open("a")
    world.do(late(older.number))
    world.say(older, m.Publish("x", event("from.the.old")))
    world.wrote(older, 5)
    world.publish(newer, "x", "e1")
    assert newer.event_ids() == ["e1"]


def test_what_is_queued_goes_to_the_newer_stream(make_world: Any) -> None:
    world = make_world(queue_events=2)
    older = world.join("a", "x")
    world.do(i.Hold("a"))
    publisher = world.join("p")
    for name in ("e1", "e2", "e3"):
        world.publish(publisher, "x", name)
    assert publisher.paused
    newer = world.open("a")
    newer.take(m.Welcome)
    assert newer.event_ids() == ["e1", "e2", "e3"]
    assert not publisher.paused
    assert older.event_ids() == []


@pytest.mark.parametrize("leave", ["goodbye", "half-close"])
def test_leaving_flushes_and_ends_ok(make_world: Any, leave: str) -> None:
    """SES-6: what was sent before takes effect, queued deliveries are flushed, the agent is gone."""
    world = make_world(writes=False)
    other = world.join("o", "y")
    agent = world.join("a", "x")
    world.wrote(agent, 1)
    world.publish(other, "x", "e1")
    world.publish(agent, "y", "last")
    world.say(agent, m.Goodbye()) if leave == "goodbye" else world.do(i.HalfClose(agent.number))
    assert other.event_ids() == ["last"]
    assert agent.ended is None
    assert [state.agent_id for state in world.snapshot().agents] == ["o"]
    world.publish(other, "x", "too.late")
    world.publish(agent, "y", "after.goodbye")
    world.wrote(agent, 1)
    assert agent.event_ids() == ["e1"]
    assert end(agent) == ("OK", "")
    assert other.event_ids() == []


def test_flushing_takes_at_most_five_seconds(world: World) -> None:
    agent = world.join("a", "x")
    other = world.join("o")
    world.do(i.Hold("a"))
    world.publish(other, "x", "e1")
    world.say(agent, m.Goodbye())
    world.wait(4.999)
    assert agent.ended is None
    world.wait(0.001)
    assert end(agent) == ("OK", "")
    assert agent.event_ids() == []
    assert world.snapshot().counters["copies_discarded"] == 1


def test_a_flushing_stream_is_not_slow_any_more(make_world: Any) -> None:
    """SES-6: only the time for flushing counts."""
    world = make_world(queue_events=1)
    client = world.join("a", "x")
    world.do(i.Hold("a"))
    world.publish(client, "x", "e1")
    world.wait(7)
    world.say(client, m.Goodbye())
    world.wait(4.999)
    assert client.ended is None
    world.wait(0.001)
    assert client.ended is not None
    assert client.ended.status == "OK"


def test_a_flushing_stream_is_not_silent_any_more(make_world: Any) -> None:
    """SES-6."""
    world = make_world(liveness=True)
    client = world.join("a", "x")
    world.do(i.Hold("a"))
    world.publish(client, "x", "e1")
    world.wait(6)
    world.do(i.HalfClose(client.number))
    world.wait(4.999)
    assert client.ended is None
    world.wait(0.001)
    assert client.ended is not None
    assert client.ended.status == "OK"


def test_a_flushing_stream_can_break(world: World) -> None:
    agent = world.join("a", "x")
    other = world.join("o")
    world.do(i.Hold("a"))
    world.publish(other, "x", "e1")
    world.do(i.HalfClose(agent.number))
    world.do(i.Break(agent.number))
    assert agent.ended is None
    assert world.snapshot().counters["copies_discarded"] == 1
    world.wait(10)


def test_expiry_completes_a_flush(world: World) -> None:
    agent = world.join("a", "x")
    other = world.join("o")
    world.do(i.Hold("a"))
    world.publish(other, "x", "e1", loom__ttl_ms="1000")
    world.say(agent, m.Goodbye())
    world.wait(1)
    assert end(agent) == ("OK", "")


def test_a_broken_stream_takes_the_agent_with_it(world: World) -> None:
    """SES-6."""
    agent = world.join("a", "x")
    other = world.join("o")
    world.do(i.Hold("a"))
    world.publish(other, "x", "e1")
    world.do(i.Break(agent.number))
    snapshot = world.snapshot()
    assert [state.agent_id for state in snapshot.agents] == ["o"]
    assert snapshot.counters["copies_discarded"] == 1
    world.confirm(other, 1, "x")
    assert other.take(m.Receipt) == [m.Receipt(1, 0)]


def test_a_stream_may_break_or_close_before_its_handshake(world: World) -> None:
    broken = world.open_stream()
    world.do(i.Break(broken.number))
    closed = world.open_stream()
    world.do(i.HalfClose(closed.number))
    assert end(closed) == ("INVALID_ARGUMENT", Code.HANDSHAKE_EXPECTED)
    assert world.engine.is_idle


def test_welcome_comes_first_and_only_with_its_feature(world: World) -> None:
    """SES-7, and a base-level client sees nothing of it."""
    world.register("a", "x", features=[])
    base = world.open("a")
    assert base.received == []
    world.publish(base, "x", "e1")
    assert base.take(m.Delivery)[0].seq == 0
    world.register("a", "x")
    full = world.open("a")
    assert isinstance(full.received[0], m.Welcome)
    for name in ("e1", "e2"):
        world.publish(full, "x", name)
    assert [delivery.seq for delivery in full.take(m.Delivery)] == [1, 2]


def test_a_silent_client_is_taken_for_dead(make_world: Any) -> None:
    """SES-7: three heartbeat intervals."""
    world = make_world(liveness=True)
    agent = world.join("a")
    world.wait(8)
    world.say(agent, m.Ping(1))
    world.wait(8.999)
    assert agent.ended is None
    world.wait(0.001)
    assert end(agent) == ("UNAVAILABLE", Code.HEARTBEAT_TIMEOUT)
    assert agent.take(m.Err)[0].fatal
    assert not world.snapshot().agents


def test_a_silent_base_level_client_is_left_alone(make_world: Any) -> None:
    world = make_world(liveness=True)
    agent = world.join("a", features=[])
    world.wait(3600)
    assert agent.ended is None


def test_time_in_which_the_bridge_does_not_read_does_not_count(make_world: Any) -> None:
    """SES-7."""
    world = make_world(liveness=True, queue_events=1, slow_consumer_ms=100_000)
    slow = world.join("s", "x", features=[])
    publisher = world.join("p")
    world.do(i.Hold("s"))
    world.publish(publisher, "x", "e1")
    world.publish(publisher, "x", "e2")
    assert publisher.paused
    world.wait(60)
    assert publisher.ended is None
    world.do(i.Release("s"))
    assert not publisher.paused
    world.wait(8.999)
    assert publisher.ended is None
    world.wait(0.001)
    assert end(publisher) == ("UNAVAILABLE", Code.HEARTBEAT_TIMEOUT)
    assert slow.event_ids() == ["e1", "e2"]


def test_liveness_is_off_unless_asked_for(world: World) -> None:
    agent = world.join("a")
    world.wait(3600)
    assert agent.ended is None


def test_disconnect_looks_like_a_lost_connection(world: World) -> None:
    """CTL-4."""
    agent = world.join("a")
    world.do(i.Disconnect("a"))
    assert agent.ended is not None
    assert agent.ended.abrupt
    assert agent.received == []
    assert not world.snapshot().agents
    world.do(i.Disconnect("a"))
    world.do(i.Disconnect("nobody"))


def test_unknown_messages_are_refused_and_the_stream_lives(world: World) -> None:
    agent = world.join("a")
    world.say(agent, m.Unknown("batch"))
    world.say(agent, m.Unknown())
    assert [error.code for error in agent.take(m.Err)] == [Code.INVALID_MESSAGE] * 2
    world.say(agent, m.Ping(7))
    assert agent.take(m.Pong) == [m.Pong(7)]


def test_heartbeat_echoes(world: World) -> None:
    """HB-1."""
    call = world.number()
    world.do(i.Heartbeat(call, 42))
    assert world.replies[call] == o.HeartbeatReply(call, 42, "ok")


def test_pong_comes_after_what_was_queued(world: World) -> None:
    """HB-2."""
    agent = world.join("a", "x")
    other = world.join("o")
    world.do(i.Hold("a"))
    world.publish(other, "x", "e1")
    world.say(agent, m.Ping(5))
    world.publish(other, "x", "e2")
    world.do(i.Release("a"))
    kinds = [type(message) for message in agent.received]
    assert kinds == [m.Delivery, m.Pong, m.Delivery]


def test_reset_ends_everything(world: World) -> None:
    """CTL-4."""
    agent = world.join("a", "x", capabilities=[m.Capability("c", metadata={"loom.max_concurrency": "1"})])
    world.register("waiting")
    awaiting = world.open_stream()
    running, queued = world.invoke("c", "1", "caller"), world.invoke("c")
    world.confirm(world.open("a", producer=7), 1, "x")
    first = world.invoke("c", "2", "caller")
    world.do(i.Reset())
    assert agent.ended is not None
    assert end(awaiting) == ("UNAVAILABLE", Code.NAMESPACE_RESET)
    assert world.code(running) == Code.PROVIDER_LOST
    assert {world.code(call) for call in (queued, first)} == {Code.NAMESPACE_RESET}
    assert world.engine.is_idle
    assert world.engine.next_deadline() is None
    assert world.snapshot().counters == {}


def test_reset_forgets_what_outlives_agents(make_world: Any) -> None:
    """CTL-4: kept results, what producers published, counters, and the timers of all that."""
    world = make_world(kept_result_bytes=10)
    for _ in range(2):
        listener = world.join("l", "x")
        agent = world.join("a", capabilities=[m.Capability("c")])
        world.confirm(world.open("l", producer=1), 1, "x")
        world.do(i.Break(listener.number))
        call = world.invoke("c", "id", "caller")
        assert world.answer(call) is None
        world.say(agent, m.ActionResult(agent.take(m.ActionCall)[0].id, 0, b"x" * 10))
        assert world.answer(world.invoke("c", "id", "caller")) == world.answer(call)
        world.do(i.Disconnect("l"))
        world.do(i.Disconnect("a"))
        world.do(i.Reset())
        assert world.engine.is_idle
        assert world.engine.next_deadline() is None
        assert world.snapshot().counters == {}
