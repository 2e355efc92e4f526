"""The bridge's own process: killed, frozen and started anew under its agents."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from loom.errors import LoomError
from loom_testing.harness.errors import HarnessError
from tests.bridge.weather import PAUSE_S, make


async def test_a_bridge_that_is_started_anew(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        await probe.emit("visitor.arrived", "1")
        await probe.expect("visitor.greeted", "hello 1")
        before = (await loom_bridge.snapshot()).now
        await loom_bridge.process.restart()
        await loom_bridge.advance(PAUSE_S)
        assert set((await loom_bridge.snapshot()).agents) == {"greeter", "probe"}
        await probe.emit("visitor.arrived", "2")
        await probe.expect("visitor.greeted", "hello 2")
        assert await probe.call("wording", name="x") == "hi x"
    assert before is not None


async def test_a_bridge_that_is_gone_for_a_while(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        await loom_bridge.process.kill()
        with pytest.raises(HarnessError, match=r"await loom_bridge\.process\.restart\(\) first"):
            await loom_bridge.advance(10)
        calling = asyncio.create_task(probe.call("wording", name="x", timeout=30))
        await loom_bridge.process.restart()
        await loom_bridge.advance(PAUSE_S)
        with contextlib.suppress(LoomError):  # it may have been told that nobody is there
            assert await calling == "hi x"
        assert await probe.call("wording", name="y") == "hi y"


async def test_again_and_again(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        for number in range(3):
            await loom_bridge.process.restart()
            await loom_bridge.advance(PAUSE_S)
            assert await probe.call("wording", name=str(number)) == f"hi {number}"


async def test_time_goes_on_where_it_was(loom_bridge):
    """Another bridge has another clock; behind the proxy nobody sees that."""
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        await loom_bridge.advance(1000)
        await loom_bridge.process.restart()
        await loom_bridge.advance(PAUSE_S)
        assert await probe.call("wording", name="x") == "hi x"
    times = [entry.at for entry in (await loom_bridge.transcript()).entries if entry.at is not None]
    assert times == sorted(times)
    assert max(times) >= 1000 * 1_000_000


async def test_what_was_delayed_arrives_at_the_bridge_that_is_there_then(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        await loom_bridge.process.restart()
        with loom_bridge.faults.delay(5, agent="greeter", kind="handshake", times=1):
            await loom_bridge.advance(PAUSE_S)
        await loom_bridge.advance(PAUSE_S)
        assert await probe.call("wording", name="x") == "hi x"


@pytest.mark.loom(clock="real")
async def test_a_bridge_that_is_frozen(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        await loom_bridge.process.freeze()
        with pytest.raises(HarnessError, match=r"thaw\(\) first"):
            await loom_bridge.snapshot()
        calling = asyncio.create_task(probe.call("wording", name="x"))
        await asyncio.sleep(0)
        assert not calling.done()
        await loom_bridge.process.thaw()
        assert await calling == "hi x"


async def test_a_frozen_bridge_can_be_killed(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        await loom_bridge.process.freeze()
        await loom_bridge.process.restart()
        await loom_bridge.advance(PAUSE_S)
        assert await probe.call("wording", name="x") == "hi x"


def test_plain_tests(loom_bridge):
    bridge = loom_bridge.sync
    pid = bridge.process.pid
    with bridge.run(make()), bridge.probe():
        bridge.process.kill()
        bridge.process.restart()
        bridge.advance(PAUSE_S)
        assert bridge.call("wording", name="x") == "hi x"
    assert bridge.process.pid != pid


async def test_faults_and_the_process_in_one_test(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.refuse(agent="greeter", times=2) as refused:
            await loom_bridge.process.restart()
            for _ in range(4):
                await loom_bridge.advance(PAUSE_S)
        assert refused.fired == 2
        assert await probe.call("wording", name="x") == "hi x"


@pytest.mark.loom(clock="auto")
async def test_a_clock_that_moves_by_itself_goes_on_with_the_next_bridge(loom_bridge):
    weather = make()
    async with loom_bridge.run(weather):
        for _ in range(3):
            await loom_bridge.process.restart()
            await loom_bridge.joined(weather.id)  # after a back-off that nobody moved the clock for
