"""Keeping an agent connected: coming back, giving up, and telling who waits."""

import asyncio

import pytest

from loom import connection as module
from loom.client import BridgeClient
from loom.endpoint import Endpoint
from loom.errors import BridgeUnavailable, DeadlineExceeded, NotConnected, ProtocolError, Superseded
from loom.registration import Registration, Subscription
from loom.testing.v1 import control_pb2
from loom.v1 import action_pb2, event_pb2
from loom_testing.bridge import FakeBridge
from tests.loom.conftest import live, steps
from tests.loom.standing import quiet
from tests.loom.test_client import Received
from tests.loom_testing.peers import Peer

ME = Registration("me", (Subscription("t"),), (action_pb2.CapabilityDescriptor(name="work"),))


@pytest.fixture
async def control(bridge):
    async with Peer(bridge.address) as peer:
        yield peer.control


@pytest.fixture
async def connected(bridge):
    async with BridgeClient(bridge.endpoint) as client:
        received = Received()
        await client.connect(ME, received)
        yield client, received


def named(client):
    return {"namespace": client.endpoint.namespace, "agent_id": "me"}


async def test_after_a_broken_stream_it_is_back_as_it_was(connected, control):
    client, received = connected
    epoch = client.epoch
    await control.Disconnect(control_pb2.DisconnectRequest(**named(client)))
    error = await received.losses.get()
    assert isinstance(error, BridgeUnavailable)
    await live(client)
    assert client.epoch > epoch
    assert await client.publish("t", event_pb2.Event(id="again")) == 1
    assert (await received.events.get())[1].id == "again"
    assert [item.name for item in await client.list_capabilities()] == ["work"]


async def test_a_publish_that_was_under_way_is_sent_again_and_accepted_once(bridge, connected, control):
    client, _ = connected
    # The bridge writes nothing: the event is accepted, its receipt and its delivery are held.
    await control.Hold(control_pb2.HoldRequest(**named(client)))
    async with steps(bridge) as step:
        publishing = asyncio.create_task(client.publish("t", event_pb2.Event(id="once")))
        await step('"publish"')
        fragile = asyncio.create_task(client.publish("t", event_pb2.Event(id="fragile"), resend=False))
        await step('"publish"')
    await control.Disconnect(control_pb2.DisconnectRequest(**named(client)))
    with pytest.raises(BridgeUnavailable):
        await fragile
    assert await publishing == 1
    assert client.is_live


async def test_a_superseded_client_stays_away_and_says_why(bridge, connected):
    client, received = connected
    async with BridgeClient(bridge.endpoint) as newest:
        await newest.connect(ME, Received())
        with pytest.raises(Superseded, match="replicas=True"):
            await client.wait_ended()
        assert isinstance(await received.losses.get(), Superseded)
        with pytest.raises(Superseded):
            await client.publish("t", event_pb2.Event())
        with pytest.raises(Superseded):
            await client.invoke(action_pb2.ActionCall(capability="work"))
        assert newest.is_live


async def test_what_is_new_waits_a_little_for_a_bridge_that_is_away(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    async with BridgeClient(Endpoint("127.0.0.1:1")) as client:
        async with FakeBridge() as bridge:
            client.endpoint = Endpoint(bridge.address)
            received = Received()
            await client.connect(ME, received)
        await received.losses.get()
        with pytest.raises(BridgeUnavailable, match=r"is away, and was not back in 0\.1 s"):
            await client.invoke(action_pb2.ActionCall(capability="work"), timeout=30)
        with pytest.raises(BridgeUnavailable, match="is away"):
            await client.publish("t", event_pb2.Event(), confirm=False)
        with pytest.raises(BridgeUnavailable, match="is away"):
            await client.publish("t", event_pb2.Event(), resend=False)
        with pytest.raises(DeadlineExceeded, match=r"was not confirmed within 0\.05 s; it may arrive"):
            await client.publish("t", event_pb2.Event(), timeout=0.05)
        assert not client.post("t", event_pb2.Event())


async def test_leaving_while_the_bridge_is_away_ends_every_wait():
    client, received = BridgeClient(Endpoint("127.0.0.1:1")), Received()
    async with FakeBridge() as bridge:
        client.endpoint = Endpoint(bridge.address)
        await client.connect(ME, received)
    await received.losses.get()
    publishing = asyncio.create_task(client.publish("t", event_pb2.Event()))
    calling = asyncio.create_task(client.invoke(action_pb2.ActionCall(capability="work")))
    await quiet()
    assert client._connection._receipts
    await client.close()
    with pytest.raises(NotConnected, match="was stopped before the publish was confirmed"):
        await publishing
    with pytest.raises(NotConnected):
        await calling


async def test_it_looks_for_the_bridge_again_where_it_may_be_elsewhere():
    async with FakeBridge() as second:

        async def again():
            return Endpoint(second.address)

        async with FakeBridge() as first:
            client, received = BridgeClient(Endpoint(first.address), again=again), Received()
            await client.connect(ME, received)
        await received.losses.get()
        await live(client)
        assert client.endpoint.address == second.address
        assert await client.publish("t", event_pb2.Event()) == 1
        await client.close()


async def test_a_bridge_that_left_before_the_first_stream_is_looked_for_too(bridge):
    async def again():
        return Endpoint(bridge.address)

    async with BridgeClient(Endpoint("127.0.0.1:1"), again=again) as client:
        await client.connect(ME, Received())
        assert client.endpoint.address == bridge.address


async def test_a_stranger_is_no_bridge():
    import grpc.aio

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        async with BridgeClient(Endpoint(address)) as client:
            with pytest.raises(ProtocolError, match="answers in a way no Loom bridge does"):
                await client.connect(ME, Received(), timeout=10)
    finally:
        await server.stop(None)


async def test_a_fault_of_the_receiver_ends_the_connection_and_is_told(bridge, caplog):
    class Faulty(Received):
        def delivered(self, topic, event):
            raise RuntimeError("boom")

    async with BridgeClient(bridge.endpoint) as client:
        await client.connect(ME, Faulty())
        client.post("t", event_pb2.Event())
        with pytest.raises(Exception, match="the connection failed: RuntimeError: boom"):
            await client.wait_ended()
    assert "failed in a way it should not" in caplog.text


async def test_coming_and_going_is_logged_once_each(connected, control, caplog):
    caplog.set_level("INFO", "loom.connection")
    client, received = connected
    await control.Disconnect(control_pb2.DisconnectRequest(**named(client)))
    await received.losses.get()
    await live(client)
    lines = [record.message for record in caplog.records if record.name == "loom.connection"]
    assert len(lines) == 2
    assert "trying again" in lines[0]
    assert "connected again" in lines[1]
