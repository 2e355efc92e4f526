"""BridgeClient as its low-level user sees it."""

import asyncio
import socket

import grpc
import grpc.aio
import pytest

from loom.client import BridgeClient
from loom.endpoint import Endpoint
from loom.errors import BridgeUnavailable, DeadlineExceeded, NotConnected, PublishRefused
from loom.registration import Registration, Subscription
from loom.v1 import action_pb2, event_pb2
from loom_testing.bridge import FakeBridge
from tests.loom.conftest import live


class Received:
    """A receiver that keeps what comes in."""

    def __init__(self):
        self.events = asyncio.Queue()
        self.calls = asyncio.Queue()
        self.cancels = asyncio.Queue()
        self.losses = asyncio.Queue()

    def delivered(self, topic, event):
        self.events.put_nowait((topic, event))

    def called(self, call):
        self.calls.put_nowait(call)

    def cancelled(self, call_id, code):
        self.cancels.put_nowait((call_id, code))

    def lost(self, error):
        self.losses.put_nowait(error)

    def room(self):
        return None

    def busy(self):
        return []


@pytest.fixture
async def client(bridge):
    async with BridgeClient(bridge.endpoint) as client:
        yield client


@pytest.fixture
def received():
    return Received()


def offer(name):
    return action_pb2.CapabilityDescriptor(name=name)


async def test_unary_calls_need_no_agent(client):
    assert await client.heartbeat() < 5
    assert await client.list_capabilities() == []
    result = await client.invoke(action_pb2.ActionCall(id="1", capability="nothing"))
    assert (result.id, result.error.code) == ("1", "NOT_FOUND")
    assert not client.is_live
    assert client.features == frozenset()
    assert client.epoch == 0


async def test_without_a_stream_there_is_nothing_to_publish_on(client):
    with pytest.raises(NotConnected, match="connect it first"):
        await client.publish("t", event_pb2.Event())
    with pytest.raises(NotConnected):
        client.answer(action_pb2.ActionResult())


async def test_events_calls_and_their_answers(client, received):
    registration = Registration("me", (Subscription("t"),), (offer("work"),))
    await client.connect(registration, received)
    assert client.is_live
    assert client.confirms
    assert client.epoch > 0
    event = event_pb2.Event(id="e", payload=b"\x00", metadata={"any": "thing"})
    assert await client.publish("t", event) == 1
    assert await received.events.get() == ("t", event)
    call = asyncio.create_task(client.invoke(action_pb2.ActionCall(id="mine", capability="work"), timeout=9))
    given = await received.calls.get()
    assert given.id != "mine"
    assert 0 < given.timeout_ms <= 9000
    assert client.answer(action_pb2.ActionResult(id=given.id, output=b"done"))
    result = await call
    assert (result.id, result.output) == ("mine", b"done")


async def test_a_call_that_nobody_waits_for_is_cancelled(client, received):
    await client.connect(Registration("me", (), (offer("work"),)), received)
    call = asyncio.create_task(client.invoke(action_pb2.ActionCall(capability="work")))
    given = await received.calls.get()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await received.cancels.get() == (given.id, "CANCELLED")


async def test_the_bridge_ends_a_call_at_its_deadline(client, received):
    await client.connect(Registration("me", (), (offer("work"),)), received)
    result = await client.invoke(action_pb2.ActionCall(capability="work"), timeout=0.05)
    assert result.error.code == "TIMEOUT"


async def test_refusals_are_told_with_the_bridges_reason(client, received):
    await client.connect(Registration("me"), received)
    with pytest.raises(PublishRefused, match="has an empty token") as caught:
        await client.publish("a..b", event_pb2.Event())
    assert caught.value.code == "INVALID_TOPIC"
    with pytest.raises(PublishRefused) as caught:
        await client.publish("a", event_pb2.Event(metadata={"loom.ttl_ms": "soon"}))
    assert caught.value.code == "INVALID_TTL"
    assert client.is_live


async def test_an_event_too_large_is_refused_and_the_stream_lives(client, received):
    await client.connect(Registration("me"), received)
    with pytest.raises(PublishRefused, match="are taken: send less") as caught:
        await client.publish("t", event_pb2.Event(payload=bytes(2**21)))
    assert caught.value.code == "LIMIT_EXCEEDED"
    assert client.is_live
    assert received.losses.empty()


