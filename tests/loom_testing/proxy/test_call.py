"""One gRPC call through the proxy."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest

from loom.v1 import action_pb2, event_pb2, stream_pb2
from loom_testing.transcript.entry import Kind
from tests.loom_testing.peers import Peer, refused, until

pytestmark = pytest.mark.usefixtures("through")

LARGE = bytes(range(256)) * 4096 * 3  # 3 MiB


def told(proxy, *kinds: Kind) -> list[tuple[str, str]]:
    """Who, and what, of the transcript's entries of these kinds."""
    entries = proxy.recorder.transcript(causal=False).entries
    return [(entry.who, entry.name) for entry in entries if entry.kind in kinds]


async def answer_one(stream, output: bytes = b"") -> action_pb2.ActionCall:
    """Answers the next call that the agent is given."""
    event = await stream.read()
    assert event.WhichOneof("msg") == "action_call", event
    await stream.send(action_result=action_pb2.ActionResult(id=event.action_call.id, output=output))
    return event.action_call


async def test_what_is_published_is_delivered(proxy, through):
    reader, writer = await through.join("reader", "t"), await through.join("writer")
    await writer.publish("t", b"hello")
    delivery = await reader.delivery()
    assert (delivery.topic, delivery.event.payload) == ("t", b"hello")
    assert ("writer", "publish") in told(proxy, Kind.MESSAGE)
    assert ("reader", "delivery") in told(proxy, Kind.MESSAGE)


async def test_messages_of_three_mebibytes(through):
    provider = await through.join("provider", capabilities=["echo"])
    asked = through.invoke("echo", payload=LARGE)
    given = await answer_one(provider, LARGE)
    assert given.payload == LARGE
    assert (await asked).output == LARGE


async def test_an_answer_with_an_error_has_its_status_and_text(proxy, through):
    stream = through.open_raw()
    await stream.send(ack=stream_pb2.Ack(message_id="nobody"))
    code, details, _ = await stream.end()
    assert code is not grpc.StatusCode.OK
    assert details
    assert told(proxy, Kind.STATUS) == [("nobody", code.name)]


async def test_headers_come_before_any_message(through):
    stream = await through.join("quiet")
    metadata = await stream.call.initial_metadata()
    assert metadata is not None
    assert not stream.call.done()


async def test_a_half_close_ends_the_stream_in_order(proxy, through):
    stream = await through.join("me")
    await stream.call.done_writing()
    code, _, _ = await stream.end()
    assert code is grpc.StatusCode.OK
    kinds = [entry.kind for entry in proxy.recorder.transcript(causal=False).entries]
    assert kinds.index(Kind.HALF_CLOSE) < kinds.index(Kind.STATUS)


async def test_a_client_that_breaks_its_call_breaks_it_at_the_bridge(proxy, through, bridge):
    provider = await through.join("provider", capabilities=["slow"], features=["cancel"])
    asked = through.invoke("slow")
    given = await provider.read()
    asked.cancel()
    assert (await provider.read()).action_cancel.id == given.action_call.id
    assert [who for who, _ in told(proxy, Kind.RESET)] == ["provider"]  # whose connection it is


async def test_a_deadline_reaches_the_bridge(through):
    provider = await through.join("provider", capabilities=["slow"], features=["cancel"])
    call = action_pb2.ActionCall(capability="slow")
    asked = through.bridge.ForwardAction(call, metadata=through.metadata, timeout=2)
    given = await provider.read()
    async with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        await asked
    assert (await provider.read()).action_cancel.id == given.action_call.id


async def test_500_calls_at_once(proxy, through):
    provider = await through.join("provider", capabilities=["echo"])

    async def serve() -> None:
        for _ in range(500):
            await answer_one(provider)

    serving = asyncio.create_task(serve())
    results = await asyncio.gather(*(through.invoke("echo", id=str(number)) for number in range(500)))
    await serving
    assert len(results) == 500
    (link,) = proxy._links
    await until(lambda: len(link._calls) == 1)  # that of the provider's stream
    assert len(link._by_up) == 1


async def test_a_stream_that_is_refused_early_is_over_at_both_ends(proxy, through):
    for _ in range(3):
        stream = through.open_raw()
        await stream.send(ack=stream_pb2.Ack(message_id="nobody"))
        code, _, _ = await stream.end()
        assert code is not grpc.StatusCode.OK
    (link,) = proxy._links
    counts = [wire._http for wire in link._wires()]
    await until(lambda: not any(http.open_inbound_streams + http.open_outbound_streams for http in counts))


async def test_a_publisher_waits_where_its_subscriber_does_not_read(proxy, through):
    """All that may wait on the way is what windows and buffers hold."""
    stream = await through.join("me")
    await through.join("reader", "t")
    (link,) = proxy._links
    call = next(call for call in link._calls.values() if call.agent == "me")
    assert call.reading
    call._owed[next(iter(call._owed))] = 40_000
    assert not call.reading
    await stream.ping()
    assert call.reading


async def test_a_service_that_is_not_the_bridges_is_passed_on(proxy, through):
    health = await through.raw("/grpc.health.v1.Health/Check", b"")
    assert health == b"\x08\x01"
    async with refused(grpc.StatusCode.UNIMPLEMENTED):
        await through.raw("/nobody/Has", b"")
    assert len(proxy.recorder) == 0


async def test_bytes_that_are_no_message_are_the_bridges_to_refuse(through):
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN):
        await through.raw("/loom.v1.Bridge/ForwardAction", b"\xff" * 9)


