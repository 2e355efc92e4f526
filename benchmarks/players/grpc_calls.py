"""The floor of a fresh test: `grpc_calls server`, grpc.aio with the calls of a bridge and nothing of ours.

An agent registers, opens its stream, is handed a call on it and answers there; what it says to end its stream
is `BYE`. Nothing is parsed, nothing is kept in order, nobody is told apart.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc
import grpc.aio

from benchmarks.players.table import no_turn, take_turns

__all__ = ["BYE", "PARTS", "SERVICE"]

SERVICE = "bench.Calls"
BYE = b"bye"


class _Server:
    """The one agent's stream, and who waits for its answer."""

    def __init__(self) -> None:
        self._stream: Any = None
        self._asked: asyncio.Future[bytes] | None = None

    async def register(self, request: bytes, context: object) -> bytes:
        return request

    async def stream(self, _requests: object, context: Any) -> None:
        self._stream = context
        await context.write(await context.read())
        while (said := await context.read()) not in (BYE, grpc.aio.EOF):
            if self._asked is None:
                await context.write(said)
            else:
                self._asked.set_result(said)

    async def call(self, request: bytes, context: object) -> bytes:
        self._asked = asyncio.get_running_loop().create_future()
        await self._stream.write(request)
        answer = await self._asked
        self._asked = None
        return answer


async def server() -> None:
    """Answers until stdin closes."""
    bridge = _Server()
    methods: dict[str, Any] = {
        "Register": grpc.unary_unary_rpc_method_handler(bridge.register),
        "Stream": grpc.stream_stream_rpc_method_handler(bridge.stream),
        "Call": grpc.unary_unary_rpc_method_handler(bridge.call),
    }
    running = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    await take_turns(no_turn, f"127.0.0.1:{port}")
    await running.stop(None)


PARTS = {part.__name__: part for part in (server,)}

if __name__ == "__main__":
    asyncio.run(PARTS[sys.argv[1]](*sys.argv[2:]))
