"""A bridge for each test, and peers that are closed with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from loom_testing.bridge import FakeBridge
from tests.loom_testing.peers import Peer


@pytest.fixture
async def bridge() -> AsyncIterator[FakeBridge]:
    """A bridge for testing, which leaves no task behind."""
    async with FakeBridge(testing=True) as bridge:
        before = asyncio.all_tasks()
        yield bridge
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        await asyncio.wait(left, timeout=5)  # gRPC's own take a turn of the loop to end
    assert [task for task in left if not task.done()] == []


@pytest.fixture
async def connect(bridge: FakeBridge) -> AsyncIterator[Callable[..., Peer]]:
    """Makes peers, each with a connection of its own, to the test's bridge unless told otherwise."""
    peers: list[Peer] = []

    def make(namespace: str | None = None, *, address: str | None = None, **options: int) -> Peer:
        peer = Peer(address or bridge.address, namespace, **options)
        peers.append(peer)
        return peer

    yield make
    for peer in peers:
        await peer.channel.close()


@pytest.fixture
async def peer(connect: Callable[..., Peer]) -> Peer:
    """One peer in the default namespace."""
    return connect()


@pytest.fixture
def reset_logging() -> Iterator[None]:
    """Puts logging back as it was."""
    root, ours = logging.getLogger(), logging.getLogger("loom_testing")
    handlers, level, ours_level = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(ours_level)