async def test_metadata_crosses_both_ways(proxy, through, connect):
    there = connect("elsewhere", address=proxy.address)
    stream = await there.join("me", "t")
    await stream.publish("t", b"x")
    await stream.delivery()
    assert (await connect("elsewhere").invoke("none")).error.code == "NOT_FOUND"  # the namespace is there


# Faults.


async def test_a_call_that_is_failed_never_reaches_the_bridge(through, faults):
    provider = await through.join("provider", capabilities=["c"])
    with faults.fail("RESOURCE_EXHAUSTED", "50 % of nothing", capability="c", times=1):
        async with refused(grpc.StatusCode.RESOURCE_EXHAUSTED) as details:
            await through.invoke("c")
    assert details == ["50 % of nothing"]
    asked = through.invoke("c", payload=b"second")
    assert (await answer_one(provider)).payload == b"second"
    await asked


async def test_a_stream_that_is_failed_ends_with_the_status(through, faults):
    stream = await through.join("me")
    with faults.fail("INTERNAL", "no more", kind="publish"):
        await stream.publish("t")
        code, details, _ = await stream.end()
    assert (code, details) == (grpc.StatusCode.INTERNAL, "no more")


async def test_messages_in_one_piece_after_one_that_ends_the_call(through, faults):
    """The first of several that come together ends the call: the others are no harm."""
    stream = await through.join("me")
    with faults.fail("INTERNAL", kind="publish", times=1) as failed:
        events = [event_pb2.Publish(topic="t", event=event_pb2.Event(id=str(number))) for number in range(50)]
        for event in events:
            try:
                await stream.call.write(stream_pb2.ClientEvent(publish=event))
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                break
        code, _, _ = await stream.end()
    assert (code, failed.fired) == (grpc.StatusCode.INTERNAL, 1)


async def test_a_lost_message_is_told_and_does_not_cross(proxy, through, faults):
    stream = await through.join("me", "t")
    with faults.drop(kind="publish", nth=1):
        await stream.publish("t", b"1")
        await stream.publish("t", b"2")
        assert (await stream.delivery()).event.payload == b"2"
    assert told(proxy, Kind.FAULT) == [("me", "dropped")]
    assert told(proxy, Kind.MESSAGE).count(("me", "publish")) == 1


async def test_what_is_doubled_arrives_twice(through, faults):
    stream = await through.join("me", "t")
    with faults.duplicate(2, kind="delivery", times=1):
        await stream.publish("t", b"1")
        await stream.publish("t", b"2")
        assert [(await stream.delivery()).event.payload for _ in range(4)] == [b"1", b"1", b"1", b"2"]


async def test_every_second_overtakes_where_all_are_to_be_reordered(through, faults):
    stream = await through.join("me", "t")
    with faults.reorder(kind="publish") as reordered:
        for number in b"123456":
            await stream.publish("t", bytes([number]))
        assert b"".join([(await stream.delivery()).event.payload for _ in range(6)]) == b"214365"
    assert reordered.fired == 3


async def test_what_is_held_back_and_larger_than_a_window_is_overtaken(through, faults):
    stream = await through.join("me", "t")
    with faults.reorder(3, kind="publish", times=1):
        for number in b"1234":
            await stream.publish("t", bytes([number]) * 100_000)
        assert [(await stream.delivery()).event.payload[:1] for _ in range(4)] == [b"2", b"3", b"4", b"1"]


async def test_what_nothing_overtakes_comes_with_the_end_of_the_fault(through, faults):
    stream = await through.join("me", "t")
    with faults.reorder(kind="publish") as held:
        await stream.publish("t", b"1")
        await held.happened()
    assert (await stream.delivery()).event.payload == b"1"


async def test_what_nothing_overtakes_comes_before_the_end_of_the_stream(through, faults):
    reader, stream = await through.join("reader", "t"), await through.join("me")
    with faults.reorder(kind="publish"):
        await stream.publish("t", b"1")
        await stream.call.done_writing()
        assert (await reader.delivery()).event.payload == b"1"


async def test_what_is_corrupted_is_no_message_to_the_bridge(through, faults):
    stream = await through.join("me")
    with faults.corrupt("garbage", kind="publish"):
        await stream.publish("t")
        code, _, _ = await stream.end()
    assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


async def test_a_slow_link_lets_a_message_through_in_its_time(through, faults):
    stream = await through.join("me", "t")
    with faults.slow(1_000_000, kind="publish") as slowed:
        await stream.publish("t", bytes(1_000))
        assert len((await stream.delivery()).event.payload) == 1_000
    assert slowed.fired == 1


async def test_an_agent_is_known_by_its_handshake_and_its_calls_by_their_caller(proxy, through, faults):
    stream = await through.join("me", "t")
    with faults.drop(agent="me", kind="publish") as dropped:
        await stream.publish("t")
        await dropped.happened()
    await through.invoke("none", headers={"x-agent-id": "somebody"})
    assert ("somebody", "request") in told(proxy, Kind.MESSAGE)


async def test_the_answers_of_an_agent_are_known_by_what_was_asked(through, faults):
    provider = await through.join("provider", capabilities=["c", "d"])
    with faults.corrupt(lambda data: data, kind="action_result", capability="d") as seen:
        for name in "c", "d":
            asked = through.invoke(name)
            await answer_one(provider)
            await asked
    assert seen.fired == 1


async def test_two_peers_have_connections_of_their_own(proxy, through):
    async with Peer(proxy.address) as other:
        await through.join("one")
        await other.join("two")
        assert len(proxy._links) == 2
    await until(lambda: len(proxy._links) == 1)
