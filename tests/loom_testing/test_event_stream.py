"""The event stream over real gRPC: how it begins, flows and ends."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest

from loom.testing.v1 import control_pb2
from loom.v1 import event_pb2, stream_pb2
from loom_testing import event_stream
from loom_testing.bridge import FakeBridge
from loom_testing.engine.inputs import Writable
from loom_testing.engine.limits import Limits
from tests.loom_testing.peers import PATIENCE, Peer, until

Status = grpc.StatusCode
LARGE = b"x" * 200_000


def agents(bridge: FakeBridge) -> list[str]:
    """Who is there, asked without disturbing anything."""
    return [name for driver in bridge.namespaces for name in driver.engine._core.agents]


async def test_headers_come_before_anything_else(bridge, peer):
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


async def test_a_half_close_flushes_and_ends_ok(bridge, peer):
    stream = await peer.join("a", "t")
    for _ in range(100):
        await stream.publish("t")
    await stream.call.done_writing()
    status, _, events = await stream.end()
    assert status is Status.OK
    assert len(events) == 100
    assert agents(bridge) == []


async def test_a_goodbye_flushes_and_ends_ok_although_the_client_could_write_on(bridge, peer):
    stream = await peer.join("a", "t")
    await stream.publish("t")
    await stream.send(goodbye=stream_pb2.Goodbye(reason="done"))
    status, _, events = await stream.end()
    assert status is Status.OK
    assert len(events) == 1
    assert agents(bridge) == []


async def test_a_reset_is_a_broken_stream(bridge, peer):
    lines: list[str] = []
    stream = await peer.join("a", "t")
    bridge.namespaces.find("default").watch = lines.append
    stream.call.cancel()
    await until(lambda: agents(bridge) == [])
    assert any('"break"' in line for line in lines)
    assert not any('"half_close"' in line for line in lines)


async def test_a_lost_connection_is_a_broken_stream(bridge, connect):
    lines: list[str] = []
    lost = connect()
    await lost.join("a", "t")
    bridge.namespaces.find("default").watch = lines.append
    await lost.channel.close()
    await until(lambda: agents(bridge) == [])
    assert any('"break"' in line for line in lines)
    assert not any('"half_close"' in line for line in lines)


async def test_many_resets_are_never_taken_for_half_closes(bridge, peer):
    lines: list[str] = []
    streams = [await peer.join(f"a{number}") for number in range(50)]
    bridge.namespaces.find("default").watch = lines.append
    for stream in streams:
        stream.call.cancel()
    await until(lambda: agents(bridge) == [])
    assert not any('"half_close"' in line for line in lines)


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


async def test_a_stream_that_is_reset_before_its_handshake(bridge, peer):
    stream = peer.open_raw()
    await stream.call.wait_for_connection()
    await until(lambda: len(bridge.namespaces) == 1 and bridge.namespaces.find("default").busy)
    stream.call.cancel()
    await until(lambda: not bridge.namespaces.find("default").busy)


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x0a\x05t", b"\x0b" * 1000])
async def test_malformed_bytes_end_that_stream_only(peer, connect, data):
    other = await connect().join("other", "t")
    await peer.register("a")
    call = peer.channel.stream_stream("/loom.v1.Bridge/EventStream")()
    await call.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="a")).SerializeToString())
    await call.initial_metadata()
    await call.write(data)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call.read()
    assert error.value.code() is Status.INVALID_ARGUMENT
    assert "not a well-formed" in (error.value.details() or "")
    await other.ping()


async def test_what_came_before_malformed_bytes_takes_effect(peer, connect):
    other = await connect().join("other", "t")
    await peer.register("a")
    call = peer.channel.stream_stream("/loom.v1.Bridge/EventStream")()
    await call.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="a")).SerializeToString())
    publish = event_pb2.Publish(topic="t", event=event_pb2.Event(id="last words"))
    await call.write(stream_pb2.ClientEvent(publish=publish).SerializeToString())
    await call.write(b"\xff")
    assert (await other.delivery()).event.id == "last words"


async def test_an_oversize_message_ends_that_stream_only(connect):
    async with FakeBridge(limits=Limits(message_bytes=10_000)) as bridge:
        other = await connect(address=bridge.address).join("other", "t")
        stream = await connect(address=bridge.address).join("a")
        await stream.publish("t", b"x" * 20_000)
        status, _, _ = await stream.end()
        assert status in {Status.RESOURCE_EXHAUSTED, Status.OUT_OF_RANGE}
        await until(lambda: agents(bridge) == ["other"])
        await other.ping()


async def test_a_cut_is_abrupt(bridge, peer):
    stream = await peer.join("a", "t")
    await peer.control.Disconnect(control("DisconnectRequest", "a"))
    status, _, events = await stream.end()
    assert status is Status.UNAVAILABLE
    assert events == []


def control(kind: str, agent_id: str):
    return getattr(control_pb2, kind)(namespace="default", agent_id=agent_id)


# Slow and silent peers.


async def test_who_never_reads_does_not_slow_the_others(bridge, peer, connect):
    silent = await connect().join("silent", "t", subscriptions=[], features=[])
    reader = await connect().join("reader", "t")
    publisher = await peer.join("p")
    for _ in range(40):
        await publisher.publish("t", LARGE)  # 8 MB, more than the transport takes in
    for _ in range(40):
        assert (await reader.delivery()).event.payload == LARGE
    await publisher.ping()
    assert bridge.namespaces.find("default").engine._core.agents["silent"]
    assert not silent.call.done()


async def test_a_stream_that_ended_does_not_wait_for_ever_for_a_peer_that_never_reads(
    peer, connect, monkeypatch, caplog
):
    monkeypatch.setattr(event_stream, "FLUSH_SECONDS", 0.1)
    silent = await connect().join("a", "t")
    publisher = await peer.join("p")
    for _ in range(40):
        await publisher.publish("t", LARGE)
    await publisher.ping()
    await peer.open("a")  # takes the silent one's place
    await until(lambda: "default: a left: ABORTED" in caplog.text)
    status, _, events = await silent.end()
    assert status is Status.ABORTED
    assert 0 < len(events) < 40


async def test_a_paused_publisher_is_read_no_further(peer, connect):
    async with FakeBridge(testing=True, limits=Limits(queue_events=4, stream_window=2)) as bridge:
        slow = await connect(address=bridge.address).join("slow", "t")
        publisher = connect(address=bridge.address)
        stream = await publisher.join("p")
        await publisher.control.Hold(control("HoldRequest", "slow"))
        for _ in range(30):
            await stream.publish("t", b"x")
        driver = bridge.namespaces.find("default")
        await until(lambda: bool(driver.engine._core.charges))
        await publisher.control.Release(control("ReleaseRequest", "slow"))
        for _ in range(30):
            await slow.delivery()
        await stream.ping()


async def test_a_goodbye_of_a_paused_publisher_is_taken_in_its_turn(connect):
    async with FakeBridge(testing=True, limits=Limits(queue_events=2, stream_window=1)) as bridge:
        slow = await connect(address=bridge.address).join("slow", "t")
        publisher = connect(address=bridge.address)
        stream = await publisher.join("p")
        await publisher.control.Hold(control("HoldRequest", "slow"))
        for number in range(10):
            await stream.publish("t", str(number).encode())
        await stream.call.done_writing()
        await until(lambda: bool(bridge.namespaces.find("default").engine._core.charges))
        await publisher.control.Release(control("ReleaseRequest", "slow"))
        assert [int((await slow.delivery()).event.payload) for _ in range(10)] == list(range(10))
        assert (await stream.end())[0] is Status.OK


async def test_flushed_does_not_wait_for_a_peer_that_takes_nothing(bridge, peer, connect):
    await connect().join("silent", "t")
    publisher = await peer.join("p")
    for _ in range(40):
        await publisher.publish("t", LARGE)
    await publisher.ping()
    driver = bridge.namespaces.find("default")
    async with asyncio.timeout(PATIENCE):
        await driver.flush()
        started = asyncio.get_running_loop().time()
        for _ in range(100):
            await driver.flush()
    assert asyncio.get_running_loop().time() - started < 5  # not 100 times the wait for one that stalled


# Bugs.


async def test_a_bug_of_the_engine_ends_the_stream_with_internal(bridge, peer, connect, caplog):
    other = await connect("elsewhere").join("other")
    stream = await peer.join("a")
    driver = bridge.namespaces.find("default")

    def fail_once(came_in: object) -> None:
        del driver.feed
        raise RuntimeError("planted")

    driver.feed = fail_once
    await stream.publish("t")
    status, details, _ = await stream.end()
    assert status is Status.INTERNAL
    assert "log" in details
    assert "planted" in caplog.text
    await other.ping()


async def test_a_bug_met_while_writing_ends_the_stream_with_internal(bridge, peer, caplog):
    stream = await peer.join("a", "t")
    driver = bridge.namespaces.find("default")
    feed = driver.feed

    def fail_once(came_in: object) -> None:
        if type(came_in) is Writable:
            driver.feed = feed
            raise RuntimeError("planted")
        feed(came_in)

    driver.feed = fail_once
    await stream.publish("t")
    status, _, _ = await stream.end()
    assert status is Status.INTERNAL
    assert "planted" in caplog.text
    assert agents(bridge) == []


async def test_what_a_stranger_calls_itself_is_not_logged(peer, caplog):
    caplog.set_level("DEBUG", "loom_testing")
    stream = peer.open_raw()
    await stream.send(ack=stream_pb2.Ack(message_id="12:00 info forged line\n12:00 info another"))
    await stream.end()
    await until(lambda: "left" in caplog.text)
    assert all("\n" not in record.getMessage() for record in caplog.records)


async def test_joining_and_leaving_is_logged(peer, caplog, bridge):
    caplog.set_level("INFO", "loom_testing")
    stream = await peer.join("a")
    await stream.send(goodbye=stream_pb2.Goodbye())
    await stream.end()
    await until(lambda: "a left" in caplog.text)
    assert "default: a joined" in caplog.text
    assert "default: a left: OK" in caplog.text


async def test_each_peer_can_have_many_streams(connect):
    peer: Peer = connect()
    streams = [await peer.join(f"a{number}", "t") for number in range(100)]
    await streams[0].publish("t", b"to all")
    for stream in streams:
        assert (await stream.delivery()).event.payload == b"to all"
