"""The health service."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from loom_testing.bridge import FakeBridge
from tests.loom_testing.peers import PATIENCE, Peer

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def health(peer: Peer) -> Any:
    return HealthStub(peer.channel)


async def test_a_watcher_hears_when_the_bridge_stops(connect):
    async with FakeBridge() as bridge:
        watch = health(connect(address=bridge.address)).Watch(health_pb2.HealthCheckRequest())
        unknown = health(connect(address=bridge.address)).Watch(
            health_pb2.HealthCheckRequest(service="nothing")
        )
        assert (await watch.read()).status == SERVING
        assert (await unknown.read()).status == SERVICE_UNKNOWN
        stopping = asyncio.create_task(bridge.stop())
        async with asyncio.timeout(PATIENCE):
            assert (await watch.read()).status == NOT_SERVING
            assert await watch.read() is grpc.aio.EOF
            assert await watch.code() is grpc.StatusCode.OK
            await stopping


async def test_a_draining_bridge_is_not_serving(connect):
    async with FakeBridge() as bridge:
        peer = connect(address=bridge.address)
        stream = await peer.join("a", capabilities=["c"], features=["drain"])
        calling = peer.invoke("c")
        await stream.read()
        stopping = asyncio.create_task(bridge.stop(grace=PATIENCE))
        assert (await stream.read()).WhichOneof("msg") == "drain"
        response = await health(peer).Check(health_pb2.HealthCheckRequest())
        assert response.status == NOT_SERVING
        calling.cancel()
        await stopping
