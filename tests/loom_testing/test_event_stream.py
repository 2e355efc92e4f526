"""The event stream over real gRPC: how it begins, flows and ends."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio

from loom.testing.v1 import control_pb2
from loom.v1 import stream_pb2
from loom_testing import event_stream
from loom_testing.bridge import FakeBridge
from loom_testing.engine.inputs import Writable
from loom_testing.engine.limits import Limits
from tests.loom_testing.peers import PATIENCE, until

Status = grpc.StatusCode
LARGE = b"x" * 200_000


def agents(bridge: FakeBridge) -> list[str]:
    """Who is there, asked without disturbing anything."""
    return [name for driver in bridge.namespaces for name in driver.engine._core.agents]


# How it ends.


async def test_a_stream_that_is_reset_before_its_handshake(bridge, peer):
    stream = peer.open_raw()
    await stream.call.wait_for_connection()
    await until(lambda: len(bridge.namespaces) == 1 and bridge.namespaces.find("default").busy)
    stream.call.cancel()
    await until(lambda: not bridge.namespaces.find("default").busy)


async def test_an_oversize_message_ends_that_stream_only(connect):
    async with FakeBridge(limits=Limits(message_bytes=10_000)) as bridge:
        other = await connect(address=bridge.address).join("other", "t")
        stream = await connect(address=bridge.address).join("a")
        await stream.publish("t", b"x" * 20_000)
        status, _, _ = await stream.end()
        assert status in {Status.RESOURCE_EXHAUSTED, Status.OUT_OF_RANGE}
        await until(lambda: agents(bridge) == ["other"])
        await other.ping()


def control(kind: str, agent_id: str):
    return getattr(control_pb2, kind)(namespace="default", agent_id=agent_id)


# Slow and silent peers.


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
