"""Calls to a bridge in memory from threads, as gRPC's are made."""

from __future__ import annotations

import threading
from typing import Any

import grpc
import pytest

from loom.testing.v1 import control_pb2, control_pb2_grpc
from loom.v1 import action_pb2, agent_pb2, bridge_pb2_grpc, stream_pb2

PATIENCE = 10.0


def methods(channel):
    return bridge_pb2_grpc.BridgeStub(channel)


def test_a_call_is_answered(bridge):
    with bridge.sync_channel() as channel:
        assert methods(channel).Heartbeat(stream_pb2.HeartbeatRequest(timestamp_ms=7)).timestamp_ms == 7


def test_a_future_is_told_of(bridge):
    with bridge.sync_channel() as channel:
        over = threading.Event()
        call = methods(channel).Heartbeat.future(stream_pb2.HeartbeatRequest(timestamp_ms=7))
        call.add_done_callback(lambda call: over.set())
        assert over.wait(PATIENCE)
        assert (call.done(), call.cancelled(), call.exception()) == (True, False, None)
        assert (call.result().timestamp_ms, call.cancel()) == (7, False)


def test_a_call_that_ends_otherwise_raises_itself(bridge):
    with bridge.sync_channel() as channel, pytest.raises(grpc.RpcError) as caught:
        control_pb2_grpc.ControlStub(channel).Snapshot(control_pb2.SnapshotRequest(namespace="none"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert "none" in str(caught.value.details())


def test_a_call_takes_no_longer_than_it_may(bridge):
    with bridge.sync_channel() as channel:
        control = control_pb2_grpc.ControlStub(channel)
        control.CreateNamespace(control_pb2.CreateNamespaceRequest(namespace="n", virtual_clock=True))
        with pytest.raises(grpc.RpcError) as caught:
            control.Jump(control_pb2.JumpRequest(namespace="n"), timeout=0.01)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_several_answers_are_walked_over_until_they_are_given_up(bridge):
    with bridge.sync_channel() as channel:
        lines = control_pb2_grpc.ControlStub(channel).Watch(control_pb2.WatchRequest())
        methods(channel).RegisterAgent(agent_pb2.AgentRegisterRequest(agent_id="a"))
        assert '"register"' in next(lines).line
        lines.cancel()
        with pytest.raises(grpc.RpcError):
            list(lines)
        assert lines.code() is grpc.StatusCode.CANCELLED


def test_closing_gives_up_what_is_open_and_takes_nothing_new(bridge):
    channel = bridge.sync_channel()
    waiting = methods(channel).ForwardAction.future(action_pb2.ActionCall(capability="none", payload=b"1"))
    lines: Any = control_pb2_grpc.ControlStub(channel).Watch(control_pb2.WatchRequest())
    waiting.result(PATIENCE)
    channel.close()
    assert lines.cancelled()
    with pytest.raises(ValueError, match="closed channel"):
        methods(channel).Heartbeat(stream_pb2.HeartbeatRequest())


def test_streams_are_for_event_loops(bridge):
    with bridge.sync_channel() as channel, pytest.raises(TypeError, match="async channel"):
        methods(channel).EventStream(iter(()))


def test_it_is_always_connected(bridge):
    told = []
    with bridge.sync_channel() as channel:
        channel.subscribe(told.append)
        channel.unsubscribe(told.append)
    assert told == [grpc.ChannelConnectivity.READY]
