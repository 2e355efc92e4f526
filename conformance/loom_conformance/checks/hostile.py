"""LIM-2: whatever comes in ends at most its own call, and the others do not notice."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING

import grpc
import grpc.aio

from loom.v1 import event_pb2, stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import descriptor, open_calls
from loom_conformance.http2 import connected, frame, prefixed
from loom_conformance.steps import is_unknown
from loom_conformance.stream import End

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance.peer import Peer
    from loom_conformance.stream import Stream

Status = grpc.StatusCode

MALFORMED = (Status.INVALID_ARGUMENT, Status.INTERNAL, Status.UNKNOWN)
"""What gRPC stacks call bytes that are no message."""
INCOMPLETE = (*MALFORMED, Status.UNIMPLEMENTED)
"""What they call a call without a whole message."""
UNARY = (
    "/loom.v1.Bridge/RegisterAgent",
    "/loom.v1.Bridge/ForwardAction",
    "/loom.v1.Bridge/Heartbeat",
    "/loom.v1.ActionBroker/ListCapabilities",
    "/loom.v1.ActionBroker/Invoke",
)
EVENT_STREAM = "/loom.v1.Bridge/EventStream"
BROKEN = {
    "a tag that breaks off": b"\xff",
    "a string that is longer than the message": b"\x0a\x05ab",
    "an unknown wire type": b"\x0f",
    "a group that never ends": b"\xfb\x07",
    "a group that never began": b"\xfc\x07",
}
"""Bytes that are no message, whatever message is expected."""
DEEP = 1_000
SEED = 20_240_101
CANCELS = 1_000
PINGS = 1_000
SOON_S = 5.0


def nested(depth: int) -> bytes:
    """Groups of a field that nobody knows, one in the other: well-formed but for its depth."""
    return b"\xfb\x07" * depth + b"\xfc\x07" * depth


async def lives(*streams: Stream) -> None:
    """The sessions go on, and heard of nothing."""
    for stream in streams:
        expect.nothing(await stream.until_pong(), f"what {stream.who} is sent, who did nothing wrong")


def failed(answer: bytes | End, codes: Sequence[grpc.StatusCode], what: str) -> None:
    """The call ended with one of these."""
    if not isinstance(answer, End):
        expect.fail(what, expected=" or ".join(code.name for code in codes), got="an answer")
    expect.status(answer, codes, what)


async def is_gone(bench: Bench, capability: str) -> None:
    """The only provider of the capability is gone, at once or soon."""
    peer = bench.peer("observer")

    async def not_listed() -> bool:
        return capability not in [item.name for item in await peer.capabilities()]

    gone = await bench.eventually(not_listed, "that the agent which broke off is gone", within=SOON_S)
    expect.true(gone, "the agent that broke off", expected="to be gone", got="still there")


async def handshaken(bench: Bench, peer: Peer, who: str) -> Stream:
    """An agent on this connection."""
    return await peer.join(bench.id(who))


@check("LIM-2.1")
async def malformed_requests_end_their_call(bench: Bench) -> None:
    """Bytes that are no message, of five kinds, to every unary method."""
    peer = bench.peer("hostile")
    for method in UNARY:
        for what, data in BROKEN.items():
            failed(await peer.raw(method, data), MALFORMED, f"{method} with {what}")
    expect.equal((await peer.heartbeat(7)).timestamp_ms, 7, "a heartbeat on the same connection")


@check("LIM-2.1")
async def text_that_is_not_utf8_ends_its_call(bench: Bench) -> None:
    """An agent id that is not UTF-8; the same as text is registered."""
    peer = bench.peer("hostile")
    agent_id = bench.id("a").encode()
    field = b"\x0a" + bytes([len(agent_id) + 1]) + agent_id
    failed(await peer.raw(UNARY[0], field + b"\xff"), MALFORMED, "a registration with a broken id")
    answer = await peer.raw(UNARY[0], field + b"x")
    expect.true(
        isinstance(answer, bytes), "the same with an x instead", expected="an answer", got=str(answer)
    )


@check("LIM-2.2")
async def malformed_messages_end_their_stream(bench: Bench) -> None:
    """Bytes that are no message, of five kinds, each on a stream of its own after its handshake."""
    for number, (what, data) in enumerate(BROKEN.items()):
        stream = await bench.join(bench.id(f"hostile-{number}"))
        await stream.send_bytes(data, what)
        expect.status(await stream.end(), MALFORMED, f"a stream on which came {what}")


@check("LIM-2.2")
async def malformed_handshakes_end_their_stream(bench: Bench) -> None:
    """The first message of a stream is no message."""
    peer = bench.peer("hostile")
    for what, data in BROKEN.items():
        stream = peer.open()
        await stream.send_bytes(data, what)
        expect.status(await stream.end(), MALFORMED, f"a stream that began with {what}")


@check("LIM-2.3")
async def what_came_before_takes_effect(bench: Bench) -> None:
    """An event is published, then malformed bytes come in the same breath: the event is delivered."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("s"), topic)
    for number in range(5):
        stream = await bench.join(bench.id(f"hostile-{number}"))
        await stream.publish(topic, b"last words")
        await stream.send_bytes(b"\xff", "a tag that breaks off")
        await stream.end()
    payloads = [delivery.event.payload for delivery in await subscriber.deliveries()]
    expect.equal(payloads, [b"last words"] * 5, "what is delivered of five who published first")


