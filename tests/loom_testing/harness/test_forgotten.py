"""What nobody waits for is noted, with the line that made it."""

from __future__ import annotations

import asyncio
import sys
import warnings

import pytest

from loom import Agent
from loom_testing.harness.forgotten import HOOK, Forgotten

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


@pytest.mark.loom(leaks=True)
async def test_a_call_that_nobody_awaits_is_noted_where_it_was_made(loom_bridge):
    with Forgotten() as forgotten:
        loom_bridge.snapshot()
    (line,) = forgotten.noted
    assert line.startswith("test_forgotten.py:")
    assert "nobody waited for `loom_bridge.snapshot()`: write `await` before the call" in line


async def test_what_is_awaited_in_whatever_way_is_fine(loom_bridge):
    with Forgotten() as forgotten:
        await loom_bridge.snapshot()
        await asyncio.gather(loom_bridge.snapshot(), loom_bridge.snapshot())
        await asyncio.wait_for(loom_bridge.clock.now(), 5)
        await asyncio.create_task(loom_bridge.clock.now())
    assert forgotten.noted == []


@pytest.mark.loom(leaks=True)
async def test_agents_that_nobody_starts_are_noted(loom_bridge):
    with Forgotten() as forgotten:
        loom_bridge.run(Agent("one"), Agent("two"))
        async with loom_bridge.run(Agent("three")):
            pass
    (line,) = forgotten.noted
    said = "loom_bridge.run(one, two)"
    assert (
        line
        == f"{said} did nothing: write `async with {said}:`, or in a plain test `with` and loom_bridge.sync"
    )


def test_others_coroutines_are_others_business():
    async def mine() -> None: ...

    with Forgotten() as forgotten:
        made = mine()
        del made
    assert forgotten.noted == []


def test_all_is_as_before_afterwards():
    before = getattr(warnings, HOOK), sys.get_coroutine_origin_tracking_depth()
    with Forgotten():
        assert getattr(warnings, HOOK) != before[0]
    assert (getattr(warnings, HOOK), sys.get_coroutine_origin_tracking_depth()) == before
