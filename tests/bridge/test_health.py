"""The health service."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from tests.loom_testing.peers import MALFORMED, Peer, refused

SERVING = health_pb2.HealthCheckResponse.SERVING


NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def health(peer: Peer) -> Any:
    return HealthStub(peer.channel)


@pytest.mark.parametrize("service", ["", "loom.v1.Bridge", "loom.v1.ActionBroker", "loom.testing.v1.Control"])
async def test_what_is_served_is_serving(peer, service):
    response = await health(peer).Check(health_pb2.HealthCheckRequest(service=service))
    assert response.status == SERVING


async def test_what_is_not_there_is_not_found(peer):
    async with refused(grpc.StatusCode.NOT_FOUND):
        await health(peer).Check(health_pb2.HealthCheckRequest(service="nothing"))


@pytest.mark.parametrize("method", ["Check"])
async def test_malformed_bytes(peer, method):
    async with refused(*MALFORMED):
        await peer.raw(f"/grpc.health.v1.Health/{method}", b"\xff")


async def test_malformed_bytes_to_watch(peer):
    async with refused(*MALFORMED):
        await peer.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\xff").read()
