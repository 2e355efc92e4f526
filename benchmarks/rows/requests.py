"""A request and its reply through a bridge, Python at both ends, three processes, one after the other.

Both carry the same metadata both ways; NATS' do so in headers, and once more without. The floor is one
message there and back on a stream of bare grpc.aio, without a bridge in between.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import bridges, peers
from benchmarks.machine import installed
from benchmarks.measure import Contestant, Row, Turn
from benchmarks.processes import playing
from benchmarks.targets import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["ROW", "loom"]


@asynccontextmanager
async def loom(kind: str) -> AsyncIterator[Turn]:
    """Two agents on a bridge."""
    async with (
        bridges.bridge(kind) as address,
        playing("loom_agents", "replier", address),
        playing("loom_agents", "requester", address) as requester,
    ):
        yield requester.turn


@asynccontextmanager
async def nats(replies: str, requests: str) -> AsyncIterator[Turn]:
    """Two clients on a nats-server."""
    async with (
        peers.nats_server() as address,
        playing("nats_clients", replies, address),
        playing("nats_clients", requests, address) as requester,
    ):
        yield requester.turn


@asynccontextmanager
async def floor() -> AsyncIterator[Turn]:
    """A client and a server that echoes."""
    async with (
        playing("grpc_echo", "server") as server,
        playing("grpc_echo", "stream", server.address) as client,
    ):
        yield client.turn


ROW = Row(
    name="requests",
    job="request -> reply through the bridge, 256 bytes each way, Python at both ends, one after the other",
    contestants=[
        Contestant(
            "loom rust",
            partial(loom, "rust"),
            missing=partial(bridges.missing, "rust"),
            versions=partial(bridges.versions, "rust"),
        ),
        Contestant("loom fake", partial(loom, "fake"), versions=partial(bridges.versions, "fake")),
        Contestant(
            "nats-py",
            partial(nats, "replier", "requester"),
            peer=True,
            missing=peers.nats_missing,
            versions=peers.nats_versions,
        ),
        Contestant(
            "nats-py, no metadata",
            partial(nats, "replier_bare", "requester_bare"),
            peer=True,
            missing=peers.nats_missing,
            versions=peers.nats_versions,
        ),
        Contestant("bare grpc.aio stream, one hop (floor)", floor, versions=installed),
    ],
    targets=[
        Target("loom rust", "p50", 1.0, beside="nats-py"),
        Target("loom rust", "p99", 1.0, beside="nats-py"),
    ],
    times=300,
)
