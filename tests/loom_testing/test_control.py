"""The testing control, over real gRPC."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from loom.testing.v1 import control_pb2 as c
from loom_testing import advance as advance_module
from loom_testing.bridge import FakeBridge
from loom_testing.engine.inputs import Tick
from tests.loom_testing.peers import refused, until

Status = grpc.StatusCode
SECOND = 1_000_000


async def snapshot(peer, namespace: str = "ns") -> c.SnapshotResponse:
    return await peer.control.Snapshot(c.SnapshotRequest(namespace=namespace))


async def create(peer, namespace: str = "ns", *, virtual: bool = True, **fields) -> int:
    request = c.CreateNamespaceRequest(namespace=namespace, virtual_clock=virtual, **fields)
    return (await peer.control.CreateNamespace(request)).now_us


async def advance(peer, by_us: int, namespace: str = "ns") -> c.AdvanceResponse:
    return await peer.control.Advance(c.AdvanceRequest(namespace=namespace, by_us=by_us))


# Where it is.


@pytest.mark.parametrize(
    "method",
    [
        *("CreateNamespace", "Advance", "Jump", "Participate"),
        *("Snapshot", "Disconnect", "Hold", "Release", "Reset", "Watch"),
    ],
)
async def test_without_testing_it_is_not_there(connect, method):
    async with FakeBridge() as bridge, refused(Status.UNIMPLEMENTED):
        await connect(address=bridge.address).raw(f"/loom.testing.v1.Control/{method}", b"")


# CreateNamespace.


# Advance.


async def test_an_advance_that_fires_too_much_says_where_it_stopped(peer, connect, monkeypatch):
    monkeypatch.setattr(advance_module, "MOST_DEADLINES", 2)
    start = await create(peer)
    for number in range(3):
        await connect("ns").register(f"a{number}")
        await advance(peer, SECOND)
    async with refused(Status.RESOURCE_EXHAUSTED) as details:
        await advance(peer, 60 * SECOND)
    assert str(start + 31 * SECOND) in details[0]


# Snapshot.


# Disconnect, Hold, Release, Reset.


# Watch.


async def watch(peer, namespace: str = "ns"):
    call = peer.control.Watch(c.WatchRequest(namespace=namespace))
    await call.initial_metadata()
    return call


async def test_a_later_watcher_is_told_what_was_kept_if_it_asks(bridge, peer):
    await create(peer, "mine")
    bridge.namespaces.get("ordinary")
    for namespace in ("mine", "ordinary"):
        bridge.namespaces.find(namespace).feed(Tick())
    lines = peer.control.Watch(c.WatchRequest(kept=True))
    assert [(line.namespace, "tick" in line.line) for line in [await lines.read()]] == [("mine", True)]
    bridge.namespaces.find("ordinary").feed(Tick())
    assert (await lines.read()).namespace == "ordinary"


async def test_a_watcher_that_leaves_is_forgotten(bridge, peer):
    await create(peer)
    lines = await watch(peer)
    assert bridge.namespaces.find("ns").watch is not None
    lines.cancel()
    await until(lambda: bridge.namespaces.find("ns").watch is None)
