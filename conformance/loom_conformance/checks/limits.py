"""LIM-1: limits are told, and kept before anything is set aside for what exceeds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from loom.v1 import action_pb2, event_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import calls_in, given
from loom_conformance.http2 import MAX_CONCURRENT_STREAMS, connected, prefixed
from loom_conformance.steps import is_unknown, passes
from loom_conformance.stream import End

if TYPE_CHECKING:
    from collections.abc import Collection

BEYOND_4_GIB = 2**32 - 1
"""The largest length that a message can announce."""
DEFAULTS = {
    "event_bytes": 1024 * 1024,
    "message_bytes": 4 * 1024 * 1024,
    "connection_streams": 1_000,
    "subscriptions": 10_000,
    "capabilities": 1_000,
    "namespaces": 1_024,
}
"""What holds where a bridge tells no limits (protocol, section 2)."""
FORWARD = "/loom.v1.Bridge/ForwardAction"
HEARTBEAT = "/loom.v1.Bridge/Heartbeat"
TOO_LARGE: Collection[grpc.StatusCode] = (
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.OUT_OF_RANGE,
)


def limit(bench: Bench, name: str) -> int:
    """What the bridge told of a limit."""
    return bench.declared.limits.get(name) or DEFAULTS[name]


def sized_event(size: int) -> event_pb2.Event:
    """An event that encodes to so many bytes."""
    event = event_pb2.Event(id="sized")
    event.payload = bytes(size - event.ByteSize() - 8)
    while event.ByteSize() != size:
        event.payload = bytes(len(event.payload) + size - event.ByteSize())
    return event


@check("LIM-1.1")
async def limits_are_told(bench: Bench) -> None:
    """Every limit that a registration's answer can tell is there, and above zero."""
    response = await passes(bench.peer(), bench.id("a"))
    told = {field.name: getattr(response.limits, field.name) for field in response.limits.DESCRIPTOR.fields}
    missing = [name for name, value in told.items() if value < 1]
    expect.nothing(missing, "the limits that are not told")


@check("LIM-1.2")
async def too_large_an_event_is_refused(bench: Bench) -> None:
    """One byte more than is allowed: an err with the event's id; a smaller one after it is delivered."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("s"), topic)
    publisher = await bench.join(bench.id("p"))
    most = limit(bench, "event_bytes")
    await publisher.send(publish=event_pb2.Publish(topic=topic, event=sized_event(most + 1)))
    await publisher.publish(topic, b"small")
    events = await publisher.until_pong()
    expect.equal(len(events), 1, "how many messages the publisher is sent")
    expect.err(events[0], "LIMIT_EXCEEDED", "the answer", ref="sized", names=[str(most + 1), str(most)])
    payloads = [delivery.event.payload for delivery in await subscriber.deliveries()]
    expect.equal(payloads, [b"small"], "what is delivered")


@check("LIM-1.3")
async def an_event_may_be_as_large_as_is_told(bench: Bench) -> None:
    """An event of exactly as many bytes as are allowed is delivered whole."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("s"), topic)
    publisher = await bench.join(bench.id("p"))
    event = sized_event(limit(bench, "event_bytes"))
    await publisher.send(publish=event_pb2.Publish(topic=topic, event=event))
    expect.nothing(await publisher.until_pong(), "what the publisher is sent")
    arrived = [delivery.event.ByteSize() for delivery in await subscriber.deliveries()]
    expect.equal(arrived, [event.ByteSize()], "the sizes of the events that are delivered")


