"""A bridge for each test, agents that are stopped with it, and waiting for what must come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from loom.agent import Agent
from loom.client import BridgeClient
from loom.config import Settings
from loom.endpoint import Endpoint
from loom.testing.v1 import control_pb2
from loom_testing.harness.handle import LoomBridge
from tests.loom.processes import BridgeProcess, processes_of
from tests.loom_testing.peers import Peer

HERE = Path(__file__).parent
PATIENCE = 10.0
"""How long a test waits for what must come, seconds."""


class Seen(list[Any]):
    """What was seen, in order; who waits for more is told of each."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def append(self, item: Any) -> None:
        super().append(item)
        self._news.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits until the condition holds, which looks at what was seen."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()


async def live(client: BridgeClient | Agent) -> None:
    """Waits until the stream of an agent is open."""
    if isinstance(client, Agent):
        client = client._worker._client
    async with asyncio.timeout(PATIENCE):
        await client._connection.until_live(PATIENCE)


def losing(agent: Agent) -> asyncio.Event:
    """Is set when the agent loses its stream."""
    worker, lost = agent._worker, asyncio.Event()
    tell = worker.lost

    def told(error: Exception) -> None:
        tell(error)
        lost.set()

    worker.lost = told  # type: ignore[method-assign]  # the test looks on
    return lost


@contextlib.asynccontextmanager
async def steps(bridge: LoomBridge) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """What the bridge does from here on, step by step: waits for the next step whose trace holds a text."""
    async with Peer(bridge.address) as peer:
        watch = peer.control.Watch(control_pb2.WatchRequest(namespace=bridge.namespace))
        await watch.initial_metadata()

        async def next_with(text: str) -> None:
            async with asyncio.timeout(PATIENCE):
                while text not in (await watch.read()).line:
                    pass

        yield next_with
        watch.cancel()


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
