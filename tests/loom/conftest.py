"""A bridge for each test, agents that are stopped with it, and waiting for what must come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from loom.agent import Agent
from loom.config import Settings
from loom.endpoint import Endpoint
from loom_testing.bridge import FakeBridge

PATIENCE = 10.0
"""How long a test waits for what must come, seconds."""


async def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the condition is another's, who has no event for it
            await asyncio.sleep(0.002)


def settings(address: str, **fields: object) -> Settings:
    """Settings that are nobody's environment."""
    return Settings(endpoint=Endpoint(address), local=False, reason="a test", **fields)


@pytest.fixture
async def bridge() -> AsyncIterator[FakeBridge]:
    async with FakeBridge(testing=True) as bridge:
        yield bridge


@pytest.fixture
async def start(bridge: FakeBridge) -> AsyncIterator[Callable[..., Awaitable[Agent]]]:
    """Starts agents on the test's bridge, and stops them after it."""
    started: list[Agent] = []

    async def start(*agents: Agent) -> Agent:
        for agent in agents:
            agent._settings = settings(bridge.address)
            await agent.start()
            started.append(agent)
        return agents[0]

    yield start
    for agent in reversed(started):
        await agent.stop(1.0)
