"""Events from a Python publisher through a bridge to a Python subscriber, three processes.

The publisher waits for no confirmation, as NATS' publishers do not: both hand over as fast as they are let,
and the clock stops when the subscriber's handler has seen the last event. Loom's events carry an id, the
sender and the thread by themselves; NATS' messages carry the same in headers, and once more nothing, for
what headers cost. The floor is one hop of bare grpc.aio, without a bridge in between.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import bridges, peers
from benchmarks.machine import installed
from benchmarks.measure import Contestant, Row, Turn
from benchmarks.processes import Player, playing
from benchmarks.targets import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["EVENTS", "ROW", "loom"]

EVENTS = 10_000
"""So many are published at a stretch."""


@asynccontextmanager
async def loom(kind: str, events: int = EVENTS) -> AsyncIterator[Turn]:
    """Two agents on a bridge."""
    async with (
        bridges.bridge(kind) as address,
        playing("loom_agents", "subscriber", address) as subscriber,
        playing("loom_agents", "publisher", address) as publisher,
    ):
        yield _stretches(publisher, subscriber, events)


@asynccontextmanager
async def nats(publishes: str) -> AsyncIterator[Turn]:
    """Two clients on a nats-server."""
    async with (
        peers.nats_server() as address,
        playing("nats_clients", "subscriber", address) as subscriber,
        playing("nats_clients", publishes, address) as publisher,
    ):
        yield _stretches(publisher, subscriber, EVENTS)


@asynccontextmanager
async def floor(floods: str) -> AsyncIterator[Turn]:
    """A client that writes to a server."""
    async with (
        playing("grpc_echo", "server") as server,
        playing("grpc_echo", floods, server.address) as client,
    ):
        yield _stretches(client, server, EVENTS)


def _stretches(publisher: Player, subscriber: Player, events: int) -> Turn:
    """The turn that has so many events published, and times until the last has arrived."""

    async def turn(times: int) -> list[float]:
        samples = []
        for _ in range(times):
            began = time.perf_counter()
            await asyncio.gather(subscriber.turn(events), publisher.turn(events))
            samples.append((time.perf_counter() - began) * 1000)
        return samples

    return turn


ROW = Row(
    name="events",
    job="events of 256 bytes, Python publisher -> bridge -> Python subscriber, unconfirmed",
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
            partial(nats, "publisher"),
            peer=True,
            missing=peers.nats_missing,
            versions=peers.nats_versions,
        ),
        Contestant(
            "nats-py, no metadata",
            partial(nats, "publisher_bare"),
            peer=True,
            missing=peers.nats_missing,
            versions=peers.nats_versions,
        ),
        Contestant("bare grpc.aio, one hop (floor)", partial(floor, "flood"), versions=installed),
        Contestant("the same in batches of 64 (floor)", partial(floor, "flood_batches"), versions=installed),
    ],
    targets=[Target("loom rust", "per_second", 1.5, beside="nats-py")],
    times=3,
    operations=EVENTS,
)
