import asyncio
import contextlib

import pytest

from loom_conformance.relay import Relay


@contextlib.asynccontextmanager
async def echo():
    """A server that says everything back, and a relay to it."""

    async def answer(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    relay = await Relay(f"{host}:{port}").start()
    try:
        yield relay
    finally:
        await relay.close()
        server.close()


async def connect(relay):
    host, port = relay.address.rsplit(":", 1)
    return await asyncio.open_connection(host, int(port))


async def test_bytes_pass_both_ways():
    async with echo() as relay:
        reader, writer = await connect(relay)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()


async def test_a_cut_resets_every_connection():
    async with echo() as relay:
        connections = [await connect(relay) for _ in range(2)]
        for reader, writer in connections:
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
        relay.cut()
        for reader, writer in connections:
            with pytest.raises(ConnectionError):
                await reader.readexactly(1)
            writer.close()


async def test_a_silent_relay_passes_nothing_and_stays_open():
    async with echo() as relay:
        reader, writer = await connect(relay)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        relay.silence()
        writer.write(b"y")
        reading = asyncio.create_task(reader.read(1))
        other_reader, other = await connect(relay)  # time enough for an answer, if there were one
        other.write(b"z")
        await asyncio.sleep(0)
        assert not reading.done()
        assert not other_reader.at_eof()
        await relay.close()
        with contextlib.suppress(ConnectionError):
            assert await reading == b""
        writer.close()
        other.close()


async def test_closing_what_nobody_used():
    relay = await Relay("127.0.0.1:1").start()
    await relay.close()
