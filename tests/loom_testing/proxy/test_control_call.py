"""A call of the proxy's own."""

from __future__ import annotations

import pytest

from loom.endpoint import Endpoint
from loom.testing.v1 import control_pb2 as c
from loom_testing.driver import Refused
from loom_testing.proxy.control_call import ControlCall
from loom_testing.proxy.dialling import Dial
from loom_testing.proxy.framing import Frame
from loom_testing.proxy.signals import Signal
from tests.loom_testing.peers import PATIENCE
from tests.loom_testing.proxy.memory import connected, virtual_namespace

PARTICIPATE = "/loom.testing.v1.Control/Participate"


@pytest.fixture
def dial(bridge):
    return Dial(Endpoint(bridge.address))


async def test_messages_go_both_ways(dial, peer):
    await virtual_namespace(peer)
    call = await ControlCall.opened(dial, PARTICIPATE)
    call.send(c.ParticipateRequest(join=c.Join(namespace="ns", participant="me")).SerializeToString())
    told = c.ParticipateResponse.FromString(await call.receive())
    assert (told.turn, told.fire) == (1, False)
    assert told.now_us > 0
    await peer.control.Reset(c.ResetRequest(namespace="ns"), timeout=PATIENCE)
    with pytest.raises(Refused) as caught:
        await call.receive()
    assert caught.value.status == "UNAVAILABLE"
    call.close()


async def test_a_refusal(dial):
    call = await ControlCall.opened(dial, PARTICIPATE)
    call.send(b"\xff" * 9)
    with pytest.raises(Refused) as caught:
        await call.receive()
    assert caught.value.status == "INVALID_ARGUMENT"
    call.close()


async def test_a_method_that_is_not_there(dial):
    call = await ControlCall.opened(dial, "/loom.testing.v1.Control/Sing")
    with pytest.raises(Refused) as caught:
        await call.receive()
    assert caught.value.status == "UNIMPLEMENTED"
    call.close()


async def test_a_bridge_that_goes_away(dial, bridge):
    call = await ControlCall.opened(dial, PARTICIPATE)
    await bridge.stop()
    with pytest.raises((OSError, Refused)):
        await call.receive()
    with pytest.raises(OSError, match=r"refused|Connect"):
        await ControlCall.opened(dial, PARTICIPATE)
    call.close()


async def test_a_call_that_never_stood_can_be_closed():
    call = ControlCall()
    call.send(b"x")
    call.close()


async def test_whatever_ends_it_is_told():
    for tell, error in (
        (lambda call, wire: call.on_reset(wire, 1, 8), ConnectionResetError),
        (lambda call, wire: call.on_lost(wire, in_order=True), ConnectionResetError),
        (lambda call, wire: call.on_data(wire, 1, b"", ended=True), Refused),
        (lambda call, wire: call.on_headers(wire, 1, [(b"grpc-status", b"5")], ended=True), Refused),
    ):
        call = ControlCall()
        tell(call, connected().client)
        with pytest.raises(error):
            await call.receive()


async def test_it_says_that_somebody_is_there():
    pair, call = connected(), ControlCall()
    call.on_signal(pair.client, Signal.PING, b"01234567")
    call.on_signal(pair.client, Signal.GOAWAY, b"")
    pair.flow()
    assert pair.at_server.take("signal") == [("signal", Signal.PONG, b"01234567")]


async def test_what_comes_in_pieces_comes_whole():
    pair, call = connected(), ControlCall()
    stream = pair.client.open(
        [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"")]
    )
    for byte in Frame(b"hello").wire() + Frame(b"").wire():
        call.on_data(pair.client, stream, bytes([byte]), ended=False)
    call.on_settings(pair.client)
    call.on_room(pair.client, stream)
    call.on_headers(pair.client, stream, [], ended=False)
    assert [await call.receive(), await call.receive()] == [b"hello", b""]
