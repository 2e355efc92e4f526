"""The fake bridge in the test run's own process."""

from __future__ import annotations

from loom import Agent
from loom_testing.harness.handle import LoomBridge
from loom_testing.harness.inside import MemoryHost


async def test_a_test_has_a_namespace_and_a_clock_of_its_own_there():
    host = MemoryHost()
    try:
        bridge = LoomBridge(host)
        waiter = Agent("waiter")

        @waiter.capability("wait")
        async def wait() -> str:
            await bridge.clock.now()
            return "done"

        async with bridge.run(waiter):
            assert await bridge.call("wait") == "done"
            before = await bridge.clock.now()
            await bridge.advance(1800)
            assert await bridge.clock.now() == before + 1800
            assert list((await bridge.snapshot()).agents) == ["waiter"]
        bridge.close()
    finally:
        host.close()
    assert host.death == ""
