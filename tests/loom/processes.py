"""Bridges as processes of their own, to be killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator


class BridgeProcess:
    """`loom-testing serve` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self.process = process
        self.address = address

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    async def send(self, kind: signal.Signals) -> None:
        """Sends a signal; waits for the end where it brings one."""
        self.process.send_signal(kind)
        if kind in (signal.SIGKILL, signal.SIGTERM):
            await self.process.wait()


async def start_bridge(port: int = 0, **limits: int) -> BridgeProcess:
    given = [part for name, value in limits.items() for part in ("--limit", f"{name}={value}")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loom_testing", "serve", "--port", str(port), "--json", "--log-level", "error",
        *given,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = await process.stdout.readline()
    return BridgeProcess(process, json.loads(line)["address"])


@contextlib.asynccontextmanager
async def bridge_process(port: int = 0, **limits: int) -> AsyncIterator[BridgeProcess]:
    """A bridge that does not outlive the block."""
    bridge = await start_bridge(port, **limits)
    try:
        yield bridge
    finally:
        if bridge.process.returncode is None:
            bridge.process.kill()
            await bridge.process.wait()
