"""A test with a fresh isolated bridge: one agent, one capability call, teardown.

Ours is what the fixtures do for each test: a new namespace on a bridge that serves the whole run, an agent
connected, a call from outside, everything stopped. The bridge is the fake in memory, the fake over gRPC in a
process of its own, or the Rust bridge. Beside it FastStream's TestNatsBroker (enter, one request, exit; no
sockets).

Two floors are bare grpc.aio: the same calls in the same order to a server in a process of its own, which is
what our way of testing costs without us; and a fresh server with one unary call and teardown.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from benchmarks import bridges, peers
from benchmarks.machine import installed
from benchmarks.measure import Contestant, Row, Turn, timed
from benchmarks.players.grpc_calls import BYE, SERVICE
from benchmarks.processes import playing
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
async def bare_calls() -> AsyncIterator[Turn]:
    """The floor of a test with a bridge: its gRPC calls, in their order, and nothing else."""

    async def once(address: str) -> None:
        async with grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            register: Any = channel.unary_unary(f"/{SERVICE}/Register")
            ask: Any = channel.unary_unary(f"/{SERVICE}/Call")
            opened: Any = channel.stream_stream(f"/{SERVICE}/Stream")
            await register(PAYLOAD)
            stream = opened()
            await _there_and_back(stream)
            _, answer = await asyncio.gather(_answer_one(stream), ask(PAYLOAD))
            assert answer == PAYLOAD
            await register(PAYLOAD)  # nothing new from here on
            await _there_and_back(stream)  # what was on its way has come in
            await stream.write(BYE)
            assert await stream.read() is grpc.aio.EOF

    async with playing("grpc_calls", "server") as server, grpc.aio.insecure_channel(server.address):
        yield timed(partial(once, server.address))


async def _there_and_back(stream: Any) -> None:
    await stream.write(PAYLOAD)
    assert await stream.read() == PAYLOAD


async def _answer_one(stream: Any) -> None:
    await stream.write(await stream.read())


@asynccontextmanager
async def loom(kind: str) -> AsyncIterator[Turn]:
    """Ours: what the fixture `loom_bridge` does for each test, on the bridge that serves the run."""
    host = choose(kind, "the benchmark").open()

    async def once() -> None:
        bridge = LoomBridge(host)
        agent = Agent("counter")

        @agent.capability("text.length")
        async def length(text: str) -> int:
            return len(text)

        async with bridge.run(agent):
            assert await bridge.call("text.length", text=TEXT) == len(TEXT)
        bridge.close(at_once=False)  # as after a test that left nothing behind

    try:
        yield timed(once)
    finally:
        host.close()


ROW = Row(
    name="fresh_fake",
    job="a test with a fresh isolated bridge: one agent, one capability call of 256 bytes, teardown",
    contestants=[
        Contestant("loom memory", partial(loom, "memory"), versions=partial(bridges.versions, "fake")),
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
        Contestant("bare grpc.aio, the same calls (floor)", bare_calls, versions=installed),
        Contestant("bare grpc.aio, a fresh server and one call (floor)", bare_grpc, versions=installed),
    ],
    targets=[
        Target("loom memory", "p50", 5.0),
        Target("loom memory", "p50", 1.0, beside="TestNatsBroker"),
        Target("loom rust", "p50", 5.0),
        Target("loom rust", "p50", 1.0, beside="TestNatsBroker"),
    ],
    one_core=True,
)
