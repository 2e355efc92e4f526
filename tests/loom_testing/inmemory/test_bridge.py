"""The fake bridge in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import grpc
import grpc.aio
import pytest

from loom.testing.v1 import control_pb2, control_pb2_grpc
from loom.v1 import bridge_pb2_grpc, stream_pb2
from loom_testing.inmemory import InMemoryBridge


def test_it_ends_with_its_thread_and_may_be_stopped_twice():
    before = set(threading.enumerate())
    bridge = InMemoryBridge()
    bridge.start()
    assert len(set(threading.enumerate()) - before) == 1
    bridge.stop()
    bridge.stop()
    assert set(threading.enumerate()) <= before


async def test_stopping_ends_what_is_open(bridge):
    stub: Any = bridge_pb2_grpc.BridgeStub(bridge.channel())
    call = stub.EventStream()
    await call.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="nobody")))
    assert (await stub.Heartbeat(stream_pb2.HeartbeatRequest(timestamp_ms=1))).status == "ok"
    await asyncio.to_thread(bridge.stop)
    with pytest.raises(grpc.aio.AioRpcError):
        await call.read()


async def test_who_waits_is_told_that_it_stops_and_who_comes_later_too(bridge):
    channel, threads = bridge.channel(), bridge.sync_channel()
    stub: Any = bridge_pb2_grpc.BridgeStub(channel)
    silent = stub.EventStream()  # no handshake: nothing of the protocol ends it
    lines: Any = control_pb2_grpc.ControlStub(threads).Watch(control_pb2.WatchRequest())
    assert (await stub.Heartbeat(stream_pb2.HeartbeatRequest(timestamp_ms=1))).status == "ok"
    await asyncio.to_thread(bridge.stop)
    for late in (silent.read(), stub.Heartbeat(stream_pb2.HeartbeatRequest())):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await late
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert lines.code() is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(grpc.RpcError):
        bridge_pb2_grpc.BridgeStub(threads).Heartbeat(stream_pb2.HeartbeatRequest())


def test_each_has_an_address_of_its_own(bridge):
    other = InMemoryBridge()
    assert bridge.address.startswith("memory:")
    assert other.address != bridge.address
