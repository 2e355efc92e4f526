"""FakeBridge: starting, stopping, and what becomes of what was open."""

from __future__ import annotations

import asyncio
import socket

import grpc
import grpc.aio
import pytest

import loom_testing
from loom.v1 import stream_pb2
from loom_testing.bridge import CannotListenError, FakeBridge
from loom_testing.engine.limits import Limits
from tests.loom_testing.peers import PATIENCE, Peer, refused, until

Status = grpc.StatusCode


async def beat(address: str) -> None:
    async with Peer(address) as peer:
        await peer.bridge.Heartbeat(stream_pb2.HeartbeatRequest(), timeout=PATIENCE)


# The public names.


def test_the_package_offers_it():
    assert loom_testing.FakeBridge is FakeBridge
    assert loom_testing.Limits is Limits
    assert set(loom_testing.__all__) <= set(dir(loom_testing))
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = loom_testing.nothing_of_this_name


# Starting.


async def test_it_serves_on_loopback_on_a_free_port():
    async with FakeBridge() as one, FakeBridge() as two:
        assert one.address.startswith("127.0.0.1:")
        assert one.address != two.address
        await beat(one.address)
        await beat(two.address)


async def test_it_serves_on_ipv6_loopback():
    if not has_ipv6():
        return
    async with FakeBridge(host="::1") as bridge:
        assert bridge.address.startswith("[::1]:")
        await beat(bridge.address)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as trial:
            trial.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_a_port_in_use_is_said_in_one_line():
    async with FakeBridge() as bridge:
        port = int(bridge.address.rsplit(":", 1)[1])
        with pytest.raises(CannotListenError, match=rf"127.0.0.1:{port}: the port is in use; choose another"):
            await FakeBridge(port=port).start()
        await beat(bridge.address)


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
async def test_a_host_that_is_not_here_is_said_in_one_line(host):
    with pytest.raises(
        CannotListenError, match=f"cannot listen on {host}:0: .*; choose another host or port"
    ):
        await FakeBridge(host=host).start()


async def test_before_the_start_there_is_no_address():
    bridge = FakeBridge()
    with pytest.raises(RuntimeError, match="not started"):
        _ = bridge.address
    with pytest.raises(RuntimeError, match="not started"):
        _ = bridge.namespaces
    await bridge.stop()


async def test_it_starts_once():
    async with FakeBridge() as bridge:
        with pytest.raises(RuntimeError, match="starts once"):
            await bridge.start()


async def test_limits_are_told():
    async with FakeBridge(limits=Limits(event_bytes=123)) as bridge, Peer(bridge.address) as peer:
        assert (await peer.register("a")).limits.event_bytes == 123


# Stopping.


async def test_after_the_stop_nobody_answers():
    async with FakeBridge() as bridge:
        await beat(bridge.address)
    async with Peer(bridge.address) as peer, refused(Status.UNAVAILABLE):
        await peer.bridge.Heartbeat(stream_pb2.HeartbeatRequest(), timeout=PATIENCE)


async def test_stopping_twice_does_nothing():
    async with FakeBridge() as bridge:
        await bridge.stop()
        await bridge.stop()


async def test_the_port_can_be_used_again_at_once():
    async with FakeBridge() as bridge:
        port = int(bridge.address.rsplit(":", 1)[1])
        await beat(bridge.address)
    async with FakeBridge(port=port) as bridge:
        await beat(bridge.address)


async def test_a_stop_ends_streams_in_order(connect):
    async with FakeBridge() as bridge:
        stream = await connect(address=bridge.address).join("a", "t", features=["drain"])
        for _ in range(10):
            await stream.publish("t")
        for _ in range(10):
            await stream.delivery()
    status, details, events = await stream.end()
    assert status is Status.UNAVAILABLE
    assert "DRAINING" in details
    assert events[0].WhichOneof("msg") == "drain"
    assert all(event.err.code == "DRAINING" for event in events[1:])


