"""What a namespace holds, for tests to look at (CTL-1)."""

from __future__ import annotations

from loom_testing.engine.agent import Agent
from loom_testing.engine.core import Core
from loom_testing.engine.outputs import AgentSnapshot, CallSnapshot, SnapshotReply
from loom_testing.engine.publish import BATCHED

__all__ = ["take"]


def take(core: Core, call: int) -> SnapshotReply:
    """The snapshot: agents by registration, calls by arrival, counters by name."""
    agents = sorted(core.agents.values(), key=lambda agent: agent.registration)
    calls = [
        CallSnapshot(
            call.id,
            call.request.capability,
            call.state,
            _caller(call.request.headers),
            call.provider,
            len(call.waiters),
        )
        for call in core.calls.values()
    ]
    counters = {counter.value: core.counters[counter] for counter in sorted(core.counters)}
    return SnapshotReply(call, core.now, [_agent(core, agent) for agent in agents], calls, counters)


def _caller(headers: dict[str, str]) -> str:
    return headers.get("x-agent-id", "")


def _agent(core: Core, agent: Agent) -> AgentSnapshot:
    stream = core.live_stream(agent)
    outbox = stream.outbox if stream else None
    declared = [route.subscription for route in agent.routes if not route.implicit]
    for place, subscription in enumerate(declared):
        if subscription.qos is None:
            declared[place] = type(subscription)(
                subscription.topic,
                subscription.event_types,
                BATCHED,
                subscription.group,
                subscription.observer,
            )
    return AgentSnapshot(
        agent.agent_id,
        agent.registration,
        agent.state,
        stream.epoch if stream else 0,
        sorted(stream.features if stream else agent.features),
        declared,
        [_named(capability.name, capability.version) for capability in agent.capabilities.values()],
        outbox.events if outbox else 0,
        outbox.bytes if outbox else 0,
        len(outbox.waiting) if outbox else 0,
        len(agent.open_calls),
        stream.paused if stream else False,
        stream.held if stream else False,
    )


def _named(name: str, version: str) -> str:
    return f"{name}@{version}" if version else name