@check("LIM-2.4")
async def others_do_not_notice_malformed_messages(bench: Bench) -> None:
    """A stream on the same connection and one on another see each kind of malformed bytes go by."""
    peer = bench.peer("hostile")
    near, far = await handshaken(bench, peer, "near"), await bench.join(bench.id("far"))
    for number, (what, data) in enumerate(BROKEN.items()):
        stream = await handshaken(bench, peer, f"hostile-{number}")
        await stream.send_bytes(data, what)
        await stream.end()
        await peer.raw(UNARY[number % len(UNARY)], data)
        await lives(near, far)


@check("LIM-2.5")
async def deep_nesting_is_refused(bench: Bench) -> None:
    """A thousand groups in one another as a request, on a stream and before a handshake; two are taken."""
    peer = bench.peer("hostile")
    other = await bench.join(bench.id("other"))
    for method in UNARY:
        failed(await peer.raw(method, nested(DEEP)), MALFORMED, f"{method} with a message nested {DEEP} deep")
    stream = await handshaken(bench, peer, "deep")
    await stream.send_bytes(nested(DEEP), f"a message nested {DEEP} deep")
    expect.status(await stream.end(), MALFORMED, f"a stream on which came a message nested {DEEP} deep")
    stream = peer.open()
    await stream.send_bytes(nested(DEEP), f"a message nested {DEEP} deep")
    expect.status(await stream.end(), MALFORMED, f"a stream that began with a message nested {DEEP} deep")
    answer = await peer.raw("/loom.v1.Bridge/Heartbeat", nested(2))
    expect.true(isinstance(answer, bytes), "a message nested 2 deep", expected="an answer", got=str(answer))
    await lives(other)


@check("LIM-2.6")
async def half_a_message_ends_its_stream(bench: Bench) -> None:
    """After a whole publish comes half of another, and no more: the first counts, and the agent is gone."""
    topic, agent_id, name = bench.topic("t"), bench.id("half"), bench.capability("c")
    subscriber = await bench.join(bench.id("s"), topic)
    await bench.peer().register(agent_id, capabilities=[name])
    whole = stream_pb2.ClientEvent(
        publish=event_pb2.Publish(topic=topic, event=event_pb2.Event(id="e", payload=b"whole"))
    ).SerializeToString()
    ack = stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id=agent_id)).SerializeToString()
    async with connected(bench) as connection:
        await connection.call(EVENT_STREAM, *bench.target.metadata(bench.namespace))
        await connection.data(prefixed(ack), "the handshake")
        await connection.data(prefixed(whole), "a publish")
        await connection.data(prefixed(whole)[: len(whole) // 2], "half a publish", end=True)
        await connection.status()
    payloads = [delivery.event.payload for delivery in await subscriber.deliveries()]
    expect.equal(payloads, [b"whole"], "what is delivered")
    await is_gone(bench, name)
    await is_unknown(bench.peer(), agent_id, "a new stream of the agent that broke off")


@check("LIM-2.7")
async def random_messages_end_only_themselves(bench: Bench) -> None:
    """A hundred random messages to unary methods and a hundred on streams, from a fixed seed."""
    peer = bench.peer("hostile")
    near, far = await handshaken(bench, peer, "near"), await bench.join(bench.id("far"))
    draw = random.Random(SEED).randbytes  # noqa: S311  # the same bytes in each run
    for number in range(100):
        await peer.raw(UNARY[number % len(UNARY)], draw(number))
        stream = peer.open()
        await stream.send_bytes(draw(number), "random bytes")
        await stream.half_close()
        await stream.end()
    await lives(near, far)


@check("LIM-2.8")
async def random_bytes_on_the_port_harm_nobody(bench: Bench) -> None:
    """Twenty connections of random bytes, half of them after a proper beginning; the agents do not notice."""
    other = await bench.join(bench.id("other"))
    draw = random.Random(SEED).randbytes  # noqa: S311  # the same bytes in each run
    for number in range(20):
        async with connected(bench, greet=number % 2 == 0) as connection:
            await connection.send(draw(500), "random bytes")
            connection.abort()
    await lives(other)
    expect.equal((await bench.peer().heartbeat(7)).timestamp_ms, 7, "a heartbeat on a new connection")


@check("LIM-2.8")
async def a_connection_that_breaks_off_takes_its_agent(bench: Bench) -> None:
    """A connection is lost in the middle of a frame: its agent is gone, another one does not notice."""
    other = await bench.join(bench.id("other"))
    agent_id, name = bench.id("half"), bench.capability("c")
    await bench.peer().register(agent_id, capabilities=[name])
    ack = stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id=agent_id)).SerializeToString()
    async with connected(bench) as connection:
        await connection.call(EVENT_STREAM, *bench.target.metadata(bench.namespace))
        await connection.data(prefixed(ack), "the handshake")
        await connection.headers()
        await connection.send(frame(0, bytes(100), stream=1)[:50], "half a frame")
        connection.abort()
    await is_gone(bench, name)
    await is_unknown(bench.peer(), agent_id, "a new stream of the agent that broke off")
    await lives(other)


