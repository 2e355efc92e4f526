"""HTTP/2 by hand."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import grpc
import pytest

from loom_conformance import http2
from loom_conformance.expect import Violation
from loom_conformance.http2 import MAX_CONCURRENT_STREAMS, connected, frame, prefixed
from tests.conformance.benches import a_bench

HEARTBEAT = "/loom.v1.Bridge/Heartbeat"
SHORT = bytes.fromhex("00889acac8b21234da8f")  # grpc-status as HPACK shortens it


@pytest.fixture
async def bench():
    async with a_bench() as bench:
        yield bench


@contextlib.asynccontextmanager
async def answering(data: bytes, *, and_hang_up: bool = False):
    """Something that answers whatever connects to it with these bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        if and_hang_up:
            writer.write_eof()
        await reader.read(-1)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_frames_and_messages():
    assert frame(6, b"abc", flags=1, stream=3) == b"\0\0\3\6\1\0\0\0\3abc"
    assert prefixed(b"ab") == b"\0\0\0\0\2ab"
    assert prefixed(b"ab", length=100) == b"\0\0\0\0\x64ab"


async def test_settings_and_a_call(bench):
    async with connected(bench) as connection:
        assert connection.settings[MAX_CONCURRENT_STREAMS] == 1_000
        await connection.call(HEARTBEAT, *bench.target.metadata(bench.namespace))
        await connection.data(prefixed(b"\x08\x01"), "a heartbeat", end=True)
        await connection.headers()
        assert await connection.status() is grpc.StatusCode.OK
    assert any(crossing.rpc == "HTTP/2" for crossing in bench.tape.crossings)


async def test_pings(bench):
    async with connected(bench) as connection:
        assert await connection.pings(10)
        connection.abort()
        assert not await connection.pings(10)


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (b"\0\x0bgrpc-status\x010", grpc.StatusCode.OK),
        (b"\0\x0bgrpc-status\x0213", grpc.StatusCode.INTERNAL),
        (SHORT + b"\x81\x67", grpc.StatusCode.INVALID_ARGUMENT),
        (SHORT + b"\x82\x0b\x3f", grpc.StatusCode.INTERNAL),
        (SHORT + b"\x82\x08\x7f", grpc.StatusCode.OUT_OF_RANGE),
        (b"\0\x0bgrpc-status\x01x", None),
        (b"\0\x01a\x01b", None),
    ],
)
async def test_the_status_is_read_written_out_or_shortened(bench, block, code):
    data = frame(4, b"\0\3\0\0\0\1") + frame(8, b"\0\0\0\1") + frame(1, block, flags=5, stream=1)
    async with answering(data) as address, connected(bench, address=address) as connection:
        await connection.call(HEARTBEAT)
        assert await connection.status() is code


async def test_a_call_that_is_reset_or_hung_up_on_has_no_status(bench):
    settings = frame(4, b"\0\3\0\0\0\1")
    for data, and_hang_up in ((settings + frame(3, b"\0\0\0\1", stream=1), False), (settings, True)):
        answer = answering(data, and_hang_up=and_hang_up)
        async with answer as address, connected(bench, address=address) as connection:
            assert await connection.status() is None


async def test_headers_that_do_not_come(bench):
    answer = answering(frame(4, b"\0\3\0\0\0\1"), and_hang_up=True)
    async with answer as address, connected(bench, address=address) as connection:
        with pytest.raises(Violation, match="response headers, got the connection's end"):
            await connection.headers()


async def test_what_does_not_speak_http2(bench):
    async with answering(b"", and_hang_up=True) as address:
        with pytest.raises(Violation, match="the connection of raw: expected settings, got its end"):
            async with connected(bench, address=address):
                pass


async def test_what_says_nothing_in_time(bench, monkeypatch):
    monkeypatch.setattr(http2, "PATIENCE", 0.1)
    async with connected(bench) as connection:
        await connection.call(HEARTBEAT)
        with pytest.raises(Violation, match="expected a frame, got nothing in time"):
            await connection.status()


async def test_tls_is_not_spoken_by_hand(bench):
    bench.target = replace(bench.target, credentials=grpc.ssl_channel_credentials())
    with pytest.raises(RuntimeError, match="without TLS only"):
        async with connected(bench):
            pass
