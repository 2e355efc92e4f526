"""SES-1 to SES-3: how a stream begins."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from loom.v1 import action_pb2, event_pb2, stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.peer import Peer
from loom_conformance.steps import ended, passes, payloads
from loom_conformance.stream import Stream
from loom_conformance.wire import encode

HANDSHAKE_MS = 10_000
"""Within which time a stream must begin with its handshake, where the bridge does not tell."""
EVENT = event_pb2.Event(id="first", payload=b"first")


def handshake_s(bench: Bench) -> float:
    """How many seconds a stream may take for its handshake."""
    return bench.declared.limits.get("handshake_ms", HANDSHAKE_MS) / 1000


async def opened(peer: Peer) -> Stream:
    """A stream without a handshake that has reached the bridge."""
    stream = peer.open()
    await stream.call.wait_for_connection()
    for _ in range(3):
        await peer.heartbeat(0)  # on the same connection, so behind the stream's beginning
    return stream


# SES-1: the first message.


@check("SES-1.1")
async def a_first_message_that_is_no_handshake(bench: Bench) -> None:
    """Streams begin with every other kind of message, known and unknown; then one with a handshake."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    firsts: dict[str, Any] = {
        "a publish": stream_pb2.ClientEvent(publish=event_pb2.Publish(topic=bench.topic("t"), event=EVENT)),
        "a ping": stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest(timestamp_ms=1)),
        "a result": stream_pb2.ClientEvent(action_result=action_pb2.ActionResult(id="x")),
        "a subscribe": stream_pb2.ClientEvent(subscribe=stream_pb2.Subscribe(ref=1)),
        "a goodbye": stream_pb2.ClientEvent(goodbye=stream_pb2.Goodbye(reason="no")),
        "an empty message": stream_pb2.ClientEvent(),
    }
    unknown = {"a message of an unknown kind": encode((150, b""))}
    for what, data in {**{k: v.SerializeToString() for k, v in firsts.items()}, **unknown}.items():
        stream = peer.open()
        await stream.send_bytes(data, what)
        begun = f"a stream that begins with {what}"
        end = await ended(stream, grpc.StatusCode.INVALID_ARGUMENT, begun, word="HANDSHAKE_EXPECTED")
        expect.nothing(end.events, f"what comes on {begun}")
    await peer.stream(agent_id)


@check("SES-1.2")
async def nothing_of_a_refused_beginning_takes_effect(bench: Bench) -> None:
    """A stream begins with a publish and is refused: nobody receives it, unlike one after a handshake."""
    topic, agent_id = bench.topic("t"), bench.id("a")
    listener, peer = await bench.join(bench.id("l"), topic), bench.peer("client")
    await passes(peer, agent_id)
    stream = peer.open()
    await stream.publish(topic, b"too early")
    await ended(stream, grpc.StatusCode.INVALID_ARGUMENT, "a stream that begins with a publish")
    expect.equal(await payloads(listener), [], "what was delivered of it")
    stream = await peer.stream(agent_id)
    await stream.publish(topic, b"in order")
    await stream.until_pong()
    expect.equal(await payloads(listener), [b"in order"], "what is delivered after a handshake")


@check("SES-1.3")
async def a_handshake_without_an_agent(bench: Bench) -> None:
    """A stream begins with an Ack that names nobody; then one with an Ack that names an agent."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    stream = peer.open()
    await stream.hello("")
    what = "a stream that begins with an Ack without an agent id"
    await ended(stream, grpc.StatusCode.INVALID_ARGUMENT, what, word="HANDSHAKE_EXPECTED")
    await peer.stream(agent_id)


@check("SES-1.4")
async def a_half_close_before_the_handshake(bench: Bench) -> None:
    """A stream is half-closed before it said anything; then one with a handshake is."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    stream = peer.open()
    await stream.half_close()
    what = "a stream that is half-closed before its handshake"
    await ended(stream, grpc.StatusCode.INVALID_ARGUMENT, what, word="HANDSHAKE_EXPECTED")
    stream = await peer.stream(agent_id)
    await stream.half_close()
    await ended(stream, grpc.StatusCode.OK, "a stream that is half-closed after its handshake")


@check("SES-1.5")
async def a_handshake_that_does_not_come(bench: Bench) -> None:
    """A stream says nothing for the time it has; one beside it said its handshake."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    silent, prompt = await opened(peer), await peer.stream(agent_id)
    for _ in range(round(handshake_s(bench)) + 2):  # a little more: it may have reached the bridge late
        await bench.pass_time(1)
        await peer.heartbeat(0)
    what = "a stream that says nothing"
    await ended(silent, grpc.StatusCode.DEADLINE_EXCEEDED, what, word="HANDSHAKE_TIMEOUT")
    expect.equal(await prompt.until_pong(), [], "what comes on the stream that said its handshake")


@check("SES-1.6")
async def a_handshake_that_comes_late(bench: Bench) -> None:
    """A stream says its handshake shortly before the time for it has passed."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    stream = await opened(peer)
    await bench.pass_time(handshake_s(bench) - 0.5)
    await stream.hello(agent_id)
    await stream.accepted()
    expect.equal(await stream.until_pong(), [], "what comes on the stream whose handshake came in time")


