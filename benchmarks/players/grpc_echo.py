"""The floor: `grpc_echo PART [ADDRESS]`, grpc.aio with bytes and nothing of ours.

One hop, where a bridge makes two.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from benchmarks.measure import timed
from benchmarks.players.table import Tally, take_turns
from benchmarks.work import PAYLOAD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["PARTS"]

BATCH = 64


async def server(address: str = "") -> None:
    """Echoes calls and streams, and counts what a flood brings."""
    tally = Tally()

    async def call(request: bytes, context: object) -> bytes:
        return request

    async def stream(requests: AsyncIterator[bytes], context: object) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request

    async def flood(requests: AsyncIterator[bytes], context: object) -> bytes:
        async for request in requests:
            for _ in range(len(request) // len(PAYLOAD)):
                tally.add()
        return b""

    methods: dict[str, Any] = {
        "Call": grpc.unary_unary_rpc_method_handler(call),
        "Stream": grpc.stream_stream_rpc_method_handler(stream),
        "Flood": grpc.stream_unary_rpc_method_handler(flood),
    }
    running = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", methods),))
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    await take_turns(tally.turn, f"127.0.0.1:{port}")
    await running.stop(None)


async def call(address: str) -> None:
    """One unary call after the other."""
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.unary_unary("/bench.Echo/Call")

        async def once() -> None:
            assert await method(PAYLOAD) == PAYLOAD

        await take_turns(timed(once))


async def stream(address: str) -> None:
    """There and back on one stream, one message after the other."""
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.stream_stream("/bench.Echo/Stream")
        open_stream = method()

        async def once() -> None:
            await open_stream.write(PAYLOAD)
            assert await open_stream.read() == PAYLOAD

        await take_turns(timed(once))
        open_stream.cancel()


async def flood(address: str) -> None:
    """One message for each event."""
    await _flood(address, 1)


async def flood_batches(address: str) -> None:
    """One message for 64 events."""
    await _flood(address, BATCH)


async def _flood(address: str, batch: int) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.stream_unary("/bench.Echo/Flood")
        open_stream = method()

        async def write(times: int) -> list[float]:
            for _ in range(times // batch):
                await open_stream.write(PAYLOAD * batch)
            if times % batch:
                await open_stream.write(PAYLOAD * (times % batch))
            return []

        await take_turns(write)
        open_stream.cancel()


PARTS = {part.__name__: part for part in (server, call, stream, flood, flood_batches)}

if __name__ == "__main__":
    asyncio.run(PARTS[sys.argv[1]](*sys.argv[2:]))
