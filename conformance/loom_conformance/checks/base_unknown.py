"""BASE-5 to BASE-7: what the bridge does not know, the broker's older name, health and reflection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.v1 import action_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.checks.base_wire import (
    ACK,
    CALL,
    FORWARD,
    HEARTBEAT,
    LIST,
    PING,
    PUBLISH,
    REGISTER,
    RESULT,
    member,
    unary,
)
from loom_conformance.steps import answered_without, given, payloads
from loom_conformance.stream import PATIENCE, End
from loom_conformance.wire import decode, encode, one

if TYPE_CHECKING:
    from loom_conformance.peer import Peer

NEWS = encode((150, b"news"), (151, 7), (2_000_000, "more news")) + b"\xc5\x0cnews\xc1\x0clatenews"
"""Fields of every wire type that nobody knows yet: the last two are fixed ones, of 32 and 64 bits."""
SERVING = 1
HEALTH = "/grpc.health.v1.Health/Check"
SERVICES = {"loom.v1.Bridge", "loom.v1.ActionBroker"}


# BASE-5: what the bridge does not know.


@check("BASE-5.1")
async def unknown_fields_in_unary_requests(bench: Bench) -> None:
    """Registers, calls, lists and asks for a heartbeat, all with fields that nobody knows."""
    peer, caller, name, agent_id = (
        bench.peer("client"),
        bench.peer("caller"),
        bench.capability("c"),
        bench.id("a"),
    )
    descriptor = encode((1, name)) + NEWS
    answer = await unary(peer, REGISTER, encode((1, agent_id), (3, descriptor)) + NEWS)
    expect.equal(one(answer, 1), 1, "success of the registration")
    agent = await peer.stream(agent_id)
    listed = [item for number, item in decode(await unary(peer, LIST, NEWS)) if number == 1]
    names = {one(item, 1) for item in listed if isinstance(item, bytes)}
    expect.true(name.encode() in names, "the listing", expected=f"{name} in it", got=str(names))
    expect.equal(
        one(await unary(peer, HEARTBEAT, encode((1, 42)) + NEWS), 1), 42, "the heartbeat's timestamp"
    )
    for method in (FORWARD, "/loom.v1.ActionBroker/Invoke"):
        calling = asyncio.create_task(caller.raw(method, encode((2, name), (4, b"x")) + NEWS))
        call = await member(agent, CALL, f"the call by {method}")
        await agent.send_bytes(encode((RESULT, encode((1, one(call, 1) or b""), (3, b"y")))), "a result")
        result = await calling
        expect.true(
            isinstance(result, bytes) and one(result, 3) == b"y", method, expected="y", got=repr(result)
        )


@check("BASE-5.2")
async def unknown_fields_on_a_stream(bench: Bench) -> None:
    """Says a handshake, pings, publishes and answers, all with fields that nobody knows, in and around."""
    peer, name, topic, agent_id = bench.peer("client"), bench.capability("c"), bench.topic("t"), bench.id("a")
    await unary(peer, REGISTER, encode((1, agent_id), (2, topic), (3, encode((1, name)))))
    stream = peer.open()
    await stream.send_bytes(
        NEWS + encode((ACK, encode((1, agent_id)) + NEWS)) + NEWS, "a handshake with news"
    )
    await stream.accepted()
    await stream.send_bytes(NEWS + encode((PING, NEWS + encode((1, 42)))), "a ping with news")
    pong = await stream.read()
    expect.equal((pong.WhichOneof("msg"), pong.pong.timestamp_ms), ("pong", 42), "the answer to the ping")
    publish = encode((1, topic), (2, encode((6, b"payload")))) + NEWS
    await stream.send_bytes(encode((PUBLISH, publish)) + NEWS, "a publish with news")
    expect.equal(await payloads(stream), [b"payload"], "what is delivered of the publish")
    calling = bench.peer("caller").invoke(name)
    call = await given(stream, calling, "a call")
    await stream.send_bytes(
        encode((RESULT, encode((1, call.id), (3, b"y")) + NEWS)) + NEWS, "a result with news"
    )
    expect.result(await calling.result(), "ACTION_OK", "the call", output=b"y")


@check("BASE-5.3")
async def an_unknown_provider_kind(bench: Bench) -> None:
    """Registers capabilities of a provider kind that nobody knows yet: they are listed with it."""
    peer, name = bench.peer("client"), bench.capability("c")
    kind: Any = 17
    descriptor = action_pb2.CapabilityDescriptor(name=name, provider=kind)
    await peer.join(bench.id("a"), capabilities=[descriptor])
    listed = [item.provider for item in await peer.capabilities() if item.name == name]
    expect.equal(listed, [17], "the provider kind of the listed capability")


@check("BASE-5.4")
async def unknown_metadata(bench: Bench) -> None:
    """A client sends metadata of its own with every call, as a proxy would: all goes its way."""
    peer, name, topic = bench.peer("client"), bench.capability("c"), bench.topic("t")
    peer.metadata += (
        ("x-request-id", "7"),
        ("loom-something", "else"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    )
    agent = await peer.join(bench.id("a"), topic, capabilities=[name])
    await agent.publish(topic, b"x")
    expect.equal(await payloads(agent), [b"x"], "what the client receives")
    calling = peer.invoke(name)
    await agent.answer(await given(agent, calling, "a call"), b"y")
    expect.result(await calling.result(), "ACTION_OK", "the call", output=b"y")
    expect.equal((await peer.heartbeat(42)).timestamp_ms, 42, "the heartbeat's timestamp")


# BASE-6: the older name.


@check("BASE-6.1")
async def one_key_for_both_names(bench: Bench) -> None:
    """A call by one name is answered: its repeat by the other gets the same answer, and runs once."""
    caller, name = bench.peer("caller"), bench.capability("c")
    agent = await bench.join(bench.id("a"), capabilities=[name])
    headers = {"x-agent-id": bench.id("caller")}
    for broker in (False, True):
        call_id = f"call-{broker}"
        first = caller.invoke(name, b"x", broker=broker, id=call_id, headers=headers)
        await agent.answer(await given(agent, first, "the call"), f"once-{broker}".encode())
        output = (await first.result()).output
        expect.equal(output, f"once-{broker}".encode(), "the answer to the call")
        again = caller.invoke(name, b"x", broker=not broker, id=call_id, headers=headers)
        repeated = await answered_without(agent, again, "the repeat by the other name")
        expect.result(repeated, "ACTION_OK", "its repeat by the other name", output=output)


# BASE-7: what other tools ask.


@check("BASE-7.1")
async def health_is_serving(bench: Bench) -> None:
    """Asks for the health of the bridge and of each of its services."""
    for service in ("", *sorted(SERVICES)):
        answer = await unary(bench.peer("probe"), HEALTH, encode((1, service)))
        expect.equal(one(answer, 1), SERVING, f"the health of {service or 'the whole bridge'}")


@check("BASE-7.2")
async def health_of_a_stranger(bench: Bench) -> None:
    """Asks for the health of a service that is not there."""
    answer = await bench.peer("probe").raw(HEALTH, encode((1, "loom.v1.Brigde")))
    expect.true(isinstance(answer, End), "a service that is not there", expected="NOT_FOUND", got="an answer")
    assert isinstance(answer, End)
    expect.status(answer, grpc.StatusCode.NOT_FOUND, "a service that is not there")


@check("BASE-7.3")
async def reflection_lists_the_services(bench: Bench) -> None:
    """Asks by reflection which services there are."""
    peer = bench.peer("probe")
    names = await _reflected(peer, "v1") or await _reflected(peer, "v1alpha")
    expect.equal(sorted(SERVICES - names), [], "services of the protocol that reflection does not list")


async def _reflected(peer: Peer, version: str) -> set[str]:
    """The services that reflection lists; none where there is no reflection of that version."""
    method = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    call: Any = peer.channel.stream_stream(method)(metadata=peer.metadata, timeout=PATIENCE)
    try:
        await call.write(encode((7, "")))  # list_services
        answer = await call.read()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return set()
    finally:
        call.cancel()
    if not isinstance(answer, bytes):
        return set()
    services = [item for number, item in decode(_message(one(answer, 6))) if number == 1]
    return {_message(one(_message(item), 1)).decode() for item in services}


def _message(value: int | bytes | None) -> bytes:
    return value if isinstance(value, bytes) else b""
