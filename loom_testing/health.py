"""grpc.health.v1.Health: whether the bridge takes work.

Written here, although a package offers it: that one's Watch keeps a lock while it writes, so a watcher that
does not read would keep the bridge from ever saying that it stops.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from loom_testing import codec
from loom_testing.unary import unary, unary_stream

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

__all__ = ["SERVICE", "Health"]

SERVICE = "grpc.health.v1.Health"


class Health:
    """SERVING from its creation until `stop`, for the whole bridge ("") and for each service named."""

    def __init__(self, services: list[str]) -> None:
        self._services = frozenset(["", *services])
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """From now on NOT_SERVING. Watchers hear of it, and their calls end."""
        self._stopping.set()

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """What to add to a server."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Check": unary(self._check),
            "Watch": unary_stream(self._watch),
        }
        return [grpc.method_handlers_generic_handler(SERVICE, methods)]

    async def _check(self, data: bytes, context: Context) -> bytes:
        service = await _service(data, context)
        if service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {service[:200]!r} here")
        return self._response(service)

    async def _watch(self, data: bytes, context: Context) -> None:
        service = await _service(data, context)
        await context.write(self._response(service))
        if not self._stopping.is_set():
            await self._stopping.wait()
            await context.write(self._response(service))

    def _response(self, service: str) -> bytes:
        response = health_pb2.HealthCheckResponse()
        if service not in self._services:
            response.status = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        elif self._stopping.is_set():
            response.status = health_pb2.HealthCheckResponse.NOT_SERVING
        else:
            response.status = health_pb2.HealthCheckResponse.SERVING
        return response.SerializeToString()


async def _service(data: bytes, context: Context) -> str:
    try:
        return codec.parse(health_pb2.HealthCheckRequest, data).service
    except codec.Malformed as problem:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(problem))
