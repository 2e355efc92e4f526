"""What a test leaves behind: agents, calls, tasks, threads, processes, containers.

A test that passes and leaves something behind has not tested how it ends, and disturbs those that come after
it. So it fails, and says what is left. Where it has failed already, what is left is a consequence.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from loom.errors import LoomError
from loom_testing.harness.errors import HarnessError
from loom_testing.harness.tasks import tasks_left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.testing.v1 import control_pb2
    from loom_testing.harness.census import Census
    from loom_testing.harness.control import Snapshot
    from loom_testing.harness.handle import LoomBridge

__all__ = ["calls_in", "left_behind"]

PATIENCE_S = 1.0
"""How long what is about to end may take: a bridge notices a killed process a moment later."""
PAUSE_S = 0.005
WAY_OUT = "@pytest.mark.loom(leaks=True) lets a test leave things behind"


def left_behind(bridge: LoomBridge, before: Census, calls: Sequence[str] = ()) -> str:
    """Says what the test left behind; empty where that is nothing.

    Args:
        bridge: the test's; what lives beside a plain test ends here.
        before: the threads and processes before the test.
        calls: the calls that were open when the test's own code ended, by tasks that it left.
    """
    bridge.end_beside()
    left = [
        *tasks_left(),
        *dict.fromkeys((*_in_the_namespace(bridge), *calls)),
        *before.new(PATIENCE_S, getattr(bridge.host, "pid", 0)),
        *_containers(bridge.namespace),
    ]
    if not left:
        return ""
    lines = "\n".join(f"  - {item}" for item in left)
    return f"the test left something behind:\n{lines}\n({WAY_OUT})"


def _in_the_namespace(bridge: LoomBridge) -> list[str]:
    if not bridge.host.controlled or bridge.host.death:
        return []
    end = time.monotonic() + PATIENCE_S
    try:
        while (found := _agents_and_calls(bridge.space.snapshot())) and time.monotonic() < end:
            time.sleep(PAUSE_S)
    except (LoomError, HarnessError):  # the test has reset its namespace itself, or the bridge is gone
        return []
    return found


def _agents_and_calls(snapshot: Snapshot) -> list[str]:
    return [*_agents(snapshot), *_calls(snapshot)]


def calls_in(bridge: LoomBridge) -> list[str]:
    """The calls that are open now, in words: with its event loop a test's own calls end."""
    try:
        return _calls(bridge.space.snapshot()) if bridge.host.controlled and not bridge.host.death else []
    except (LoomError, HarnessError):
        return []


def _agents(snapshot: Snapshot) -> list[str]:
    # Whose connection is lost while it stops may be registered again: a stop begins by registering nothing.
    return [
        f"agent {agent.agent_id!r} {_connected(agent)}: stop it, or run it inside `async with`"
        for agent in snapshot.agents.values()
        if agent.state == "STREAMING" or agent.subscriptions or agent.capabilities
    ]


def _calls(snapshot: Snapshot) -> list[str]:
    return [
        f"a call of {call.capability!r} by {call.caller or 'nobody in particular'}, {_where(call)}: "
        "await it, or cancel it"
        for call in snapshot.calls
    ]


def _connected(agent: control_pb2.AgentSnapshot) -> str:
    if agent.state != "STREAMING":
        return "is registered, and not connected"
    topics = ", ".join(item.topic for item in agent.subscriptions)
    return f"is still connected (subscribed to {topics})" if topics else "is still connected"


def _where(call: control_pb2.CallSnapshot) -> str:
    return f"open at {call.provider!r}" if call.provider else "waiting for a provider"


def _containers(namespace: str) -> list[str]:
    """The containers that were given this namespace, where the tests use Docker at all."""
    if "docker" not in sys.modules:
        return []
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env()
        try:
            running = client.containers.list()
            mine = [item for item in running if f"LOOM_NAMESPACE={namespace}" in item.attrs["Config"]["Env"]]
            return [f"container {item.name}: stop it, and remove it" for item in mine]
        finally:
            client.close()
    except DockerException:  # no engine answers: no container runs
        return []
