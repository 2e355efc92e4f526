"""CTL-1: what a test sees inside."""

from __future__ import annotations

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine.outputs import AgentSnapshot, CallSnapshot
from tests.loom_testing.engine.world import FEATURES, World


def test_shows_agents_calls_and_counters(world: World) -> None:
    first = world.register("silent", "y", features=["session"])
    options = m.Subscription("x.*", ["t"], 0, "g")
    agent = world.join(
        "a", ">", subscriptions=[options], capabilities=[m.Capability("c", "1"), m.Capability("d")]
    )
    world.invoke("d", caller="caller")
    world.do(i.Hold("a"))
    world.publish(agent, "x.y", "e1")
    snapshot = world.snapshot()
    silent, streaming = snapshot.agents
    assert silent == AgentSnapshot(
        "silent", first.registration, "REGISTERED", 0, ["session"], [m.Subscription("y", [], 1)], [],
        0, 0, 0, 0, False, False,
    )  # fmt: skip
    assert (streaming.state, streaming.queued_events, streaming.held) == ("STREAMING", 1, True)
    assert streaming.subscriptions == [m.Subscription(">", [], 1), options]
    assert streaming.capabilities == ["c@1", "d"]
    assert streaming.open_calls == 1
    call = snapshot.calls[0]
    assert call == CallSnapshot(call.id, "d", "DISPATCHED", "caller", "a", 1)
    assert snapshot.now == world.now
    assert snapshot.counters["events_published"] == 1
    assert list(snapshot.counters) == sorted(snapshot.counters)


def test_a_stream_keeps_the_features_of_its_handshake(world: World) -> None:
    """SES-2: what a later registration agrees on holds from the next stream on."""
    world.join("a")
    world.register("a", features=["session"])
    assert world.snapshot().agents[0].features == sorted(FEATURES)
