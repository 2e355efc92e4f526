"""Every counter counts what its comment says, once each time (CTL-1)."""

from __future__ import annotations

from typing import Any

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.loom_testing.engine.world import World


def counted(world: World) -> dict[str, int]:
    return world.snapshot().counters


def provide(world: World, name: str, **fields: Any) -> Any:
    return world.join(name, capabilities=[m.Capability("c")], **fields)


def test_of_agents_and_streams(world: World) -> None:
    world.register("a")
    world.register("a..b")
    world.open("a")
    newest = world.open("a")
    world.do(i.Disconnect("a"))
    assert newest.ended is not None
    world.register("lapses")
    world.wait(30)
    assert counted(world) == {
        "agents_gone": 2,
        "agents_refused": 1,
        "agents_registered": 2,
        "streams_accepted": 2,
        "streams_cut": 1,
        "streams_superseded": 1,
    }


def test_of_events(world: World) -> None:
    world.register("p")
    publisher = world.open("p", producer=1)
    for _ in range(2):
        world.confirm(publisher, 1, "x")
    world.publish(publisher, "a..b")
    world.join("a", "x")
    world.publish(publisher, "x")
    found = counted(world)
    assert {name: found[name] for name in found if name.startswith(("events_", "copies_"))} == {
        "copies_sent": 1,
        "events_published": 2,
        "events_refused": 1,
        "events_repeated": 1,
        "events_unmatched": 1,
    }


def test_of_copies(make_world: Any) -> None:
    world = make_world(queue_events=2)
    group = m.Subscription("x", group="g")
    agent = world.join("a", "y", subscriptions=[group, m.Subscription("r", qos=0)])
    publisher = world.join("p")
    world.do(i.Hold("a"))
    world.publish(publisher, "r", loom__ttl_ms="1000")
    world.wait(1)
    world.publish(publisher, "x")
    world.publish(publisher, "y")
    world.publish(publisher, "r")
    world.join("b", subscriptions=[group])
    world.do(i.Break(agent.number))
    found = counted(world)
    assert {name: found[name] for name in found if name.startswith("copies_")} == {
        "copies_discarded": 1,
        "copies_dropped": 1,
        "copies_expired": 1,
        "copies_rerouted": 1,
        "copies_sent": 1,
    }


def test_of_calls(world: World) -> None:
    agent = provide(world, "a")
    world.invoke("nobody")
    for _ in range(2):
        world.invoke("c", "joined", "caller")
    world.say(agent, m.ActionResult(agent.take(m.ActionCall)[0].id, 0))
    world.invoke("c", "joined", "caller")
    world.say(agent, m.ActionResult("unknown", 0))
    world.do(i.Abandon(world.invoke("c")))
    world.invoke("c", timeout_ms=1000)
    world.wait(1)
    world.invoke("c")
    world.do(i.Break(agent.number))
    found = counted(world)
    assert {name: found[name] for name in found if name.startswith(("calls_", "results_"))} == {
        "calls_cancelled": 1,
        "calls_completed": 1,
        "calls_failed": 1,
        "calls_joined": 1,
        "calls_received": 7,
        "calls_refused": 1,
        "calls_replayed": 1,
        "calls_timed_out": 1,
        "results_unknown": 1,
    }
