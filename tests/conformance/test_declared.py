import socket

import grpc
import grpc.aio
import pytest

from loom.v1 import agent_pb2
from loom_conformance import declared as declaring
from loom_conformance.declared import Unreachable, ask
from loom_conformance.target import Target
from loom_testing import FakeBridge
from loom_testing.engine.limits import FEATURES, Limits


async def test_a_bridge_for_testing():
    async with FakeBridge(testing=True, limits=Limits(event_bytes=77)) as bridge:
        declared = await ask(Target(bridge.address))
    assert declared.features == {*FEATURES, "control", "namespaces"}
    assert declared.server["name"] == "loom-testing"
    assert declared.limits["event_bytes"] == 77


async def test_a_bridge_that_is_not_for_testing_has_no_control():
    async with FakeBridge() as bridge:
        assert "control" not in (await ask(Target(bridge.address))).features


async def test_one_that_we_can_start_has_process():
    async with FakeBridge() as bridge:
        assert "process" in (await ask(Target(bridge.address, start=list))).features


@pytest.fixture
async def serve():
    """Serves one method of the bridge in a way of the test's own; all others are not there."""
    servers = []

    async def start(register):
        server = grpc.aio.server()
        handler = grpc.unary_unary_rpc_method_handler(
            register,
            request_deserializer=agent_pb2.AgentRegisterRequest.FromString,
            response_serializer=agent_pb2.AgentRegisterResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("loom.v1.Bridge", {"RegisterAgent": handler}),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        servers.append(server)
        return f"127.0.0.1:{port}"

    yield start
    for server in servers:
        await server.stop(None)


async def test_a_bridge_of_the_base_level_declares_nothing(serve):
    async def register(request, context):
        return agent_pb2.AgentRegisterResponse(success=True)

    declared = await ask(Target(await serve(register)))
    assert declared.features == set()
    assert declared.server == {"name": "", "version": "", "protocol": ""}
    assert declared.limits == {}


async def test_a_bridge_that_refuses_everybody_cannot_be_tested(serve):
    async def register(request, context):
        return agent_pb2.AgentRegisterResponse(error_message="closed today")

    with pytest.raises(Unreachable, match="refuses a plain registration: closed today"):
        await ask(Target(await serve(register)))


async def test_a_token_goes_along(serve):
    seen = {}

    async def register(request, context):
        seen.update(dict(context.invocation_metadata()))
        return agent_pb2.AgentRegisterResponse(success=True)

    await ask(Target(await serve(register), token="secret"))
    assert seen["authorization"] == "Bearer secret"


async def test_nobody_there(monkeypatch):
    monkeypatch.setattr(declaring, "CONNECT_S", 0.2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(Unreachable, match=r"no answer within 0\.2 s"):
            await ask(Target(f"127.0.0.1:{taken.getsockname()[1]}"))
