"""Calls to a bridge in memory from an event loop, as grpc.aio's are made."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

from loom.v1 import agent_pb2, bridge_pb2_grpc, event_pb2, stream_pb2
from loom_testing.inmemory import InMemoryBridge
from loom_testing.inmemory.line import WINDOW

PATIENCE = 10.0


def stub(bridge: InMemoryBridge) -> Any:
    return bridge_pb2_grpc.BridgeStub(bridge.channel())


async def joined(stub: Any, agent: str = "a", *topics: str) -> Any:
    answer = await stub.RegisterAgent(
        agent_pb2.AgentRegisterRequest(agent_id=agent, subscribed_topics=topics)
    )
    assert answer.success
    call = stub.EventStream()
    await call.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id=agent)))
    await call.initial_metadata()
    return call


async def test_a_call_is_answered(bridge):
    call = stub(bridge).Heartbeat(stream_pb2.HeartbeatRequest(timestamp_ms=7))
    assert (await call).timestamp_ms == 7
    assert (await call.code(), await call.details(), call.done()) == (grpc.StatusCode.OK, "", True)
    assert call.cancel() is False


async def test_a_stream_goes_to_and_fro(bridge):
    call = await joined(stub(bridge))
    await call.write(stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest(timestamp_ms=3)))
    assert (await call.read()).pong.timestamp_ms == 3
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(stream_pb2.ClientEvent())


async def test_a_call_that_ends_otherwise_raises_how(bridge):
    call = stub(bridge).EventStream()
    await call.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="nobody")))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_messages_of_another_size_are_refused(bridge):
    request = agent_pb2.AgentRegisterRequest(agent_id="a" * 200_000)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub(bridge).RegisterAgent(request)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_call_takes_no_longer_than_it_may(bridge):
    call = stub(bridge).EventStream(timeout=0.01)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_giving_up_a_stream_breaks_it(bridge):
    call = await joined(stub(bridge))
    told = []
    call.add_done_callback(told.append)
    assert call.cancel()
    assert (call.cancelled(), told) == (True, [call])
    with pytest.raises(asyncio.CancelledError):
        await call.read()
    again = await joined(stub(bridge))  # the bridge knows that the stream is gone
    again.cancel()


async def test_closing_the_channel_gives_up_what_is_open(bridge):
    channel = bridge.channel()
    call = await joined(bridge_pb2_grpc.BridgeStub(channel))
    async with channel:
        pass
    assert call.cancelled()


async def test_who_is_not_read_is_not_written_to(bridge):
    """A subscriber that takes nothing holds its bridge back, as on a socket."""
    methods = stub(bridge)
    slow = await joined(methods, "slow", "t")
    publisher = await joined(methods, "publisher")
    event = event_pb2.Publish(topic="t", event={"id": "e", "payload": b"x" * 10_000})
    sent = 4 * WINDOW // 10_000
    for _ in range(sent):
        await publisher.write(stream_pb2.ClientEvent(publish=event))
    await publisher.write(stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest(timestamp_ms=1)))
    async with asyncio.timeout(PATIENCE):
        assert (await publisher.read()).pong.timestamp_ms == 1
        assert slow._answers._told == 0
        got = [await slow.read() for _ in range(sent)]
    assert {message.delivery.topic for message in got} == {"t"}
    slow.cancel()
    publisher.cancel()


async def test_bytes_that_are_no_message_are_none(bridge):
    call = bridge.channel().unary_unary(
        "/loom.v1.Bridge/Heartbeat", response_deserializer=agent_pb2.AgentRegisterResponse.FromString
    )
    assert await call(stream_pb2.HeartbeatRequest(timestamp_ms=1).SerializeToString()) is not None


async def test_a_channel_is_always_connected(bridge):
    channel = bridge.channel()
    await channel.channel_ready()
    assert channel.get_state() is grpc.ChannelConnectivity.READY