@check("LIM-1.4")
async def too_large_a_request_is_refused(bench: Bench) -> None:
    """A call whose message is one byte too large is refused; of exactly the limit it reaches its provider."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    most = limit(bench, "message_bytes")
    call = action_pb2.ActionCall(capability=name)
    overhead = len(action_pb2.ActionCall(capability=name, payload=bytes(most)).SerializeToString()) - most
    call.payload = bytes(most - overhead + 1)
    answer = await caller.raw(FORWARD, call.SerializeToString(), "a call that is a byte too large")
    expect.true(isinstance(answer, End), "a call that is too large", expected="a gRPC status", got="a result")
    assert isinstance(answer, End)
    expect.status(answer, TOO_LARGE, "a call that is too large")
    expect.nothing(await calls_in(provider), "the calls that the provider is given")
    largest = caller.invoke(name, bytes(most - overhead))
    taken = await given(provider, largest)
    expect.equal(len(taken.payload), most - overhead, "the payload of the largest call")


@check("LIM-1.5")
async def too_large_a_message_ends_its_stream(bench: Bench) -> None:
    """One byte more than is allowed ends the stream; another one on the same connection goes on."""
    peer = bench.peer("both")
    hostile = await peer.join(bench.id("hostile"))
    other = await peer.join(bench.id("other"))
    await hostile.send_bytes(bytes(limit(bench, "message_bytes") + 1), "a message that is too large")
    expect.status(await hostile.end(), TOO_LARGE, "the stream")
    expect.nothing(await other.until_pong(), "what the other stream is sent")


@check("LIM-1.6")
async def too_many_subscriptions_are_refused(bench: Bench) -> None:
    """One subscription more than is allowed; nothing is registered. Then exactly as many."""
    most = limit(bench, "subscriptions")
    topics = [bench.topic(f"t.{number}") for number in range(most + 1)]
    peer, agent_id = bench.peer(), bench.id("a")
    response = await peer.register(agent_id, *topics)
    expect.refused(response, "the registration", code="LIMIT_EXCEEDED", names=[str(most + 1), str(most)])
    await is_unknown(peer, agent_id, "the stream of the agent that was refused")
    await passes(peer, agent_id, *topics[:most])


@check("LIM-1.7")
async def too_many_capabilities_are_refused(bench: Bench) -> None:
    """One capability more than is allowed; nothing is registered. Then exactly as many."""
    most = limit(bench, "capabilities")
    names = [bench.capability(f"c.{number}") for number in range(most + 1)]
    peer, agent_id = bench.peer(), bench.id("a")
    response = await peer.register(agent_id, capabilities=names)
    expect.refused(response, "the registration", code="LIMIT_EXCEEDED", names=[str(most + 1), str(most)])
    await is_unknown(peer, agent_id, "the stream of the agent that was refused")
    await passes(peer, agent_id, capabilities=names[:most])


@check("LIM-1.8")
async def streams_of_a_connection_are_announced(bench: Bench) -> None:
    """What the bridge's HTTP/2 settings say is what the registration tells."""
    async with connected(bench) as connection:
        announced = connection.settings.get(MAX_CONCURRENT_STREAMS)
    most = limit(bench, "connection_streams")
    expect.equal(announced, most, "SETTINGS_MAX_CONCURRENT_STREAMS")


@check("LIM-1.9", needs=["process"])
async def there_are_only_so_many_namespaces(bench: Bench) -> None:
    """On a bridge of its own, as many namespaces as are allowed, and one more; the first still answers."""
    peer = bench.peer_of(await bench.program())
    most = limit(bench, "namespaces")
    for number in range(most):
        peer.metadata = tuple(bench.target.metadata(f"n{number}"))
        await peer.heartbeat(number)
    peer.metadata = tuple(bench.target.metadata("too.many"))
    answer = await peer.raw(HEARTBEAT, b"", "a heartbeat in one namespace too many")
    expect.true(isinstance(answer, End), "one namespace too many", expected="a gRPC status", got="an answer")
    assert isinstance(answer, End)
    expect.status(answer, grpc.StatusCode.RESOURCE_EXHAUSTED, "one namespace too many", names=str(most))
    peer.metadata = tuple(bench.target.metadata("n0"))
    expect.equal((await peer.heartbeat(7)).timestamp_ms, 7, "a heartbeat in the first namespace")


@check("LIM-1.10")
async def a_length_beyond_the_limit_is_enough(bench: Bench) -> None:
    """Only the length of a message comes, 4 GiB, then a byte too much: the call ends; small ones are read."""
    most = limit(bench, "message_bytes")
    for length in (BEYOND_4_GIB, most + 1):
        async with connected(bench) as connection:
            await connection.call(HEARTBEAT, *bench.target.metadata(bench.namespace))
            await connection.data(prefixed(b"", length=length), f"a length of {length} bytes")
            code = await connection.status()
        name = code.name if code else "no gRPC status"
        wanted = "RESOURCE_EXHAUSTED or OUT_OF_RANGE"
        expect.true(code in TOO_LARGE, f"a call of {length} bytes, none sent", expected=wanted, got=name)
    async with connected(bench) as connection:
        await connection.call(HEARTBEAT, *bench.target.metadata(bench.namespace))
        await connection.data(prefixed(b"", length=2), "a length of 2 bytes")
        await connection.data(b"\x08\x01", "the 2 bytes", end=True)
        code = await connection.status()
    got = code.name if code else "no gRPC status"
    expect.true(code is grpc.StatusCode.OK, "a call whose two bytes come later", expected="OK", got=got)