async def test_many_publishes_at_once_keep_their_order(client, received):
    await client.connect(Registration("me", (Subscription("t"),)), received)
    count = 3000  # more than the bridge keeps outcomes of
    matched = await asyncio.gather(
        *(client.publish("t", event_pb2.Event(id=str(number))) for number in range(count))
    )
    assert matched == [1] * count
    ids = [(await received.events.get())[1].id for _ in range(count)]
    assert sorted(ids, key=int) == [str(number) for number in range(count)]


async def test_unconfirmed_publishes_wait_for_nothing(client, received):
    await client.connect(Registration("me", (Subscription("t"),)), received)
    assert await client.publish("t", event_pb2.Event(id="a"), confirm=False) == -1
    assert client.post("t", event_pb2.Event(id="b"))
    assert not client.post("t", event_pb2.Event(payload=bytes(2**21)))
    assert [(await received.events.get())[1].id for _ in range(2)] == ["a", "b"]


async def test_the_registration_is_replaced_under_a_live_stream(client, received):
    await client.connect(Registration("me", (Subscription("t"),)), received)
    epoch = client.epoch
    await client.replace(Registration("me", (Subscription("u"),)))
    assert await client.publish("t", event_pb2.Event()) == 0
    assert await client.publish("u", event_pb2.Event()) == 1
    assert client.epoch == epoch


async def test_a_flush_brings_everything_that_was_queued_before_it(client, received):
    await client.connect(Registration("me", (Subscription("t"),)), received)
    for _ in range(100):
        client.post("t", event_pb2.Event())
    await client.flush(timeout=10)
    assert received.events.qsize() == 100


async def test_a_client_has_one_stream(client, received):
    await client.connect(Registration("me"), received)
    with pytest.raises(NotConnected, match="one client per agent"):
        await client.connect(Registration("you"), received)


async def test_after_the_close_everything_says_so(client, received):
    await client.connect(Registration("me"), received)
    await client.close("done")
    await client.close()
    await client.wait_ended()
    assert not client.is_live
    with pytest.raises(NotConnected, match="was stopped"):
        await client.publish("t", event_pb2.Event())
    assert not client.answer(action_pb2.ActionResult())
    assert received.losses.empty()


async def test_closing_under_a_waiting_call_is_no_cancellation():
    async with FakeBridge() as bridge:
        client, received = BridgeClient(Endpoint(bridge.address)), Received()
        await client.connect(Registration("me", (), (offer("work"),)), received)
        call = asyncio.create_task(client.invoke(action_pb2.ActionCall(capability="work")))
        await received.calls.get()
        await client.drop_channel()
        with pytest.raises(BridgeUnavailable, match="was lost before the answer came"):
            await call
        assert isinstance(await received.losses.get(), BridgeUnavailable)
        await live(client)
        await client.close()


async def test_where_nobody_answers():
    async with BridgeClient(Endpoint("127.0.0.1:1")) as client:
        with pytest.raises(BridgeUnavailable, match=r"no bridge answers at 127\.0\.0\.1:1"):
            await client.heartbeat()
        with pytest.raises(BridgeUnavailable):
            await client.connect(Registration("me"), Received(), timeout=0.1)


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        async with BridgeClient(Endpoint(address)) as client:
            with pytest.raises((BridgeUnavailable, DeadlineExceeded)):
                await client.heartbeat(timeout=0.2)
            with pytest.raises((BridgeUnavailable, DeadlineExceeded)):
                await client.connect(Registration("me"), Received(), timeout=0.2)


async def test_who_gives_up_waiting_for_room_leaves_it_to_the_others(bridge, received):
    async with BridgeClient(bridge.endpoint) as client:
        await client.connect(Registration("me"), received)
        client._connection.session._outcomes = 1
        first, second, third = (asyncio.create_task(client.publish("t", event_pb2.Event())) for _ in range(3))
        await asyncio.sleep(0)
        assert len(client._connection._line) == 2
        second.cancel()
        assert await first == 0
        assert await third == 0
        with pytest.raises(asyncio.CancelledError):
            await second


class Garbler(grpc.GenericRpcHandler):
    """A bridge whose answers are bytes that are no message."""

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(self.answer)

    async def answer(self, request, context):
        return b"\xff" * 12


async def test_an_answer_that_is_no_message_is_a_bridge_in_trouble():
    """gRPC tells of such bytes by None."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Garbler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with BridgeClient(Endpoint(f"127.0.0.1:{port}")) as client:
        with pytest.raises(BridgeUnavailable, match=r"sent bytes that are no message"):
            await client.list_capabilities()
        with pytest.raises(BridgeUnavailable, match=r"sent bytes that are no message"):
            await client.connect(Registration("me"), Received(), timeout=0.3)
    await server.stop(None)
