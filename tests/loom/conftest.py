"""A bridge for each test, agents that are stopped with it, and waiting for what must come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from loom.agent import Agent
from loom.config import Settings
from loom.endpoint import Endpoint
from loom_testing.harness.handle import LoomBridge
from tests.loom.processes import BridgeProcess, processes_of

HERE = Path(__file__).parent
PATIENCE = 10.0
"""How long a test waits for what must come, seconds."""


async def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the condition is another's, who has no event for it
            await asyncio.sleep(0.002)


def settings(bridge: str | Endpoint, **fields: object) -> Settings:
    """Settings that are nobody's environment."""
    endpoint = Endpoint(bridge) if isinstance(bridge, str) else bridge
    return Settings(endpoint, endpoint.namespace, local=False, reason="a test", **fields)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Agents' own timers are real: so is the clock of the namespaces that they meet here."""
    for item in items:
        if "bridge" in getattr(item, "fixturenames", ()) and item.path.parent == HERE:
            item.add_marker(pytest.mark.loom(clock="real"))


@pytest.fixture
def bridge(loom_bridge: LoomBridge) -> LoomBridge:
    """The bridge that `--loom-bridge` chose."""
    return loom_bridge


@pytest.fixture
def bridge_process(
    pytestconfig: pytest.Config,
) -> Callable[..., contextlib.AbstractAsyncContextManager[BridgeProcess]]:
    """Makes bridges, of the kind that `--loom-bridge` chose, that may be killed."""
    kind = pytestconfig.getoption("--loom-bridge")
    return processes_of(kind if kind in ("rust", "docker") else "fake")


@pytest.fixture
async def start(bridge: LoomBridge) -> AsyncIterator[Callable[..., Awaitable[Agent]]]:
    """Starts agents on the test's bridge, and stops them after it."""
    started: list[Agent] = []

    async def start(*agents: Agent) -> Agent:
        for agent in agents:
            agent._settings = settings(bridge.endpoint)
            await agent.start()
            started.append(agent)
        return agents[0]

    yield start
    for agent in reversed(started):
        await agent.stop(1.0)
