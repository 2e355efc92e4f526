"""A test with a fresh isolated fake: one agent, one capability call, teardown.

Ours is what the fixtures do for each test: a new namespace on a fake that serves the whole run, an agent
connected over real gRPC, a call from a second participant, everything stopped. Beside it FastStream's
TestNatsBroker (enter, one request, exit; no sockets), and as the floor a fresh grpc.aio server with one
unary call and teardown.
"""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from faststream.nats import NatsBroker, TestNatsBroker

from benchmarks.measure import Contestant, Once, Row
from loom import Agent, Endpoint
from loom_testing import FakeBridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAYLOAD = "x" * 256


@asynccontextmanager
async def test_nats_broker() -> AsyncIterator[Once]:
    """FastStream's in-memory broker, as its users write their tests."""
    broker = NatsBroker()

    @broker.subscriber("text.length")  # type: ignore[untyped-decorator,unused-ignore]  # not installed for mypy
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

    methods: dict[str, Any] = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
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


@asynccontextmanager
async def loom_fake() -> AsyncIterator[Once]:
    """Ours: what the fixtures do for each test of an agent with one capability."""
    async with FakeBridge(testing=True) as bridge:
        numbers = itertools.count()

        async def once() -> None:
            endpoint = Endpoint(bridge.address, namespace=f"test-{next(numbers)}")
            agent = Agent("counter", endpoint=endpoint)

            @agent.capability("text.length")
            def length(text: str) -> int:
                return len(text)

            caller = Agent("caller", endpoint=endpoint)
            async with agent, caller:
                assert await caller.context().tool("text.length", text=PAYLOAD) == len(PAYLOAD)

        yield once


ROW = Row(
    name="fresh_fake",
    job="a test with a fresh isolated fake: one agent, one capability call of 256 bytes, teardown",
    contestants=[
        Contestant("loom fake", loom_fake),
        Contestant("TestNatsBroker", test_nats_broker, peer=True, distributions=("faststream", "nats-py")),
        Contestant("bare grpc.aio (floor)", bare_grpc),
    ],
    target="p50 at most 5 ms, and below TestNatsBroker in the same run",
)
