"""Bridges that live in this process: found by their address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loom import Agent, inmemory
from loom.channel import open_channel, open_sync_channel
from loom.endpoint import Endpoint
from loom.errors import ConfigError
from loom_testing.inmemory import InMemoryBridge


@pytest.fixture
def bridge() -> Iterator[InMemoryBridge]:
    bridge = InMemoryBridge()
    bridge.start()
    yield bridge
    bridge.stop()


def test_one_that_is_not_here_says_what_to_do():
    for opened in (open_channel, open_sync_channel):
        with pytest.raises(
            ConfigError, match="memory:nobody lives in the memory of another process, or has ended"
        ):
            opened(Endpoint("memory:nobody"))


def test_one_is_found_until_it_stops(bridge: InMemoryBridge):
    assert inmemory.found(bridge.address) is bridge
    bridge.stop()
    with pytest.raises(ConfigError, match="has ended"):
        inmemory.found(bridge.address)


async def test_agents_of_this_process_reach_it(bridge: InMemoryBridge):
    agent = Agent("echo", endpoint=Endpoint(bridge.address))

    @agent.capability("text.echo")
    def say(text: str) -> str:
        return text

    async with agent:
        assert await agent.context().tool("text.echo", text="hello") == "hello"
