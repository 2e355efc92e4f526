"""The bridge's services, seen by clients that know only the generated code, or less."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from loom.testing.v1 import control_pb2
from loom.v1 import action_pb2, stream_pb2
from tests.loom_testing.peers import MALFORMED, PATIENCE, Peer, Stream, refused

pytestmark = pytest.mark.loom(clock="real")

Status = grpc.StatusCode


UNARY = [
    "/loom.v1.Bridge/RegisterAgent",
    "/loom.v1.Bridge/ForwardAction",
    "/loom.v1.Bridge/Heartbeat",
    "/loom.v1.ActionBroker/ListCapabilities",
    "/loom.v1.ActionBroker/Invoke",
]


async def answer(stream: Stream, output: bytes = b"done") -> action_pb2.ActionCall:
    """Answers the next call that comes in on a stream."""
    call = (await stream.read()).action_call
    await stream.send(action_result=action_pb2.ActionResult(id=call.id, output=output))
    return call


# The base level.


async def test_a_base_level_conversation(connect):
    one, two = connect(), connect()
    response = await one.register("one", "greetings.*", capabilities=["double"])
    assert response.success
    assert list(response.features) == []
    hearer, speaker = await one.open("one"), await two.join("two")
    await speaker.publish("greetings.world", b"hello")
    assert (await hearer.delivery()).event.payload == b"hello"
    calling = two.invoke("double", id="mine", payload=b"21")
    given = await answer(hearer, b"42")
    assert (given.capability, given.payload) == ("double", b"21")
    result = await calling
    assert (result.id, result.status, result.output) == ("mine", action_pb2.ACTION_OK, b"42")
    await hearer.ping()


async def test_the_unary_heartbeat(peer):
    response = await peer.bridge.Heartbeat(stream_pb2.HeartbeatRequest(timestamp_ms=12))
    assert (response.timestamp_ms, response.status) == (12, "ok")


async def test_the_older_name_routes_the_same(peer):
    stream = await peer.join("a", capabilities=[action_pb2.CapabilityDescriptor(name="c", version="2")])
    listed = await peer.broker.ListCapabilities(action_pb2.ListCapabilitiesRequest(), metadata=peer.metadata)
    assert [(item.name, item.version) for item in listed.capabilities] == [("c", "2")]
    calling = peer.broker.Invoke(
        action_pb2.ActionCall(capability="c"), metadata=peer.metadata, timeout=PATIENCE
    )
    await answer(stream)
    assert (await calling).output == b"done"


async def test_a_refused_registration_is_no_grpc_error(peer):
    response = await peer.register("not an id")
    assert not response.success
    assert "not an id" in response.error_message
    assert response.error_code == "INVALID_AGENT_ID"


async def test_a_refused_registration_tells_the_limits_too(peer):
    """A limit may be what it was refused for."""
    accepted = await peer.register("a")
    await peer.open("a")
    response = await peer.register("a", "a..b")
    assert not response.success
    assert (response.limits, response.server) == (accepted.limits, accepted.server)


async def test_nobody_there_is_an_answer(peer):
    result = await peer.invoke("nothing")
    assert (result.status, result.error.code) == (action_pb2.ACTION_ERROR, "NOT_FOUND")


# Calls that end early.


async def test_a_caller_that_leaves_is_told_to_the_provider(peer, connect):
    stream = await peer.join("a", capabilities=["c"], features=["cancel"])
    calling = connect().invoke("c")
    given = (await stream.read()).action_call
    calling.cancel()
    assert (await stream.read()).action_cancel == action_pb2.ActionCancel(id=given.id, code="CANCELLED")


async def test_a_caller_whose_deadline_passes_is_told_to_the_provider(peer, connect):
    stream = await peer.join("a", capabilities=["c"], features=["cancel"])
    # Long enough for the call to reach its provider before, on a busy machine too: this time is gRPC's.
    calling = peer.bridge.ForwardAction(
        action_pb2.ActionCall(capability="c"), metadata=peer.metadata, timeout=2
    )
    given = (await stream.read()).action_call
    # Both ends keep the time, and where the bridge's is first, its gRPC stack has a name of its own for it.
    async with refused(Status.DEADLINE_EXCEEDED, Status.CANCELLED):
        await calling
    assert (await stream.read()).action_cancel == action_pb2.ActionCancel(id=given.id, code="CANCELLED")


# Namespaces.


async def test_namespaces_are_apart(connect):
    default, left, right = connect(), connect("left"), connect("right")
    streams = [await peer.join("a", "t", capabilities=["c"]) for peer in (default, left, right)]
    await streams[1].publish("t", b"left")
    assert (await streams[1].delivery()).event.payload == b"left"
    for stream in (streams[0], streams[2]):
        await stream.ping()
    calling = right.invoke("c")
    await answer(streams[2], b"right")
    assert (await calling).output == b"right"
    nowhere = await connect("nowhere").invoke("c")
    assert nowhere.error.code == "NOT_FOUND"


async def test_no_namespace_is_the_default_one(loom_bridge):
    async with Peer(loom_bridge.address) as one, Peer(loom_bridge.address, "default") as two:
        stream = await one.join("a", "t")
        await (await two.join("b")).publish("t", b"x")
        assert (await stream.delivery()).event.payload == b"x"
        await one.control.Reset(control_pb2.ResetRequest(namespace="default"))


@pytest.mark.parametrize("method", UNARY)
async def test_a_malformed_namespace_is_refused(connect, method):
    async with refused(Status.INVALID_ARGUMENT) as details:
        await connect("not a name").raw(method, b"")
    assert '"not a name"' in details[0]


async def test_a_malformed_namespace_is_refused_on_the_stream(connect):
    status, details, _ = await connect("not a name").open_raw().end()
    assert status is Status.INVALID_ARGUMENT
    assert '"not a name"' in details


async def test_a_namespace_is_named_once(peer):
    twice = (("loom-namespace", "a"), ("loom-namespace", "b"))
    async with refused(Status.INVALID_ARGUMENT):
        await peer.bridge.Heartbeat(stream_pb2.HeartbeatRequest(), metadata=twice)


async def test_a_reset_namespace_ends_its_open_calls(peer, connect):
    await peer.join("a", capabilities=["c"])
    calling = connect().invoke("c")
    looked_at = control_pb2.SnapshotRequest(namespace=peer.namespace)
    while not (await peer.control.Snapshot(looked_at)).calls:
        pass
    await peer.control.Reset(control_pb2.ResetRequest(namespace=peer.namespace))
    result = await calling
    assert (result.status, result.error.code) == (action_pb2.ACTION_RETRYABLE, "NAMESPACE_RESET")


# Malformed, oversize, unknown.


@pytest.mark.parametrize("method", UNARY)
@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x05ab", b"\x0b" * 1000], ids=["tag", "cut", "groups"])
async def test_malformed_bytes_end_that_call_only(peer, connect, method, data):
    other = await connect().join("other", "t")
    async with refused(*MALFORMED):
        await peer.raw(method, data)
    await other.ping()


@pytest.mark.parametrize("method", ["/loom.v1.Bridge/RegisterAgent", "/loom.v1.Bridge/ForwardAction"])
@pytest.mark.parametrize(
    "data",
    [
        b"\x08\x01",
        b"\x20\x01\x28\x01",
        b"\x00\x05",
        b"\xf8\x7f" + b"\xff" * 9 + b"\x02",
        b"\x8a\x80\x80\x80\x80\x00\x00",
        b"\x0a\x81\x80\x80\x80\x80\x00x",
    ],
    ids=["another wire type", "a map likewise", "field 0", "65 bits", "a tag of six", "a length of six"],
)
async def test_what_only_some_protobuf_libraries_read_is_refused(peer, method, data):
    """So that it depends on no library what a bridge takes (LIM-2)."""
    async with refused(Status.INVALID_ARGUMENT):
        await peer.raw(method, data)


@pytest.mark.parametrize(
    "method",
    ["/loom.v1.Bridge/Nothing", "/loom.v1.Nothing/RegisterAgent", "/loom.v1.Bridge/ForwardActionStream"],
)
async def test_an_unknown_method_is_unimplemented(peer, method):
    async with refused(Status.UNIMPLEMENTED):
        await peer.raw(method, b"")


@pytest.mark.over_grpc
@pytest.mark.parametrize("method", UNARY)
@pytest.mark.parametrize("data", [b"", b"\0\0\0\0\x64\x08\x01"], ids=["nothing", "half"])
async def test_a_call_that_is_closed_without_a_whole_message_ends(loom_bridge, method, data):
    """In plain HTTP/2, as no gRPC client closes a call like that (LIM-2)."""
    host, port = loom_bridge.address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    fields = {":method": "POST", ":scheme": "http", ":path": method, ":authority": "bridge"}
    fields |= {"content-type": "application/grpc", "te": "trailers"}
    block = b"".join(b"\0" + text(name) + text(value) for name, value in fields.items())
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS))
    writer.write(frame(HEADERS, block, flags=END_HEADERS, stream=1))
    writer.write(frame(DATA, data, flags=END_STREAM, stream=1))
    async with asyncio.timeout(PATIENCE):
        while (await read_frame(reader)) != (HEADERS, END_STREAM | END_HEADERS):
            pass
    writer.close()


def text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()


@pytest.mark.over_grpc
async def test_random_bytes_on_the_port_harm_nobody(loom_bridge, connect):
    stream = await connect().join("a")
    host, port = loom_bridge.address.rsplit(":", 1)
    draw = random.Random(1).randbytes
    for _ in range(20):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(draw(500))
        with contextlib.suppress(OSError):  # the bridge may have hung up already
            writer.write_eof()
            await reader.read()
        writer.close()
    await stream.ping()


async def test_random_messages_end_nothing_but_their_own_calls(connect):
    other, hostile = await connect().join("other", "t"), connect()
    draw = random.Random(1).randbytes
    for number in range(200):
        data = draw(number)
        call = hostile.channel.stream_stream("/loom.v1.Bridge/EventStream")(metadata=hostile.metadata)
        await call.write(data)
        await call.done_writing()
        with contextlib.suppress(grpc.aio.AioRpcError):
            await call.read()
        assert await call.code() in MALFORMED  # or no handshake
        with contextlib.suppress(grpc.aio.AioRpcError):
            await hostile.raw(UNARY[number % len(UNARY)], data)
    await other.ping()


@pytest.mark.over_grpc
async def test_a_client_may_ping_the_connection_as_often_as_it_likes(loom_bridge):
    """In plain HTTP/2: a thousand PINGs are all acknowledged, and no GOAWAY comes."""
    host, port = loom_bridge.address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS))
    acknowledged = 0
    async with asyncio.timeout(PATIENCE):
        for number in range(1000):
            writer.write(frame(PING, payload=number.to_bytes(8, "big")))
            await writer.drain()
            while acknowledged <= number:
                kind, flags = await read_frame(reader)
                assert kind != GOAWAY
                acknowledged += kind == PING and flags == 1
    writer.close()


DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, int]:
    header = await reader.readexactly(9)
    await reader.readexactly(int.from_bytes(header[:3], "big"))
    return header[3], header[4]


# Reflection.


async def services(peer: Peer) -> set[str]:
    stub: Any = ServerReflectionStub
    call = stub(peer.channel).ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    response = await call.read()
    await call.done_writing()
    return {service.name for service in response.list_services_response.service}


@pytest.mark.over_grpc
async def test_reflection_lists_the_services(peer):
    assert {name for name in await services(peer) if "reflection" not in name} == {
        "grpc.health.v1.Health",
        "loom.testing.v1.Control",
        "loom.v1.ActionBroker",
        "loom.v1.Bridge",
    }
