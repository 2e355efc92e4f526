"""The synchronous client, over a scripted transport: what it sends, and what each status becomes."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import grpc_testing
import pytest

from loom.agent import Agent
from loom.endpoint import Endpoint
from loom.errors import BridgeUnavailable, CapabilityNotFound, NotConnected
from loom.status import STATUSES
from loom.sync import SyncClient
from loom.v1 import action_pb2, bridge_pb2, stream_pb2

SERVICES = bridge_pb2.DESCRIPTOR.services_by_name
BRIDGE, BROKER = SERVICES["Bridge"], SERVICES["ActionBroker"]
ENDPOINT = Endpoint("bridge.example:1", "mine", token="s3cret")


@pytest.fixture
def channel():
    return grpc_testing.channel([BRIDGE, BROKER], grpc_testing.strict_real_time())


@pytest.fixture
def answer(channel):
    """Makes a call in a thread, and answers it like a bridge."""
    with ThreadPoolExecutor(1) as pool:

        def answer(method, act, response=None, status=grpc.StatusCode.OK, details=""):
            service = BROKER if method == "ListCapabilities" else BRIDGE
            result = pool.submit(act, SyncClient(ENDPOINT, channel))
            metadata, request, rpc = channel.take_unary_unary(service.methods_by_name[method])
            rpc.send_initial_metadata(())
            rpc.terminate(response, (), status, details)
            return dict(metadata), request, result

        yield answer


def test_every_call_carries_namespace_and_token(answer):
    pong = stream_pb2.HeartbeatResponse(status="ok")
    metadata, request, took = answer("Heartbeat", lambda client: client.heartbeat(), pong)
    assert metadata["loom-namespace"] == "mine"
    assert metadata["authorization"] == "Bearer s3cret"
    assert request.timestamp_ms > 0
    assert took.result(5) >= 0


def test_one_at_another_namespace_leaves_the_first_where_it_is(answer):
    pong = stream_pb2.HeartbeatResponse(status="ok")
    other, _, _ = answer(
        "Heartbeat", lambda client: client.at(Endpoint("bridge.example:1", "theirs")).heartbeat(), pong
    )
    assert (other["loom-namespace"], "authorization" in other) == ("theirs", False)

    def first(client):
        client.at(Endpoint("bridge.example:1", "theirs"))
        return client.heartbeat()

    mine, _, _ = answer("Heartbeat", first, pong)
    assert mine["loom-namespace"] == "mine"


def test_listing_capabilities(answer):
    listed = action_pb2.CapabilityDescriptor(name="web.search")
    response = action_pb2.ListCapabilitiesResponse(capabilities=[listed])
    _, _, result = answer("ListCapabilities", lambda client: client.list_capabilities(), response)
    assert result.result(5) == [listed]


def test_calling(answer):
    response = action_pb2.ActionResult(status=action_pb2.ACTION_OK, output=b"[1]")

    def act(client):
        return client.call("web.search", {"query": "x"}, version="1", timeout=2, call_id="key")

    _, request, result = answer("ForwardAction", act, response)
    assert result.result(5) == [1]
    assert (request.capability, request.version, request.id) == ("web.search", "1", "key")
    assert (request.payload, request.timeout_ms) == (b'{"query":"x"}', 2000)


def test_a_call_that_failed_is_its_exception(answer):
    error = action_pb2.ActionError(code="NOT_FOUND", message="no agent offers it")
    response = action_pb2.ActionResult(status=action_pb2.ACTION_ERROR, error=error)
    _, _, result = answer("ForwardAction", lambda client: client.call("web.search"), response)
    with pytest.raises(CapabilityNotFound, match=r"web\.search"):
        result.result(5)


@pytest.mark.parametrize("status", [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK])
def test_every_status_becomes_its_error(answer, status):
    _, _, result = answer("Heartbeat", lambda client: client.heartbeat(), status=status, details="because")
    with pytest.raises(STATUSES[status].error, match=r"because") as caught:
        result.result(5)
    assert type(caught.value) is STATUSES[status].error
    assert caught.value.code == STATUSES[status].code
    assert not isinstance(caught.value.__cause__, grpc.RpcError)
    assert "s3cret" not in str(caught.value)


async def test_on_a_real_bridge(bridge):
    """The calls block: they are made in a thread, while the bridge serves in this loop."""
    from loom.threads import run_in_thread

    def act():
        with SyncClient(Endpoint(bridge.address)) as client:
            assert client.heartbeat() < 5
            assert client.list_capabilities() == []
            with pytest.raises(CapabilityNotFound):
                client.call("nothing")
        with pytest.raises(NotConnected, match="the client is closed"):
            client.heartbeat()
        return threading.current_thread()

    assert await run_in_thread(act) is not threading.main_thread()


async def test_a_coroutine_may_call_on_the_loop_that_serves(bridge):
    with SyncClient(Endpoint(bridge.address)) as client, pytest.raises(CapabilityNotFound):
        await client.call_from_loop("nothing")
    with pytest.raises(NotConnected, match="the client is closed"):
        await client.call_from_loop("nothing")
    with SyncClient(Endpoint("127.0.0.1:1")) as client, pytest.raises(BridgeUnavailable):
        await client.call_from_loop("nothing")


async def test_a_coroutine_calls_by_the_channel_that_agents_of_its_loop_share(bridge):
    endpoint = Endpoint(bridge.address, shares_connection=True)
    agent = Agent("greeter", endpoint=endpoint)
    begun, gone = asyncio.Event(), asyncio.Event()

    @agent.capability("greet")
    async def greet(name: str) -> str:
        return f"Hello, {name}!"

    @agent.capability("wait")
    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    async with agent:
        with SyncClient(endpoint) as client:
            pass  # its own channel is closed: it can only be the agent's
        assert await client.call_from_loop("greet", {"name": "Ada"}) == "Hello, Ada!"
        with pytest.raises(CapabilityNotFound):
            await client.call_from_loop("nothing")
        waiting = asyncio.create_task(client.call_from_loop("wait"))
        await begun.wait()
        waiting.cancel()
        async with asyncio.timeout(10):
            await gone.wait()
    with pytest.raises(NotConnected, match="the client is closed"):
        await client.call_from_loop("greet", {"name": "Ada"})


def test_where_nobody_answers():
    with (
        SyncClient(Endpoint("127.0.0.1:1")) as client,
        pytest.raises(BridgeUnavailable, match="no bridge answers"),
    ):
        client.heartbeat()
