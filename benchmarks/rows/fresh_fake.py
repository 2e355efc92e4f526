"""A test with a fresh isolated bridge: one agent, one capability call, teardown.

Ours is what the fixtures do for each test: a new namespace on a bridge that serves the whole run from a
process of its own (the fake, or the Rust bridge), an agent connected over real gRPC, a call from outside,
everything stopped. Beside it FastStream's TestNatsBroker (enter, one request, exit; no sockets), and as the
floor a fresh grpc.aio server with one unary call and teardown.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from benchmarks import bridges, peers
from benchmarks.machine import installed
from benchmarks.measure import Contestant, Row, Turn, timed
from benchmarks.targets import Target
from benchmarks.work import PAYLOAD, TEXT
from loom import Agent
from loom_testing.harness.handle import LoomBridge
from loom_testing.harness.kinds import choose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["ROW", "loom"]


@asynccontextmanager
async def test_nats_broker() -> AsyncIterator[Turn]:
    """FastStream's in-memory broker, as its users write their tests."""
    from faststream.nats import NatsBroker, TestNatsBroker

    broker = NatsBroker()

    @broker.subscriber("text.length")  # type: ignore[untyped-decorator,unused-ignore]  # not installed for mypy
    async def length(text: str) -> int:
        return len(text)

    async def once() -> None:
        async with TestNatsBroker(broker) as test:
            answer = await test.request(TEXT, "text.length")
            assert await answer.decode() == len(TEXT)

    yield timed(once)


@asynccontextmanager
async def bare_grpc() -> AsyncIterator[Turn]:
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
            assert await call(PAYLOAD) == PAYLOAD
        await server.stop(None)

    yield timed(once)


@asynccontextmanager
async def loom(kind: str) -> AsyncIterator[Turn]:
    """Ours: what the fixture `loom_bridge` does for each test, on the bridge that serves the run."""
    host = choose(kind, "the benchmark").open()

    async def once() -> None:
        bridge = LoomBridge(host)
        agent = Agent("counter")

        @agent.capability("text.length")
        def length(text: str) -> int:
            return len(text)

        async with bridge.run(agent):
            assert await bridge.call("text.length", text=TEXT) == len(TEXT)
        bridge.close()

    try:
        yield timed(once)
    finally:
        host.close()


ROW = Row(
    name="fresh_fake",
    job="a test with a fresh isolated bridge: one agent, one capability call of 256 bytes, teardown",
    contestants=[
        Contestant("loom fake", partial(loom, "fake"), versions=partial(bridges.versions, "fake")),
        Contestant(
            "loom rust",
            partial(loom, "rust"),
            missing=partial(bridges.missing, "rust"),
            versions=partial(bridges.versions, "rust"),
        ),
        Contestant(
            "TestNatsBroker",
            test_nats_broker,
            peer=True,
            missing=peers.faststream_missing,
            versions=partial(installed, "faststream", "nats-py"),
        ),
        Contestant("bare grpc.aio (floor)", bare_grpc, versions=installed),
    ],
    targets=[
        Target("loom fake", "p50", 5.0),
        Target("loom fake", "p50", 1.0, beside="TestNatsBroker"),
        Target("loom rust", "p50", 5.0),
    ],
)
