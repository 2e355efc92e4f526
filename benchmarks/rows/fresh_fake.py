"""A test with a fresh isolated fake: one agent, one capability call, teardown.

Ours is what the fixtures do for each test: a new namespace on a fake that serves the whole run, an agent
connected over real gRPC, a call from a second participant, everything stopped. Beside it FastStream's
TestNatsBroker (enter, one request, exit; no sockets), and as the floor a fresh grpc.aio server with one
unary call and teardown.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from faststream.nats import NatsBroker, TestNatsBroker

from benchmarks.measure import Once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAYLOAD = "x" * 256


@asynccontextmanager
async def test_nats_broker() -> AsyncIterator[Once]:
    """FastStream's in-memory broker, as its users write their tests."""
    broker = NatsBroker()

    @broker.subscriber("text.length")
    async def length(text: str) -> int:
        return len(text)

    async def once() -> None:
        async with TestNatsBroker(broker) as test:
            answer = await test.request(PAYLOAD, "text.length")
            assert await answer.decode() == len(PAYLOAD)

    yield once


@asynccontextmanager
async def bare_grpc() -> AsyncIterator[Once]:
    """The floor: what a server, a channel and one call cost without anything of ours."""

    async def echo(request: bytes, context: object) -> bytes:
        return request

    methods = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    handler = grpc.method_handlers_generic_handler("bench.Echo", methods)

    async def once() -> None:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((handler,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call: Any = channel.unary_unary("/bench.Echo/Echo")
            assert await call(PAYLOAD.encode()) == PAYLOAD.encode()
        await server.stop(None)

    yield once
