"""The bridge's end of a call: how it ends, and what a handler may do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest

from loom_testing.inmemory.line import Outcome
from loom_testing.inmemory.serving import Serving

Handle = Callable[[Any, Any], Awaitable[Any]]


class Heard:
    """A client's end that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.gone = asyncio.Event()

    def answered(self) -> None:
        self.told.append("headers")

    def came(self, data: bytes) -> None:
        self.told.append(data)

    def over(self, outcome: Outcome, last: bytes | None = None) -> None:
        self.told += [*([last] if last is not None else []), (outcome.code, outcome.details)]

    def forgotten(self, _: Serving) -> None:
        self.gone.set()

    def request_taken(self, size: int) -> None:
        self.told.append(f"took {size}")


async def served(handle: Handle | None, *requests: bytes, streaming: bool = False) -> list[Any]:
    """What the client is told of a call that sends these."""
    make = grpc.stream_stream_rpc_method_handler if streaming else grpc.stream_unary_rpc_method_handler
    heard = Heard()
    handler = None if handle is None else make(handle)
    serving = Serving(handler, (("key", "value"),), heard, 100, heard.forgotten)
    for request in requests:
        serving.request_came(request)
    serving.requests_end()
    async with asyncio.timeout(10):
        await heard.gone.wait()
    return heard.told


async def test_one_message_is_answered_by_one():
    async def handle(_: Any, context: Any) -> bytes:
        assert context.invocation_metadata() == (("key", "value"),)
        return await context.read() + b"!"

    assert await served(handle, b"hello") == [b"hello!", ("OK", "")]


async def test_several_are_answered_by_several():
    async def handle(_: Any, context: Any) -> None:
        await context.send_initial_metadata(())
        while (data := await context.read()) is not grpc.aio.EOF:
            await context.write(data)
        context.set_code(grpc.StatusCode.ABORTED)
        context.set_details("enough")

    assert await served(handle, b"1", b"2", streaming=True) == ["headers", b"1", b"2", ("ABORTED", "enough")]


async def test_a_handler_may_end_it():
    async def handle(_: Any, context: Any) -> bytes:
        await context.abort(grpc.StatusCode.NOT_FOUND, "not here")
        return b"never"

    assert await served(handle, b"1") == [("NOT_FOUND", "not here")]


async def test_a_bug_ends_that_call_only(caplog):
    async def handle(_: Any, context: Any) -> bytes:
        raise ValueError("oh")

    assert await served(handle, b"1") == [("UNKNOWN", "Unexpected <class 'ValueError'>: oh")]
    assert "a call met a bug of the bridge" in caplog.text


async def test_a_message_that_is_too_large_ends_it():
    async def handle(_: Any, context: Any) -> bytes:
        return await context.read()

    (outcome,) = await served(handle, b"x" * 101)
    assert outcome[0] == "RESOURCE_EXHAUSTED"


async def test_a_method_that_is_not_there():
    assert await served(None, b"1") == [("UNIMPLEMENTED", "Method not found!")]


async def test_a_client_that_is_gone_is_told_nothing_and_sent_nothing():
    begun = asyncio.Event()
    problems: list[BaseException] = []

    async def handle(_: Any, context: Any) -> None:
        begun.set()
        try:
            await context.read()
        finally:
            with pytest.raises(grpc.aio.InternalError, match="the call is over"):
                await context.write(b"late")
            problems.append(asyncio.CancelledError())

    heard = Heard()
    serving = Serving(grpc.stream_stream_rpc_method_handler(handle), (), heard, 100, heard.forgotten)
    await begun.wait()
    serving.cancel()
    await heard.gone.wait()
    assert (heard.told, len(problems)) == ([], 1)
