"""Bridges as processes of their own, of any kind, to be killed and frozen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable

from loom.runtime import docker
from loom.runtime.programs import choose

LISTENING = "listening on "


class BridgeProcess:
    """A bridge in a process of its own."""

    def __init__(self, kind: str, process: asyncio.subprocess.Process, address: str) -> None:
        self.process = process
        self.address = address
        self._kind = kind

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    async def send(self, kind: signal.Signals) -> None:
        """Sends the bridge a signal; waits for the end where it brings one."""
        if self._kind == "docker" and kind is not signal.SIGTERM:
            await asyncio.to_thread(self._send_to_the_container, kind)
        else:
            self.process.send_signal(kind)
        if kind in (signal.SIGKILL, signal.SIGTERM):
            await self.process.wait()

    def _send_to_the_container(self, kind: signal.Signals) -> None:
        with contextlib.closing(docker.engine()) as client:
            (container,) = (
                each
                for each in client.containers.list()
                if each.labels.get(docker.LABEL_OWNER, "").startswith(f"{self.process.pid}:")
            )
            act = {signal.SIGSTOP: container.pause, signal.SIGCONT: container.unpause}
            act.get(kind, container.kill)()


async def start_bridge(kind: str, port: int = 0, **limits: int) -> BridgeProcess:
    flags = ["--log-level", "error"]
    flags += [part for name, value in limits.items() for part in ("--limit", f"{name}={value}")]
    program = await asyncio.to_thread(choose, kind, os.environ)
    process = await asyncio.create_subprocess_exec(
        *program.at(port), *flags, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode().strip()
    return BridgeProcess(kind, process, line.removeprefix(LISTENING))


def processes_of(kind: str) -> Callable[..., contextlib.AbstractAsyncContextManager[BridgeProcess]]:
    """Makes bridges of a kind, which do not outlive their block."""

    @contextlib.asynccontextmanager
    async def make(port: int = 0, **limits: int) -> AsyncIterator[BridgeProcess]:
        bridge = await start_bridge(kind, port, **limits)
        try:
            yield bridge
        finally:
            if bridge.process.returncode is None:
                bridge.process.terminate()
                await bridge.process.wait()

    return make
