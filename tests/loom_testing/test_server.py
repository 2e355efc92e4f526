"""The bridge's services, seen by clients that know only the generated code, or less."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from loom.v1 import action_pb2, stream_pb2
from loom_testing.bridge import FakeBridge
from loom_testing.engine.limits import Limits
from loom_testing.server import server_options
from tests.loom_testing.peers import PATIENCE, Peer, Stream, refused, until

Status = grpc.StatusCode


async def answer(stream: Stream, output: bytes = b"done") -> action_pb2.ActionCall:
    """Answers the next call that comes in on a stream."""
    call = (await stream.read()).action_call
    await stream.send(action_result=action_pb2.ActionResult(id=call.id, output=output))
    return call


# The base level.


# Calls that end early.


async def test_a_thousand_cancels_leave_nothing_behind(bridge, peer, connect):
    stream = await peer.join("a", "t", capabilities=["c"])
    caller = connect()
    driver = bridge.namespaces.find("default")
    tasks_before = len(asyncio.all_tasks())
    for _ in range(10):
        calls = [caller.invoke("c") for _ in range(100)]
        for call in calls[:50]:
            call.cancel()
        await until(lambda: len(driver._calls) >= 50)
        for call in calls[50:]:
            call.cancel()
        await asyncio.wait([asyncio.ensure_future(finished(call)) for call in calls], timeout=PATIENCE)
    await until(lambda: not driver._calls)
    await until(lambda: len(asyncio.all_tasks()) <= tasks_before + 2)
    await stream.send(ping=stream_pb2.HeartbeatRequest())
    events: list[str | None] = []
    while not events or events[-1] != "pong":
        events.append((await stream.read()).WhichOneof("msg"))
    assert set(events) <= {"action_call", "pong"}


async def finished(call) -> None:
    with pytest.raises(asyncio.CancelledError):
        await call


# Namespaces.


async def test_there_are_only_so_many_namespaces(connect):
    async with FakeBridge(limits=Limits(namespaces=2)) as bridge:
        for name in ("one", "two"):
            await connect(name, address=bridge.address).register("a")
        async with refused(Status.RESOURCE_EXHAUSTED) as details:
            await connect("three", address=bridge.address).register("a")
        assert "namespaces" in details[0]
        await connect("one", address=bridge.address).register("b")


# Malformed, oversize, unknown.


async def test_an_oversize_request_ends_that_call_only(connect):
    async with FakeBridge(limits=Limits(message_bytes=10_000)) as bridge:
        peer = connect(address=bridge.address)
        stream = await peer.join("a")
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await peer.invoke("c", payload=b"x" * 20_000)
        assert error.value.code() in {Status.RESOURCE_EXHAUSTED, Status.OUT_OF_RANGE}
        await stream.ping()


def test_the_limits_reach_grpc():
    options = dict(server_options(Limits(message_bytes=1234, connection_streams=56)))
    assert options["grpc.max_receive_message_length"] == 1234
    assert options["grpc.max_concurrent_streams"] == 56
    assert options["grpc.so_reuseport"] == 0


# Reflection.


async def services(peer: Peer) -> set[str]:
    stub: Any = ServerReflectionStub
    call = stub(peer.channel).ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    response = await call.read()
    await call.done_writing()
    return {service.name for service in response.list_services_response.service}


async def test_reflection_hides_the_control_where_it_is_not_served(connect):
    async with FakeBridge() as bridge:
        assert "loom.testing.v1.Control" not in await services(connect(address=bridge.address))
