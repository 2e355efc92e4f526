"""One client's connection, and its counterpart to the bridge."""

from __future__ import annotations

import asyncio

import grpc

from loom.testing.v1 import control_pb2 as c
from loom_testing.proxy import Proxy
from loom_testing.proxy.link import Link
from loom_testing.proxy.signals import Signal, signal_bytes
from loom_testing.proxy.wire import Wire
from loom_testing.transcript import Kind
from tests.loom_testing.peers import Peer, refused, until
from tests.loom_testing.proxy.memory import Pipe, virtual_namespace

PING = b"01234567"


def only(proxy: Proxy) -> Link:
    (link,) = proxy._links
    return link


async def test_it_knows_who_speaks_over_it(proxy, through):
    await through.join("me")
    assert only(proxy).agents == {"me"}
    await through.invoke("none", headers={"x-agent-id": "other"})
    assert only(proxy).agent == "me"


async def test_when_the_client_leaves_so_does_its_counterpart(proxy, bridge, connect):
    async with Peer(proxy.address) as peer:
        await peer.join("me")
        link = only(proxy)
    await until(lambda: not proxy._links)
    assert [wire.is_open for wire in link._wires()] == [False, False]
    resets = [entry.who for entry in proxy.recorder.transcript().entries if entry.kind is Kind.RESET]
    assert resets == ["me"]


async def test_when_the_bridge_leaves_so_does_the_client(proxy, through, bridge):
    stream = await through.join("me")
    await bridge.stop()
    code, _, _ = await stream.end()
    assert code is grpc.StatusCode.UNAVAILABLE
    await until(lambda: not proxy._links)


async def test_what_was_said_before_the_bridge_left_still_arrives(through, bridge):
    stream, writer = await through.join("me", "t"), await through.join("writer")
    for number in range(50):
        await writer.publish("t", bytes([number]) * 1_000)
    await writer.ping()
    stopping = asyncio.create_task(bridge.stop())
    _, _, events = await stream.end()
    await stopping
    assert [event.delivery.event.payload[0] for event in events if event.HasField("delivery")] == list(
        range(50)
    )


async def test_cutting_it_resets_both_sides(proxy, through):
    stream = await through.join("me")
    link = only(proxy)
    link.cut()
    code, _, _ = await stream.end()
    assert code is grpc.StatusCode.UNAVAILABLE
    await until(lambda: not proxy._links)
    link.cut()  # once more is as good
    link.close()


async def test_what_is_stopped_by_two_goes_on_when_both_have_ended(proxy, through):
    stream = await through.join("me")
    link = only(proxy)
    for fault in 1, 2:
        link.stall(fault)
    await stream.send(ping={"timestamp_ms": 7})
    reading = asyncio.create_task(stream.read())
    link.let_go(1)
    link.let_go(3)
    assert link.is_stalled
    link.let_go(2)
    assert (await reading).pong.timestamp_ms == 7
    assert not link.is_stalled


def in_memory(proxy: Proxy) -> tuple[Link, Wire, Pipe, Pipe]:
    """A link whose two connections are in memory, its wire to the bridge, and what was written to each."""
    link = Link(proxy)
    link._dialling.cancel()
    down, up = Pipe(), Pipe()
    link.down.connection_made(down)
    wire = Wire(link, client_side=True)
    wire.connection_made(up)
    return link, wire, down, up


async def test_settings_may_come_before_the_dialling_has_ended(proxy):
    """Then the task that dials has not been woken yet."""
    link, up, _, _ = in_memory(proxy)
    link.on_settings(up)
    assert link._up is up
    assert link.down.is_greeted
    link.close()


async def test_pings_are_answered_by_who_is_asked(proxy):
    link, wire, down, up = in_memory(proxy)
    link.on_settings(wire)
    for about, signal, there in (
        (wire, Signal.PING, down),
        (wire, Signal.GOAWAY, down),
        (link.down, Signal.PONG, up),
        (link.down, Signal.PING, up),
    ):
        down.take()
        up.take()
        link.on_signal(about, signal, PING)
        other = up if there is down else down
        assert (there.take(), other.take()) == (signal_bytes(signal, PING), b"")
    link.on_signal(link.down, Signal.GOAWAY, PING)
    assert up.take() == b"", "the client goes; the bridge sees that when it has gone"
    link.close()


async def test_a_part_in_a_clock_that_is_kept_outlives_the_bridge(proxy, through, bridge, peer):
    await virtual_namespace(peer)
    joint = proxy.clocks.joint("ns")
    await joint.joined()
    joint.is_kept = True
    call = through.control.Participate()
    join = c.Join(namespace="ns", participant="me")
    await call.write(c.ParticipateRequest(join=join))
    await call.read()
    link = only(proxy)
    await bridge.stop()
    await until(lambda: link._up is None)
    assert not call.done()
    assert link.down.is_open
    async with refused(grpc.StatusCode.UNAVAILABLE):
        await through.invoke("none")  # there is nobody to ask
    assert not call.done()
