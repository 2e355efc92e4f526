"""The event stream: how it begins, flows and ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc
import grpc.aio
import pytest

from loom.testing.v1 import control_pb2
from loom.v1 import event_pb2, stream_pb2
from tests.loom_testing.peers import MALFORMED, PATIENCE, Peer

pytestmark = pytest.mark.loom(clock="real")

Status = grpc.StatusCode
LARGE = b"x" * 200_000


async def agents(peer: Peer) -> dict[str, control_pb2.AgentSnapshot]:
    """Who is there, asked without disturbing anything."""
    request = control_pb2.SnapshotRequest(namespace=peer.namespace)
    return {agent.agent_id: agent for agent in (await peer.control.Snapshot(request)).agents}


async def until_gone(peer: Peer) -> None:
    """Waits until nobody is there."""
    async with asyncio.timeout(PATIENCE):
        while await agents(peer):
            pass


async def until_paused(peer: Peer, agent_id: str) -> None:
    """Waits until the bridge reads no further what an agent sends."""
    async with asyncio.timeout(PATIENCE):
        while not (await agents(peer))[agent_id].paused:
            pass


async def watch(peer: Peer) -> Any:
    """The steps of the peer's namespace from now on."""
    steps = peer.control.Watch(control_pb2.WatchRequest(namespace=peer.namespace))
    await steps.initial_metadata()
    return steps


async def ends(steps: Any, count: int) -> list[str]:
    """How the next so many streams end, as the engine is told."""
    kinds: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while len(kinds) < count:
            came_in = json.loads((await steps.read()).line)["in"]["kind"]
            kinds += [came_in] if came_in in ("break", "half_close") else []
    return kinds


async def test_headers_come_before_anything_else(peer):
    stream = await peer.join("a", "t")  # `open` waits for them
    await stream.publish("t", b"hello")
    delivery = await stream.delivery()
    assert (delivery.topic, delivery.event.payload) == ("t", b"hello")


async def test_events_keep_their_order(peer):
    stream = await peer.join("a", "t")
    for number in range(300):
        await stream.publish("t", str(number).encode())
    assert [int((await stream.delivery()).event.payload) for _ in range(300)] == list(range(300))


async def test_more_than_a_window_is_written_out(peer, connect):
    subscriber = await peer.join("s", "t")
    publisher = await connect().join("p")
    for number in range(500):
        await publisher.publish("t", str(number).encode())
    await publisher.ping()
    assert [int((await subscriber.delivery()).event.payload) for _ in range(500)] == list(range(500))


# How it ends.


async def test_a_half_close_flushes_and_ends_ok(peer):
    stream = await peer.join("a", "t")
    for _ in range(100):
        await stream.publish("t")
    await stream.call.done_writing()
    status, _, events = await stream.end()
    assert status is Status.OK
    assert len(events) == 100
    assert not await agents(peer)


async def test_a_goodbye_flushes_and_ends_ok_although_the_client_could_write_on(peer):
    stream = await peer.join("a", "t")
    await stream.publish("t")
    await stream.send(goodbye=stream_pb2.Goodbye(reason="done"))
    status, _, events = await stream.end()
    assert status is Status.OK
    assert len(events) == 1
    assert not await agents(peer)


async def test_a_reset_is_a_broken_stream(peer):
    stream = await peer.join("a", "t")
    steps = await watch(peer)
    stream.call.cancel()
    assert await ends(steps, 1) == ["break"]
    await until_gone(peer)


async def test_a_lost_connection_is_a_broken_stream(peer, connect):
    lost = connect()
    await lost.join("a", "t")
    steps = await watch(peer)
    await lost.channel.close()
    assert await ends(steps, 1) == ["break"]
    await until_gone(peer)


async def test_many_resets_are_never_taken_for_half_closes(peer):
    streams = [await peer.join(f"a{number}") for number in range(50)]
    steps = await watch(peer)
    for stream in streams:
        stream.call.cancel()
    assert await ends(steps, 50) == ["break"] * 50


async def test_the_newest_stream_wins(peer):
    older = await peer.join("a", "t")
    newer = await peer.open("a")
    status, details, events = await older.end()
    assert status is Status.ABORTED
    assert "SUPERSEDED" in details
    assert [(event.err.code, event.err.fatal) for event in events] == [("SUPERSEDED", True)]
    await newer.ping()


