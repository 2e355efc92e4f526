import pytest

from loom import Agent
from loom.testing.v1 import control_pb2
from loom_testing.harness import leaks
from loom_testing.harness.census import Census
from loom_testing.harness.control import Snapshot
from loom_testing.harness.leaks import left_behind


class Space:
    def __init__(self, *snapshots):
        self.snapshots = list(snapshots)

    def snapshot(self):
        return self.snapshots.pop(0) if len(self.snapshots) > 1 else self.snapshots[0]


class Host:
    controlled = True
    death = ""


class Bridge:
    """As much of a LoomBridge as is looked at."""

    namespace = "test-1"
    host = Host()

    def __init__(self, *snapshots):
        self.space = Space(*snapshots)

    def end_beside(self):
        """Nothing is there."""


def snapshot(agents=(), calls=()):
    return Snapshot(0.0, {agent.agent_id: agent for agent in agents}, list(calls), {})


STREAMING = control_pb2.AgentSnapshot(
    agent_id="a",
    state="STREAMING",
    subscriptions=[control_pb2.SubscriptionSnapshot(topic="paper.*")],
)
REGISTERED = control_pb2.AgentSnapshot(agent_id="b", state="REGISTERED", capabilities=["llm.complete"])
STOPPED = control_pb2.AgentSnapshot(agent_id="c", state="REGISTERED")
REMEDY = "await it, or cancel it"
CALL = control_pb2.CallSnapshot(capability="llm.complete", caller="a", provider="b")
WAITING = control_pb2.CallSnapshot(capability="llm.complete")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(leaks, "PATIENCE_S", 0.02)


def test_nothing_left_is_nothing_said():
    assert left_behind(Bridge(snapshot()), Census.taken()) == ""
    assert left_behind(Bridge(snapshot([STOPPED])), Census.taken()) == ""


async def test_an_agent_whose_connection_is_lost_as_it_stops_leaves_nothing(loom_bridge):
    for _ in range(5):
        async with loom_bridge.run(Agent("a")), loom_bridge.probe("b"):
            await loom_bridge.disconnect("a")
            await loom_bridge.disconnect("b")
        assert leaks._in_the_namespace(loom_bridge) == []


def test_all_that_is_left_is_named():
    bridge = Bridge(snapshot([STREAMING, REGISTERED], [CALL, WAITING]))
    said = left_behind(bridge, Census.taken())
    assert said.splitlines() == [
        "the test left something behind:",
        "  - agent 'a' is still connected (subscribed to paper.*): stop it, or run it inside `async with`",
        "  - agent 'b' is registered, and not connected: stop it, or run it inside `async with`",
        "  - a call of 'llm.complete' by a, open at 'b': await it, or cancel it",
        f"  - a call of 'llm.complete' by nobody in particular, waiting for a provider: {REMEDY}",
        "(@pytest.mark.loom(leaks=True) lets a test leave things behind)",
    ]


def test_what_is_about_to_leave_is_waited_for(monkeypatch):
    monkeypatch.setattr(leaks, "PATIENCE_S", 5)
    assert left_behind(Bridge(snapshot([STREAMING]), snapshot()), Census.taken()) == ""


def test_a_bridge_that_cannot_tell_is_not_asked():
    bridge = Bridge(snapshot([STREAMING]))
    bridge.host = type("Silent", (), {"controlled": False, "death": ""})()
    assert left_behind(bridge, Census.taken()) == ""


async def test_a_namespace_that_the_test_reset_holds_nothing(loom_bridge):
    await loom_bridge.snapshot()
    loom_bridge.host.control.reset(loom_bridge.namespace)
