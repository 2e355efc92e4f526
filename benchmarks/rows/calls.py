"""A capability call through a bridge, Python at both ends, three processes, one call after the other.

Beside it a message to an agent of another worker by AutoGen's gRPC runtime, which is its remote call. Both
take a text of 256 characters and give it back, through their own JSON. The floor is a unary call of bare
grpc.aio without a bridge in between.
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
        playing("loom_agents", "provider", address),
        playing("loom_agents", "caller", address) as caller,
    ):
        yield caller.turn


@asynccontextmanager
async def autogen() -> AsyncIterator[Turn]:
    """Two workers on a host."""
    player = partial(playing, "autogen_agents", python=peers.autogen_python())
    async with (
        player("host") as host,
        player("provider", host.address),
        player("caller", host.address) as caller,
    ):
        yield caller.turn


@asynccontextmanager
async def floor() -> AsyncIterator[Turn]:
    """A client and a server that echoes."""
    async with (
        playing("grpc_echo", "server") as server,
        playing("grpc_echo", "call", server.address) as client,
    ):
        yield client.turn


ROW = Row(
    name="calls",
    job="capability call through the bridge, a text of 256 bytes and back, Python at both ends",
    contestants=[
        Contestant(
            "loom rust",
            partial(loom, "rust"),
            missing=partial(bridges.missing, "rust"),
            versions=partial(bridges.versions, "rust"),
        ),
        Contestant("loom fake", partial(loom, "fake"), versions=partial(bridges.versions, "fake")),
        Contestant(
            "AutoGen gRPC worker runtime",
            autogen,
            peer=True,
            missing=peers.autogen_missing,
            versions=peers.autogen_versions,
        ),
        Contestant("bare grpc.aio unary, one hop (floor)", floor, versions=installed),
    ],
    targets=[Target("loom rust", "p50", 0.3, beside="AutoGen gRPC worker runtime")],
    times=300,
)
