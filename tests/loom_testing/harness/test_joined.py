"""Waiting until agents are there."""

from __future__ import annotations

import pytest

from loom import Agent
from loom_testing.harness.errors import HarnessError


async def test_agents_that_run_are_there(loom_bridge):
    async with loom_bridge.run(Agent("one"), Agent("two")):
        await loom_bridge.joined("one", "two")


async def test_agents_come_back_after_a_restart(loom_bridge):
    async with loom_bridge.run(Agent("one")):
        await loom_bridge.process.restart()
        await loom_bridge.advance(5)
        await loom_bridge.joined("one")


async def test_who_is_missing_is_named(loom_bridge):
    async with loom_bridge.run(Agent("one")):
        with pytest.raises(HarnessError, match=r"not connected within 0\.01 s: two; on a test"):
            await loom_bridge.joined("one", "two", timeout=0.01)


async def test_nobody_is_nobody(loom_bridge):
    with pytest.raises(HarnessError, match="was given no agent"):
        await loom_bridge.joined()


def test_in_a_plain_test(loom_bridge):
    with loom_bridge.sync.run(Agent("one")):
        loom_bridge.sync.joined("one")


def test_agents_are_named_by_their_ids(loom_bridge):
    with pytest.raises(HarnessError, match=r"joined\(Agent\('q'\)\): name agents by their ids"):
        loom_bridge.sync.joined(Agent("q"))
