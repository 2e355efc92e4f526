import asyncio

import grpc
import grpc.aio
import pytest

from loom.v1 import event_pb2, stream_pb2
from loom_conformance import stream as streaming
from loom_conformance.expect import Violation
from loom_conformance.stream import Stream
from loom_conformance.tape import Tape
from tests.conformance.benches import a_bench


async def test_deliveries_up_to_the_pong():
    async with a_bench() as bench:
        agent = await bench.join("a", "t")
        first = await agent.publish("t", b"1", type="x")
        await agent.publish("t", b"2")
        assert [item.event.payload for item in await agent.deliveries()] == [b"1", b"2"]
        assert stream_pb2.ServerEvent.FromString(agent.data).HasField("pong")
        assert (first.type, first.payload) == ("x", b"1")
        assert await agent.until_pong() == []


async def test_an_own_ping_is_told_from_a_fence():
    async with a_bench() as bench:
        agent = await bench.join("a")
        await agent.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=7))
        assert [event.pong.timestamp_ms for event in await agent.until_pong()] == [7]


async def test_what_is_no_delivery_is_a_violation():
    async with a_bench() as bench:
        agent = await bench.join("a")
        await agent.publish("a..b")
        with pytest.raises(
            Violation, match=r"what a received: expected deliveries only, got ServerEvent\(err"
        ):
            await agent.deliveries()


async def test_the_kind_that_must_come():
    async with a_bench() as bench:
        agent = await bench.join("a", "t", capabilities=["c"], features=["confirm"])
        call = bench.peer().invoke("c", b"in")
        asked = await agent.action_call()
        assert asked.payload == b"in"
        await agent.answer(asked, b"out")
        assert (await call.result()).output == b"out"
        await agent.publish("t", confirm=True, pub_seq=4)
        seen = {await kind() is not None for kind in (agent.delivery,)}
        assert seen == {True}
        assert (await agent.receipt()).ref == 4
        await agent.publish("t")
        with pytest.raises(Violation, match="expected a message of kind receipt, got ServerEvent"):
            await agent.receipt()


async def test_the_end_and_what_came_before_it():
    async with a_bench() as bench:
        agent = await bench.join("a", "t")
        await agent.publish("t", b"1")
        await agent.half_close()
        end = await agent.end()
        assert end.code is grpc.StatusCode.OK
        assert [event.delivery.event.payload for event in end.events] == [b"1"]
        assert (await agent.end()).code is grpc.StatusCode.OK


async def test_a_stream_that_ended_has_no_message_for_a_check_that_reads_on():
    async with a_bench() as bench:
        agent = bench.peer("x").open()
        await agent.hello("nobody")
        with pytest.raises(Violation, match=r"the handshake of x: expected .*got FAILED_PRECONDITION"):
            await agent.accepted()
        with pytest.raises(Violation, match="expected a message, got its end with FAILED_PRECONDITION"):
            await agent.read()
        await agent.publish("t")  # goes nowhere; how it ended is what the check reads
        assert "not registered" in (await agent.end()).details


async def test_writing_to_a_stream_that_the_bridge_is_ending_does_not_lose_its_status():
    async with a_bench() as bench:
        for _ in range(30):
            agent = bench.peer("x", namespace="no name").open()
            await agent.hello("nobody")
            end = await agent.end()
            assert (end.code, '"no name"' in end.details) == (grpc.StatusCode.INVALID_ARGUMENT, True)


async def test_what_was_sent_before_the_end_is_read_although_the_check_writes_on():
    async with a_bench() as bench:
        older = await bench.join("a")
        await bench.peer("newer").stream("a")
        await older.publish("t")
        end = await older.end()
        assert end.code is grpc.StatusCode.ABORTED
        assert [event.err.code for event in end.events] == ["SUPERSEDED"]


async def test_bytes_that_are_no_message():
    async with a_bench() as bench:
        agent = await bench.join("a")
        await agent.send_bytes(b"\xff\xff", "no message")
        assert (await agent.end()).code is not grpc.StatusCode.OK
        assert "no message (2 bytes)" in [item.what for item in bench.tape.crossings]


async def test_a_reset_ends_it():
    async with a_bench() as bench:
        agent = await bench.join("a")
        agent.reset()
        assert (await agent.end()).code is grpc.StatusCode.CANCELLED


class Silent:
    """A call of a bridge that says nothing, and reads nothing."""

    def __init__(self) -> None:
        self.cancelled = False

    async def initial_metadata(self):
        await asyncio.Event().wait()

    async def read(self):
        await asyncio.Event().wait()

    async def wait_for_connection(self):
        await asyncio.Event().wait()

    def cancel(self):
        self.cancelled = True


async def test_a_silent_bridge_is_a_violation(monkeypatch):
    monkeypatch.setattr(streaming, "PATIENCE", 0.01)
    stream = Stream(Silent(), "a", Tape())
    with pytest.raises(Violation, match="expected response headers, got nothing in time"):
        await stream.accepted()
    with pytest.raises(Violation, match=r"expected a message or its end, got nothing within 0\.01 s"):
        await stream.read()
    with pytest.raises(Violation, match="expected a bridge that reads, got no room in time"):
        await stream.send(publish=event_pb2.Publish())
    await stream.close()
    assert stream.call.cancelled


async def test_a_handshake_that_is_refused_is_on_the_tape():
    async with a_bench() as bench:
        with pytest.raises(Violation, match="the handshake of shop: expected"):
            await bench.peer("shop").stream("nobody-registered")
        last = bench.tape.crossings[-1]
        assert (last.who, last.direction) == ("shop", "received")
        assert str(last.what).startswith("end: FAILED_PRECONDITION NOT_REGISTERED")