@check("SES-1.7")
async def later_acks_are_ignored(bench: Bench) -> None:
    """A base-level client acknowledges deliveries, and names others: nothing comes, and nothing changes."""
    topic, other_topic = bench.topic("t"), bench.topic("o")
    agent = await bench.join(bench.id("a"), topic)
    other = await bench.join(bench.id("o"), other_topic)
    ranges = [stream_pb2.SeqRange(first=1, last=9)]
    for ack in (
        stream_pb2.Ack(message_id="event-1"),
        stream_pb2.Ack(message_id=other.agent_id),
        stream_pb2.Ack(),
        stream_pb2.Ack(message_id=agent.agent_id, epoch=1, seq=5, done=ranges, registration=1, producer=3),
    ):
        await agent.send(ack=ack)
        expect.equal(await agent.until_pong(), [], f"what comes after {expect.shown(ack)}")
    for each in (topic, other_topic):
        await other.publish(each, each.encode())
    expect.equal(await payloads(other), [other_topic.encode()], "what the other agent receives")
    expect.equal(await payloads(agent), [topic.encode()], "what the agent that acknowledged receives")


# SES-2: who may begin.


@check("SES-2.1")
async def a_handshake_of_nobody(bench: Bench) -> None:
    """A stream begins with the handshake of an agent that is not registered; then it registers."""
    peer, agent_id = bench.peer("client"), bench.id("nobody")
    stream = peer.open()
    await stream.hello(agent_id)
    what, refused = "the handshake of an agent that is not registered", grpc.StatusCode.FAILED_PRECONDITION
    end = await ended(stream, refused, what, word="NOT_REGISTERED", names=agent_id)
    expect.nothing(end.events, f"what comes on {what}")
    await passes(peer, agent_id)
    await peer.stream(agent_id)


@check("SES-2.2")
async def a_handshake_under_an_older_registration(bench: Bench) -> None:
    """An agent registers twice, and its handshake names the first registration, or one that never was."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    old = (await passes(peer, agent_id)).registration
    new = (await passes(peer, agent_id)).registration
    for number in (old, new + 1_000_000):
        stream = peer.open()
        await stream.hello(agent_id, registration=number)
        what = f"a handshake that names registration {number} while {new} is the newest"
        await ended(stream, grpc.StatusCode.FAILED_PRECONDITION, what, word="STALE_REGISTRATION")
    await peer.stream(agent_id, registration=new)


@check("SES-2.3")
async def a_handshake_under_the_newest_registration(bench: Bench) -> None:
    """An agent registers twice, and its handshakes name the second registration, and none."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    await passes(peer, agent_id)
    new = (await passes(peer, agent_id, topic)).registration
    for number in (new, 0):
        stream = await peer.stream(agent_id, registration=number)
        await stream.publish(topic, b"x")
        expect.equal(await payloads(stream), [b"x"], f"what the stream receives that named {number}")


@check("SES-2.4")
async def a_refused_handshake_takes_nothing_over(bench: Bench) -> None:
    """An agent streams; a handshake under an older registration is refused: the stream goes on as it was."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    old = (await passes(peer, agent_id, topic)).registration
    stream = await peer.stream(agent_id)
    await passes(peer, agent_id, topic)
    late = bench.peer("late").open()
    await late.hello(agent_id, registration=old)
    await ended(late, grpc.StatusCode.FAILED_PRECONDITION, "a handshake that is out of date")
    await stream.publish(topic, b"x")
    expect.equal(await payloads(stream), [b"x"], "what comes on the stream that was there")


# SES-3: the headers, and what is live.


@check("SES-3.1")
async def the_headers_come_without_a_delivery(bench: Bench) -> None:
    """A base-level client says its handshake, and nothing is sent to it: the headers come all the same."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    stream = peer.open()
    await stream.hello(agent_id)
    await stream.accepted()
    expect.equal(await stream.until_pong(), [], "what came with the headers")


@check("SES-3.2")
async def the_headers_do_not_come_early(bench: Bench) -> None:
    """A stream is opened, and answers come on its connection: no headers, until the handshake was said."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    await passes(peer, agent_id)
    stream = await opened(peer)
    headers = asyncio.ensure_future(stream.call.initial_metadata())
    for _ in range(5):
        await peer.heartbeat(0)
    expect.true(not headers.done(), "the stream before its handshake", expected="no headers", got="headers")
    await stream.hello(agent_id)
    await stream.accepted()
    await headers


@check("SES-3.3")
async def who_has_its_headers_hears(bench: Bench) -> None:
    """Agents join; as soon as each has its headers an event is published: it receives that, and all later."""
    topic = bench.topic("t")
    publisher = await bench.join(bench.id("p"))
    agents = []
    for number in range(6):
        agents.append(await bench.join(bench.id(f"a{number}"), topic))
        await publisher.publish(topic, str(number).encode())
        await publisher.until_pong()
    for number, agent in enumerate(agents):
        since = [str(later).encode() for later in range(number, 6)]
        expect.equal(await payloads(agent), since, f"what {agent.agent_id} receives after its headers")


@check("SES-3.4")
async def who_has_no_stream_hears_nothing(bench: Bench) -> None:
    """An agent registers, an event is published, the agent opens its stream: it receives later ones only."""
    topic, agent_id, peer = bench.topic("t"), bench.id("a"), bench.peer("client")
    publisher = await bench.join(bench.id("p"))
    await passes(peer, agent_id, topic)
    await publisher.publish(topic, b"before")
    expect.equal(await publisher.until_pong(), [], "what the publisher hears of it")
    agent = await peer.stream(agent_id)
    await publisher.publish(topic, b"after")
    await publisher.until_pong()
    expect.equal(await payloads(agent), [b"after"], "what the agent receives on its stream")
