"""`Relay`: a wire between a check and the bridge, which the check can cut or silence."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Self

__all__ = ["Relay"]

CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)
"""Linger for no time: what is closed so is reset."""


class Relay:
    """Passes bytes on, both ways, between whoever connects to it and the bridge.

    A gRPC client cannot lose its connection on purpose: it says goodbye in HTTP/2. Behind a relay it can.

    Attributes:
        address: where it listens, `host:port`.
    """

    def __init__(self, bridge: str) -> None:
        self.address = ""
        self._bridge = bridge
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()

    async def start(self) -> Self:
        """Begins to listen, on this machine only."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = f"{host}:{port}"
        return self

    def cut(self) -> None:
        """Loses every connection at once: both sides see it reset, without a word in HTTP/2."""
        for writer in self._writers:
            with contextlib.suppress(OSError):  # it is closed already
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    def silence(self) -> None:
        """Passes nothing on from now on, while the connections stay open, as after the loss of a cable."""
        self._passing.clear()

    async def close(self) -> None:
        """Ends everything."""
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _connected(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        host, _, port = self._bridge.rpartition(":")
        far, far_out = await asyncio.open_connection(host.strip("[]"), int(port))
        self._writers += [near_out, far_out]
        for source, sink in ((near, far_out), (far, near_out)):
            task = asyncio.create_task(self._pass(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                await self._passing.wait()
                sink.write(data)
                await sink.drain()
        await self._passing.wait()  # a silent wire does not tell either side that the other has closed
        sink.close()
