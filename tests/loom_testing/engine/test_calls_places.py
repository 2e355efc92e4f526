"""ACT-6, ACT-7: who is given the next call, and which calls hold a place with their provider."""

from __future__ import annotations

from typing import Any

from loom.codes import Code
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.loom_testing.engine.world import World


def provide(world: World, name: str, most: int | None = None) -> Any:
    metadata = {} if most is None else {"loom.max_concurrency": str(most)}
    return world.join(name, capabilities=[m.Capability("c", metadata=metadata)])


def test_answered_providers_take_turns(world: World) -> None:
    """ACT-6: with the same number of open calls, the one that was given a call longest ago is next."""
    agents = {name: provide(world, name) for name in ("one", "two", "three")}
    order = []
    for _ in range(7):
        world.invoke("c")
        name, given = next(
            (name, calls[0]) for name, one in agents.items() if (calls := one.take(m.ActionCall))
        )
        order.append(name)
        world.say(agents[name], m.ActionResult(given.id, 0))
    assert order == ["one", "two", "three", "one", "two", "three", "one"]


def test_open_calls_count_whatever_they_are_for(world: World) -> None:
    """ACT-6."""
    both = [m.Capability("c"), m.Capability("d")]
    busy, idle = world.join("busy", capabilities=both), world.join("idle", capabilities=[m.Capability("c")])
    world.invoke("d")
    world.invoke("d")
    world.invoke("c")
    world.invoke("c")
    assert len(busy.take(m.ActionCall)) == 2
    assert len(idle.take(m.ActionCall)) == 2
    world.invoke("c")
    assert busy.take(m.ActionCall)


def test_an_ended_call_without_a_bound_holds_no_place(world: World) -> None:
    """ACT-7: a bound that comes later counts only the calls that are open."""
    agent = provide(world, "a")
    world.invoke("c", timeout_ms=1000)
    world.wait(1)
    limited = m.Capability("c", metadata={"loom.max_concurrency": "1"})
    world.register("a", capabilities=[limited])
    agent.take(m.ActionCall)
    world.invoke("c", payload=b"next")
    assert [call.payload for call in agent.take(m.ActionCall)] == [b"next"]


def test_a_call_may_outlive_the_offer(world: World) -> None:
    """ACT-3: its capability was withdrawn while it was worked on; it times out as any other."""
    agent = provide(world, "a", most=1)
    call = world.invoke("c", timeout_ms=1000)
    world.register("a")
    world.wait(1)
    assert world.code(call) == Code.TIMEOUT
    given = agent.take(m.ActionCall)[0]
    assert agent.take(m.ActionCancel) == [m.ActionCancel(given.id, Code.TIMEOUT)]
    world.register("a", capabilities=[m.Capability("c", metadata={"loom.max_concurrency": "1"})])
    world.invoke("c", payload=b"next")
    assert [call.payload for call in agent.take(m.ActionCall)] == [b"next"]


def test_nobody_is_left_to_slow_down(make_world: Any) -> None:
    """FLOW-2: copies may outlive their publisher for good."""
    world = make_world(queue_events=1)
    slow = world.join("slow", "x")
    world.do(i.Hold("slow"))
    publisher = world.join("p")
    world.publish(publisher, "x", "e1")
    world.publish(publisher, "x", "e2")
    world.do(i.Break(publisher.number))
    world.do(i.Release("slow"))
    assert slow.event_ids() == ["e1", "e2"]


def test_every_waiting_call_hears_that_its_provider_is_gone(world: World) -> None:
    """ACT-4: none is left in the queue."""
    agent = provide(world, "a", most=1)
    calls = [world.invoke("c") for _ in range(4)]
    world.do(i.Break(agent.number))
    codes = [world.code(call) for call in calls]
    assert codes == [Code.PROVIDER_LOST, Code.UNAVAILABLE, Code.UNAVAILABLE, Code.UNAVAILABLE]


def test_a_stream_whose_agent_has_left_is_flushed_while_calls_wait(make_world: Any) -> None:
    """SES-6, ACT-7."""
    world = make_world(writes=False, stream_window=1)
    leaver, publisher = world.join("leaver", "x", features=[]), world.join("p", features=[])
    one_at_a_time = m.Capability("c", metadata={"loom.max_concurrency": "1"})
    world.join("provider", features=[], capabilities=[one_at_a_time])
    for _ in range(2):
        world.invoke("c")
    for event_id in ("written", "queued"):
        world.publish(publisher, "x", event_id)
    world.say(leaver, m.Goodbye())
    world.wrote(leaver, 1)
    assert leaver.event_ids() == ["written", "queued"]
    world.wrote(leaver, 1)
    assert leaver.ended is not None
    assert leaver.ended.status == "OK"
