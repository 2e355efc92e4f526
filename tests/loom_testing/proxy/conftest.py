"""A proxy in front of the test's bridge, in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from loom.endpoint import Endpoint
from loom_testing.bridge import FakeBridge
from loom_testing.faults import Faults
from loom_testing.proxy import Proxy
from tests.loom_testing.peers import Peer


@pytest.fixture
async def proxy(bridge: FakeBridge) -> AsyncIterator[Proxy]:
    """A proxy that leaves no connection, no clock and no task behind."""
    proxy = await Proxy(Endpoint(bridge.address)).start()
    yield proxy
    await proxy.close()
    assert not proxy._links
    left = [task for task in asyncio.all_tasks() if task.get_name().startswith("loom-proxy")]
    if left:
        await asyncio.wait(left, timeout=5)
    assert [task for task in left if not task.done()] == []


@pytest.fixture
def faults(proxy: Proxy) -> Faults:
    return Faults(proxy.rules)


@pytest.fixture
async def through(proxy: Proxy) -> AsyncIterator[Peer]:
    """A peer behind the proxy."""
    async with Peer(proxy.address) as peer:
        yield peer