async def test_a_refused_handshake_has_a_status_and_a_reason(peer):
    stream = peer.open_raw()
    await stream.send(ack=stream_pb2.Ack(message_id="nobody"))
    status, details, events = await stream.end()
    assert status is Status.FAILED_PRECONDITION
    assert "nobody" in details
    assert events == []


async def test_a_stream_that_closes_before_its_handshake(peer):
    stream = peer.open_raw()
    await stream.call.done_writing()
    status, _, _ = await stream.end()
    assert status is Status.INVALID_ARGUMENT


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x0a\x05t", b"\x0b" * 1000])
async def test_malformed_bytes_end_that_stream_only(peer, connect, data):
    other = await connect().join("other", "t")
    await peer.register("a")
    call = peer.channel.stream_stream("/loom.v1.Bridge/EventStream")(metadata=peer.metadata)
    await call.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="a")).SerializeToString())
    await call.initial_metadata()
    await call.write(data)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call.read()
    assert error.value.code() in MALFORMED
    await other.ping()


async def test_what_came_before_malformed_bytes_takes_effect(peer, connect):
    other = await connect().join("other", "t")
    await peer.register("a")
    call = peer.channel.stream_stream("/loom.v1.Bridge/EventStream")(metadata=peer.metadata)
    await call.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="a")).SerializeToString())
    publish = event_pb2.Publish(topic="t", event=event_pb2.Event(id="last words"))
    await call.write(stream_pb2.ClientEvent(publish=publish).SerializeToString())
    await call.write(b"\xff")
    assert (await other.delivery()).event.id == "last words"


async def test_a_cut_is_abrupt(peer):
    stream = await peer.join("a", "t")
    await peer.control.Disconnect(control_pb2.DisconnectRequest(namespace=peer.namespace, agent_id="a"))
    status, _, events = await stream.end()
    assert status is Status.UNAVAILABLE
    assert events == []


# Slow and silent peers.


async def test_who_never_reads_does_not_slow_the_others(peer, connect):
    silent = await connect().join("silent", "t", subscriptions=[], features=[])
    reader = await connect().join("reader", "t")
    publisher = await peer.join("p")
    for _ in range(40):
        await publisher.publish("t", LARGE)  # 8 MB, more than the transport takes in
    for _ in range(40):
        assert (await reader.delivery()).event.payload == LARGE
    await publisher.ping()
    assert "silent" in await agents(peer)
    assert not silent.call.done()


@pytest.mark.loom(clock="real", limits={"queue_events": 4, "stream_window": 2})
async def test_a_paused_publisher_is_read_no_further(peer, connect):
    slow = await connect().join("slow", "t")
    stream = await peer.join("p")
    await peer.control.Hold(control_pb2.HoldRequest(namespace=peer.namespace, agent_id="slow"))
    for _ in range(30):
        await stream.publish("t", b"x")
    await until_paused(peer, "p")
    await peer.control.Release(control_pb2.ReleaseRequest(namespace=peer.namespace, agent_id="slow"))
    for _ in range(30):
        await slow.delivery()
    await stream.ping()


@pytest.mark.loom(clock="real", limits={"queue_events": 2, "stream_window": 1})
async def test_a_goodbye_of_a_paused_publisher_is_taken_in_its_turn(peer, connect):
    slow = await connect().join("slow", "t")
    stream = await peer.join("p")
    await peer.control.Hold(control_pb2.HoldRequest(namespace=peer.namespace, agent_id="slow"))
    for number in range(10):
        await stream.publish("t", str(number).encode())
    await stream.call.done_writing()
    await until_paused(peer, "p")
    await peer.control.Release(control_pb2.ReleaseRequest(namespace=peer.namespace, agent_id="slow"))
    assert [int((await slow.delivery()).event.payload) for _ in range(10)] == list(range(10))
    assert (await stream.end())[0] is Status.OK


async def test_each_peer_can_have_many_streams(connect):
    peer: Peer = connect()
    streams = [await peer.join(f"a{number}", "t") for number in range(100)]
    await streams[0].publish("t", b"to all")
    for stream in streams:
        assert (await stream.delivery()).event.payload == b"to all"