async def test_open_calls_finish_within_the_grace(connect):
    async with FakeBridge() as bridge:
        peer = connect(address=bridge.address)
        stream = await peer.join("a", capabilities=["c"], features=["drain"])
        calling = peer.invoke("c")
        given = (await stream.read()).action_call
        stopping = asyncio.create_task(bridge.stop(grace=PATIENCE))
        assert (await stream.read()).drain.grace_ms == PATIENCE * 1000
        await stream.send(action_result={"id": given.id, "output": b"made it"})
        assert (await calling).output == b"made it"
        assert (await stream.end())[0] is Status.UNAVAILABLE
        async with asyncio.timeout(PATIENCE / 2):
            await stopping


async def test_new_work_is_refused_while_it_drains(connect):
    async with FakeBridge() as bridge:
        peer = connect(address=bridge.address)
        stream = await peer.join("a", capabilities=["c"], features=["drain"])
        calling = peer.invoke("c")
        await stream.read()
        stopping = asyncio.create_task(bridge.stop(grace=PATIENCE))
        await stream.read()
        async with refused(Status.UNAVAILABLE):
            await peer.register("b")
        assert (await peer.open_raw().end())[0] is Status.UNAVAILABLE
        assert (await peer.invoke("c")).error.code == "UNAVAILABLE"
        fresh = connect("elsewhere", address=bridge.address)
        fresh.channel = peer.channel
        async with refused(Status.UNAVAILABLE):
            await peer.bridge.Heartbeat(
                stream_pb2.HeartbeatRequest(), metadata=(("loom-namespace", "elsewhere"),)
            )
        calling.cancel()
        await stopping


async def test_calls_that_outlast_the_grace_are_ended(connect):
    async with FakeBridge() as bridge:
        peer = connect(address=bridge.address)
        stream = await peer.join("a", capabilities=["c"])
        calling = peer.invoke("c")
        await stream.read()
        async with asyncio.timeout(PATIENCE):
            await bridge.stop(grace=0.05)
        try:
            assert (await calling).error.code in {"PROVIDER_LOST", "UNAVAILABLE"}
        except grpc.aio.AioRpcError as error:
            assert error.code() is Status.UNAVAILABLE  # noqa: PT017 - either answer will do


async def test_a_virtual_clock_does_not_keep_it_from_stopping(bridge, connect):
    bridge.namespaces.create("virtual", virtual=True)
    stream = await connect("virtual").join("a", capabilities=["c"])
    calling = connect("virtual").invoke("c")
    await stream.read()
    async with asyncio.timeout(PATIENCE):
        await bridge.stop(grace=0.05)
    assert (await stream.end())[0] is Status.UNAVAILABLE
    calling.cancel()


async def test_peers_that_never_read_do_not_keep_it_from_stopping(connect):
    async with FakeBridge() as bridge:
        silent = await connect(address=bridge.address).join("silent", "t")
        publisher = await connect(address=bridge.address).join("p")
        for _ in range(40):
            await publisher.publish("t", b"x" * 200_000)
        await publisher.ping()
        async with asyncio.timeout(5):
            await bridge.stop()
        assert not silent.call.done() or await silent.call.code() is Status.UNAVAILABLE


async def test_a_cancelled_stop_still_stops(connect):
    async with FakeBridge() as bridge:
        peer = connect(address=bridge.address)
        stream = await peer.join("a", capabilities=["c"])
        calling = peer.invoke("c")
        await stream.read()
        stopping = asyncio.create_task(bridge.stop(grace=PATIENCE))
        await asyncio.sleep(0)
        stopping.cancel()
        async with asyncio.timeout(PATIENCE / 2):
            await asyncio.wait([stopping])
        assert (await stream.end())[0] is Status.UNAVAILABLE
        calling.cancel()


async def test_nothing_is_left_when_it_stopped(connect):
    before = asyncio.all_tasks()
    async with FakeBridge(testing=True) as bridge, Peer(bridge.address) as peer:
        streams = [await peer.join(f"a{number}", "t") for number in range(5)]
        await streams[0].publish("t")
        streams[1].call.cancel()
    await until(lambda: asyncio.all_tasks() <= before)
