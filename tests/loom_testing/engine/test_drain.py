"""LIM-3: stopping without breaking anything."""

from __future__ import annotations

from loom.codes import Code
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from tests.loom_testing.engine.world import World


def test_an_idle_engine_is_drained_at_once(world: World) -> None:
    world.register("a")
    world.do(i.DrainAll(1000))
    assert world.drained
    assert world.do(i.Tick()) == [], "it is said once"


def test_open_calls_finish_and_nothing_new_begins(world: World) -> None:
    agent = world.join("a", "x", capabilities=[m.Capability("c")])
    base = world.join("base", features=[])
    awaiting = world.open_stream()
    call = world.invoke("c")
    given = agent.take(m.ActionCall)[0]
    world.do(i.DrainAll(5000))
    world.do(i.DrainAll(1))
    assert agent.take(m.Drain) == [m.Drain(5000)]
    assert base.received == []
    assert awaiting.ended is not None
    assert awaiting.ended.status == "UNAVAILABLE"
    assert world.register("new").error_code == Code.DRAINING
    late = world.open_stream()
    assert late.ended is not None
    assert late.ended.message.startswith("DRAINING")
    assert world.code(world.invoke("c")) == Code.UNAVAILABLE
    world.publish(base, "x", "e1")
    assert agent.event_ids() == ["e1"]
    assert not world.drained
    world.say(agent, m.ActionResult(given.id, 0, b"done"))
    answer = world.answer(call)
    assert answer is not None
    assert answer.output == b"done"
    assert agent.ended is not None
    assert agent.ended.status == "UNAVAILABLE"
    assert base.ended is not None
    assert world.drained


def test_the_grace_is_an_end(world: World) -> None:
    agent = world.join("a", capabilities=[m.Capability("c", metadata={"loom.max_concurrency": "1"})])
    calls = [world.invoke("c") for _ in range(2)]
    world.do(i.DrainAll(5000))
    world.wait(4.999)
    assert not world.drained
    world.wait(0.001)
    assert world.drained
    assert [world.code(call) for call in calls] == [Code.PROVIDER_LOST, Code.UNAVAILABLE]
    assert agent.ended is not None


def test_a_silent_transport_does_not_hold_it_up(world: World) -> None:
    agent = world.join("a", "x", features=[])
    world.do(i.Hold("a"))
    world.publish(agent, "x", "e1")
    world.do(i.DrainAll(2000))
    assert not world.drained
    world.wait(2)
    assert world.drained


def test_streams_are_told_and_ended_in_the_order_in_which_they_were_opened(world: World) -> None:
    first, second = world.join("a"), world.join("b", capabilities=[m.Capability("c")])
    world.do(i.Break(first.number))
    third = world.join("d")
    call = world.invoke("c")
    told = [output.stream for output in world.do(i.DrainAll(5000)) if isinstance(output, o.Send)]
    assert told == [second.number, third.number]
    world.do(i.Abandon(call))
    assert [client.ended is not None for client in (second, third)] == [True, True]
    assert world.drained
    assert world.engine.next_deadline() is None


def test_what_is_left_is_cut_in_the_order_in_which_it_was_opened(world: World) -> None:
    first, second = world.join("a"), world.join("b", capabilities=[m.Capability("c")])
    world.do(i.Break(first.number))
    third = world.join("d")
    world.invoke("c")
    world.do(i.DrainAll(1000))
    world.now += 1_000_000
    ended = [output.stream for output in world.do(i.Tick()) if isinstance(output, o.End)]
    assert ended == [second.number, third.number]
