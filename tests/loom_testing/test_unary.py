"""Methods that take one message."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
import pytest

from loom_testing.unary import unary, unary_stream


async def doubled(data: bytes, _context: Any) -> bytes:
    return data * 2


async def counted(data: bytes, context: Any) -> None:
    for number in range(3):
        await context.write(data + b"%d" % number)


@pytest.fixture
async def channel():
    server = grpc.aio.server()
    methods = {"Double": unary(doubled), "Count": unary_stream(counted)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("a.B", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(0)


async def test_one_message_is_answered_with_one(channel):
    assert await channel.unary_unary("/a.B/Double")(b"ab") == b"abab"


async def test_one_message_is_answered_with_many(channel):
    call = channel.unary_stream("/a.B/Count")(b"n")
    assert [item async for item in call] == [b"n0", b"n1", b"n2"]


@pytest.mark.parametrize("method", ["Double", "Count"])
async def test_a_call_that_is_closed_without_a_message_ends(channel, method):
    call = channel.stream_stream(f"/a.B/{method}")()
    await call.done_writing()
    assert await call.code() is grpc.StatusCode.INTERNAL
    assert await call.details() == "the call was closed without a whole message"


async def test_of_several_messages_the_first_counts(channel):
    call = channel.stream_unary("/a.B/Double")(iter([b"first", b"second"]))
    assert await call == b"firstfirst"
