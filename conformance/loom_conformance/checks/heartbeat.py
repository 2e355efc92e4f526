"""HB: heartbeats, alone and on a stream."""

from __future__ import annotations

from loom.v1 import event_pb2, stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.backlog import Backlog, without_ballast
from loom_conformance.stream import Stream

STAMPS = (1, 1_700_000_000_000, 0, -1, 2**63 - 1, -(2**63))
"""Times, and what no time is: the bridge only hands them back."""


@check("HB-1.1")
async def a_heartbeat_is_echoed(bench: Bench) -> None:
    """The unary heartbeat gives the timestamp back, also 0, negative ones and the largest."""
    peer = bench.peer("caller")
    for stamp in STAMPS:
        expect.equal((await peer.heartbeat(stamp)).timestamp_ms, stamp, "the timestamp of the answer")


@check("HB-1.2")
async def a_heartbeat_is_ok(bench: Bench) -> None:
    """The unary heartbeat answers "ok"."""
    expect.equal((await bench.peer("caller").heartbeat(5)).status, "ok", "the status of the answer")


@check("HB-1.3")
async def a_heartbeat_needs_nobody(bench: Bench) -> None:
    """The unary heartbeat answers a client that never registered, and again after an agent came and left."""
    stranger = bench.peer("stranger")
    expect.equal((await stranger.heartbeat(1)).timestamp_ms, 1, "the answer before anybody is there")
    agent = await bench.join(bench.id("agent"))
    expect.equal((await stranger.heartbeat(2)).timestamp_ms, 2, "the answer while somebody is there")
    await agent.half_close()
    await agent.end()
    expect.equal((await stranger.heartbeat(3)).timestamp_ms, 3, "the answer when everybody has left")


@check("HB-2.1")
async def a_ping_is_echoed(bench: Bench) -> None:
    """Pings with timestamps of every kind come back as pongs with the same."""
    stream = await bench.join(bench.id("agent"))
    for stamp in STAMPS:
        await stream.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=stamp))
        pong = await _pong(stream)
        expect.equal(pong.timestamp_ms, stamp, "the timestamp of the pong")


@check("HB-2.2")
async def a_pong_is_ok(bench: Bench) -> None:
    """A pong has the status "ok"."""
    stream = await bench.join(bench.id("agent"))
    await stream.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=5))
    expect.equal((await _pong(stream)).status, "ok", "the status of the pong")


@check("HB-2.3")
async def a_pong_comes_after_what_was_queued(bench: Bench) -> None:
    """Events lie in the queue, then the subscriber pings: it gets the events first."""
    topic = bench.topic("t")
    subscriber = await bench.peer("subscriber", narrow=True).join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"), marker := bench.topic("marker"))
    backlog = Backlog(bench, subscriber, publisher, topic)
    await backlog.begin()
    await backlog.publish(b"1", b"2", b"3")
    await subscriber.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=5))
    await subscriber.publish(marker)
    await publisher.delivery()  # the ping was taken in before
    await backlog.end()
    before = []
    while (event := await subscriber.read()).WhichOneof("msg") != "pong":
        before.append(event)
    payloads = [delivery.event.payload for delivery in without_ballast(before)]
    expect.equal(payloads, [b"1", b"2", b"3"], "the events that came before the pong")


@check("HB-2.4")
async def each_ping_gets_one_pong(bench: Bench) -> None:
    """Pings sent in one go get as many pongs, in their order; then comes nothing more."""
    stream = await bench.join(bench.id("agent"))
    stamps = [5, 3, 3, 9]
    for stamp in stamps:
        await stream.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=stamp))
    came = await stream.until_pong()
    expect.equal([event.WhichOneof("msg") for event in came], ["pong"] * 4, "what came for four pings")
    expect.equal([event.pong.timestamp_ms for event in came], stamps, "the pongs' timestamps, in order")


@check("HB-2.5")
async def a_pong_comes_after_the_answers(bench: Bench) -> None:
    """A client that is not written to says what is refused, and pings: the err comes before the pong."""
    topic = bench.topic("t")
    client = await bench.peer("client", narrow=True).join(bench.id("client"), topic)
    publisher = await bench.join(bench.id("publisher"), marker := bench.topic("marker"))
    backlog = Backlog(bench, client, publisher, topic)
    await backlog.begin()
    await client.send(publish=event_pb2.Publish(topic=topic))
    await client.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=5))
    await client.publish(marker)
    await publisher.delivery()  # the ping was taken in before
    await backlog.end()
    kinds = [event.WhichOneof("msg") for event in await client.until_pong()]
    answers = [kind for kind in kinds if kind != "delivery"]
    expect.equal(answers, ["err", "pong"], "the answers to a refused publish and a ping")


async def _pong(stream: Stream) -> stream_pb2.HeartbeatResponse:
    event = await stream.read()
    expect.equal(event.WhichOneof("msg"), "pong", "the kind of the answer to a ping")
    return event.pong
