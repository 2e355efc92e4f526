"""Control.Participate, answered by the proxy itself."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from loom.testing.v1 import control_pb2 as c
from tests.loom_testing.peers import MALFORMED, PATIENCE, refused, until
from tests.loom_testing.proxy.memory import virtual_namespace


@pytest.fixture
async def virtual(peer):
    await virtual_namespace(peer)
    return "ns"


def joining(name: str = "me", namespace: str = "ns") -> c.ParticipateRequest:
    return c.ParticipateRequest(join=c.Join(namespace=namespace, participant=name))


async def read(call) -> c.ParticipateResponse:
    async with asyncio.timeout(PATIENCE):
        return await call.read()


async def advance(peer, seconds: float) -> None:
    request = c.AdvanceRequest(namespace="ns", by_us=int(seconds * 1_000_000), patience_ms=5_000)
    await peer.control.Advance(request, timeout=PATIENCE)


async def test_who_joins_is_told_the_time(through, virtual):
    call = through.control.Participate()
    await call.write(joining())
    told = await read(call)
    assert (told.turn, told.fire, told.report) == (1, False, False)
    assert told.now_us > 0
    call.cancel()


async def test_a_namespace_that_is_not_there(through):
    call = through.control.Participate()
    await call.write(joining(namespace="nowhere"))
    async with refused(grpc.StatusCode.NOT_FOUND):
        await read(call)


@pytest.mark.parametrize(
    "request_",
    [joining("not an id"), c.ParticipateRequest(report=c.Report(turn=1)), c.ParticipateRequest()],
    ids=["id", "report", "nothing"],
)
async def test_what_does_not_begin_well(through, virtual, request_):
    call = through.control.Participate()
    await call.write(request_)
    async with refused(grpc.StatusCode.INVALID_ARGUMENT):
        await read(call)


async def test_bytes_that_are_no_message(through):
    participate = through.channel.stream_stream("/loom.testing.v1.Control/Participate")
    call = participate()
    await call.write(b"\xff" * 9)
    async with refused(*MALFORMED):
        await read(call)


async def test_who_says_nothing_and_leaves_is_forgotten(proxy, through, virtual):
    call = through.control.Participate()
    await call.write(joining())
    await read(call)
    (link,) = proxy._links
    assert len(link._participating) == 1
    joint = proxy.clocks.joint("ns")
    assert len(joint.participants) == 1
    call.cancel()
    await until(lambda: not link._participating and not len(joint.participants))


async def test_a_half_close_leaves_in_order(proxy, through, virtual):
    call = through.control.Participate()
    await call.write(joining())
    await read(call)
    await call.done_writing()
    async with asyncio.timeout(PATIENCE):
        assert await call.code() is grpc.StatusCode.OK
    (link,) = proxy._links
    assert link._participating == {}


async def test_the_end_of_the_namespace_ends_it(through, virtual, peer):
    call = through.control.Participate()
    await call.write(joining())
    await read(call)
    await peer.control.Reset(c.ResetRequest(namespace="ns"), timeout=PATIENCE)
    async with refused(grpc.StatusCode.UNAVAILABLE):
        await read(call)


async def test_who_takes_part_has_its_timers_fired_in_their_order(through, virtual, peer):
    """Two behind one proxy: to the bridge they are one."""
    calls = {}
    for name in "a", "b":
        calls[name] = through.control.Participate()
        await calls[name].write(joining(name))
        await read(calls[name])
    begin = {"a": 2_000_000, "b": 1_000_000}
    fired: list[str] = []

    async def play(name: str) -> None:
        start, pending = None, [begin[name]]
        while (told := await calls[name].read()) is not grpc.aio.EOF:
            start = start or told.now_us
            if told.fire and pending:
                pending.pop()
                fired.append(name)
            if told.report:
                report = c.Report(turn=told.turn, next_us=start + pending[0] if pending else 0, next_of=name)
                await calls[name].write(c.ParticipateRequest(report=report))

    playing = [asyncio.create_task(play(name)) for name in calls]
    await advance(peer, 5)
    assert fired == ["b", "a"]
    for task, call in zip(playing, calls.values(), strict=True):
        call.cancel()
        task.cancel()
    await asyncio.gather(*playing, return_exceptions=True)
