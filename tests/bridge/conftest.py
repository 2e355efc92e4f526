"""Peers in namespaces of the test's own, on the bridge that `--loom-bridge` chose."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import grpc
import grpc.aio
import pytest

from loom.testing.v1 import control_pb2 as c
from loom_testing.engine.topics import agent_id_problem
from loom_testing.harness.handle import LoomBridge
from tests.loom_testing.peers import PATIENCE, Peer

Connect = Callable[..., Peer]


@pytest.fixture
async def connect(loom_bridge: LoomBridge) -> AsyncIterator[Connect]:
    """Makes peers, each with a connection of its own: in the test's namespace, or in one named below it."""
    peers: list[Peer] = []

    def make(name: str | None = None, **options: int) -> Peer:
        namespace = loom_bridge.namespace
        if name is not None:
            namespace = below(namespace, name)
        peer = Peer(loom_bridge.address, namespace, **options)
        peers.append(peer)
        return peer

    yield make
    for peer in peers:
        await peer.channel.close()
    await forget(loom_bridge)


@pytest.fixture
async def peer(connect: Connect) -> Peer:
    """One peer in the test's namespace."""
    return connect()


def below(namespace: str, name: str) -> str:
    """A further namespace of the test's; a malformed name stays as it is."""
    return f"{namespace}.{name}" if agent_id_problem(name) is None else name


async def forget(bridge: LoomBridge) -> None:
    """Ends the further namespaces that the tests of this folder make."""
    async with Peer(bridge.address) as peer:
        names = ("ns", "one", "left", "right", "nowhere", "other", "calm", "strict", "elsewhere")
        first, *others = (below(bridge.namespace, name) for name in names)
        try:
            await peer.control.Reset(c.ResetRequest(namespace=first, others=others), timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.NOT_FOUND  # noqa: PT017 - the one that is expected