@check("LIM-2.9")
async def unknown_methods_are_unimplemented(bench: Bench) -> None:
    """Methods and services that nobody has, beside one that is there."""
    peer = bench.peer()
    for method in ("/loom.v1.Bridge/Nothing", "/loom.v1.Nothing/RegisterAgent", "/nothing", "/a.b/c"):
        failed(await peer.raw(method, b""), [Status.UNIMPLEMENTED], f"a call of {method}")
    expect.equal((await peer.heartbeat(7)).timestamp_ms, 7, "a heartbeat")


@check("LIM-2.10")
async def a_thousand_cancels_leave_nothing_behind(bench: Bench) -> None:
    """Calls are begun and cancelled at once, a thousand times on one connection; then one is answered."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[descriptor(name)], features=["cancel"])
    caller = bench.peer("caller")
    for _ in range(CANCELS // 50):
        calls = [caller.invoke(name, b"cancelled") for _ in range(50)]
        await caller.heartbeat(0)  # they are on their way
        for call in calls:
            call.cancel()
        for call in calls:
            await call.outcome()
    await open_calls(bench, caller, 0)
    await provider.until_pong()
    last = caller.invoke(name, b"answered")
    taken = await provider.action_call()
    expect.equal(taken.payload, b"answered", "the call that the provider is given next")
    await provider.answer(taken, b"out")
    expect.result(await last.result(), "ACTION_OK", "a call after a thousand cancelled ones", output=b"out")


@check("LIM-2.11")
async def unknown_messages_are_refused(bench: Bench) -> None:
    """An empty message, and one of a kind that nobody knows: an err each, and the stream goes on."""
    stream = await bench.join(bench.id("a"))
    for what, data in {
        "an empty message": b"",
        "a message of an unknown kind": b"\xca\x3e\x02\x08\x01",
    }.items():
        await stream.send_bytes(data, what)
        events = await stream.until_pong()
        expect.equal(len(events), 1, f"how many messages come for {what}")
        expect.err(events[0], "INVALID_MESSAGE", what)


@check("LIM-2.12")
async def pings_are_welcome(bench: Bench) -> None:
    """A thousand HTTP/2 pings in a row on one connection: all come back, and it goes on."""
    async with connected(bench) as connection:
        answered = await connection.pings(PINGS)
    got = "the bridge hung up"
    expect.true(answered, f"{PINGS} pings on one connection", expected="all of them answered", got=got)


@check("LIM-2.13")
async def a_call_without_a_whole_message_ends(bench: Bench) -> None:
    """Every unary method, closed by its client without a message, then in the middle of one."""
    for method in UNARY:
        for what, data in {"no message": b"", "half a message": prefixed(b"\x08\x01", length=100)}.items():
            async with connected(bench) as connection:
                await connection.call(method, *bench.target.metadata(bench.namespace))
                await connection.data(data, what, end=True)
                code = await connection.status()
            got = code.name if code else "no gRPC status"
            wanted = " or ".join(one.name for one in INCOMPLETE)
            expect.true(code in INCOMPLETE, f"{method} with {what}", expected=wanted, got=got)
    with contextlib.suppress(grpc.aio.AioRpcError):
        expect.equal((await bench.peer().heartbeat(7)).timestamp_ms, 7, "a heartbeat")
