"""The generated code loads and works with the libraries that are installed, the oldest and the newest.

Kept free of the rest of Loom's tests, so that it is what a run against the oldest libraries needs.
"""

from __future__ import annotations

import importlib
from concurrent import futures
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory
from hypothesis import HealthCheck, given, settings

from loom.testing.v1 import control_pb2, control_pb2_grpc
from loom.v1 import action_pb2, bridge_pb2, bridge_pb2_grpc, stream_pb2
from tests.wire.generated import ALL, messages
from tests.wire.random_messages import random_messages

CLASSES = {
    descriptor.full_name: message_factory.GetMessageClass(descriptor)
    for module in ALL
    for descriptor in messages((module,)).values()
}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_message_survives_the_wire(name: str) -> None:
    kind = CLASSES[name]

    @settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
    @given(random_messages(kind))
    def survives(message: Any) -> None:
        data = message.SerializeToString()
        assert kind.FromString(data) == message
        assert kind.FromString(data).SerializeToString(deterministic=True) == message.SerializeToString(
            deterministic=True
        )

    survives()


@pytest.mark.parametrize("module", ["loom.v1", "loom.testing.v1", "loom.view.v1"])
def test_the_packages_are_packages(module: str) -> None:
    assert importlib.import_module(module).__doc__


class Bridge(bridge_pb2_grpc.BridgeServicer):
    def Heartbeat(self, request: Any, context: Any) -> stream_pb2.HeartbeatResponse:  # noqa: N802 - generated name
        return stream_pb2.HeartbeatResponse(timestamp_ms=request.timestamp_ms, status="ok")

    def EventStream(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802 - generated name
        for item in request_iterator:
            yield stream_pb2.ServerEvent(
                pong=stream_pb2.HeartbeatResponse(timestamp_ms=item.ping.timestamp_ms)
            )


def test_stubs_and_servicers_speak_to_each_other() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2), options=[("grpc.so_reuseport", 0)])
    bridge_pb2_grpc.add_BridgeServicer_to_server(Bridge(), server)  # type: ignore[abstract]  # the rest: UNIMPLEMENTED
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = bridge_pb2_grpc.BridgeStub(channel)
            answer = stub.Heartbeat(stream_pb2.HeartbeatRequest(timestamp_ms=7), timeout=10)
            assert (answer.timestamp_ms, answer.status) == (7, "ok")
            pings = [stream_pb2.ClientEvent(ping=stream_pb2.HeartbeatRequest(timestamp_ms=n)) for n in (1, 2)]
            pongs = [item.pong.timestamp_ms for item in stub.EventStream(iter(pings), timeout=10)]
            assert pongs == [1, 2]
            with pytest.raises(grpc.RpcError) as caught:
                stub.ForwardAction(action_pb2.ActionCall(), timeout=10)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    finally:
        server.stop(None).wait()


def test_every_service_has_a_stub_and_a_servicer() -> None:
    for module, stubs in ((bridge_pb2, bridge_pb2_grpc), (control_pb2, control_pb2_grpc)):
        for name, service in module.DESCRIPTOR.services_by_name.items():
            servicer = getattr(stubs, f"{name}Servicer")
            assert hasattr(stubs, f"{name}Stub")
            assert all(hasattr(servicer, method.name) for method in service.methods)
