"""What a test holds: a namespace of its own on the run's bridge."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from loom import Agent
from loom.errors import CapabilityNotFound, NoSubscribers, PublishRefused
from loom_testing.harness.errors import BridgeDiedError, HarnessError, WrongPlaceError
from loom_testing.harness.handle import LoomBridge
from loom_testing.harness.process import FakeProcess
from tests.loom_testing.harness.agents import greeter


async def test_two_bridges_share_nothing(loom_bridge):
    other = LoomBridge(loom_bridge.host)
    assert other.address == loom_bridge.address
    assert other.namespace != loom_bridge.namespace
    async with loom_bridge.run(greeter()), other.probe() as probe:
        with pytest.raises(NoSubscribers):
            await probe.request("words.asked", "hello")
        with pytest.raises(CapabilityNotFound):
            await other.call("text.length", text="abc")
        assert await loom_bridge.call("text.length", text="abc") == 3
        assert list((await other.snapshot()).agents) == ["probe"]
    other.close()


async def test_agents_that_the_test_starts_itself_find_it(loom_bridge):
    assert (os.environ["LOOM_BRIDGE_ADDR"], os.environ["LOOM_NAMESPACE"]) == (
        loom_bridge.address,
        loom_bridge.namespace,
    )
    async with Agent("on-its-own"), Agent("told", endpoint=loom_bridge.endpoint):
        assert list((await loom_bridge.snapshot()).agents) == ["on-its-own", "told"]


async def test_time_stands_still_until_it_is_moved(loom_bridge):
    before = (await loom_bridge.snapshot()).now
    async with loom_bridge.probe():
        assert (await loom_bridge.snapshot()).now == before
        await loom_bridge.advance(1.5)
        assert (await loom_bridge.snapshot()).now == pytest.approx(before + 1.5)


@pytest.mark.loom(clock="real")
async def test_a_real_clock_goes_by_itself(loom_bridge):
    before = (await loom_bridge.snapshot()).now
    assert (await loom_bridge.snapshot()).now > before
    with pytest.raises(HarnessError, match="the clock of this test is real"):
        await loom_bridge.advance(1)


@pytest.mark.loom(limits={"event_bytes": 1_000})
async def test_a_namespace_has_limits_of_its_own(loom_bridge):
    async with loom_bridge.probe() as probe:
        with pytest.raises(PublishRefused, match="at most 1000"):
            await probe.emit("a", "x" * 2_000)


async def test_an_agents_connection_can_be_broken_and_it_comes_back(loom_bridge):
    async with loom_bridge.run(greeter()), loom_bridge.probe() as probe:
        before = (await loom_bridge.snapshot()).agents["greeter"].epoch
        await loom_bridge.disconnect("greeter")
        await loom_bridge.settle()
        assert "greeter" not in (await loom_bridge.snapshot()).agents
        await loom_bridge.advance(2)  # its pause before it comes back
        assert (await loom_bridge.snapshot()).agents["greeter"].epoch > before
        assert await probe.call("text.length", text="abc") == 3
        with pytest.raises(HarnessError, match=r"has no agent .ghost."):
            await loom_bridge.disconnect("ghost")


async def test_running_nobody_is_a_mistake(loom_bridge):
    with pytest.raises(HarnessError, match=r"run\(\) was given no agent"):
        loom_bridge.run()


def test_what_must_be_awaited_is_refused_in_a_plain_test(loom_bridge):
    for use in (lambda: loom_bridge.advance(1), loom_bridge.snapshot, lambda: loom_bridge.disconnect("a")):
        with pytest.raises(WrongPlaceError, match=r"in a plain test use loom_bridge\.sync"):
            use()


async def test_a_bridge_that_dies_ends_every_wait_with_its_log():
    host = FakeProcess()
    bridge = LoomBridge(host)
    try:
        async with bridge.run(greeter()), bridge.probe() as probe:
            waits = [
                asyncio.create_task(wait)
                for wait in (
                    probe.expect("never", timeout=60),
                    probe.expect_none("never", within=60),
                    probe.request("words.asked", "hello"),
                )
            ]
            await probe.emit("visitor.arrived", {"name": "Ada"})
            os.kill(host.pid, signal.SIGKILL)
            for use in (waits[0], waits[1], probe.emit("late"), bridge.call("text.length", text="a")):
                with pytest.raises(BridgeDiedError, match="killed by signal 9"):
                    await use
            await asyncio.wait(waits)
            waits[2].exception()
        with pytest.raises(BridgeDiedError, match="the end of its log"):
            async with bridge.probe():
                pass
        with pytest.raises(BridgeDiedError):
            bridge.close()
    finally:
        host.close()
