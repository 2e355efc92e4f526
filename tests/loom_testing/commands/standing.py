"""Commands that stand in front of a bridge, as processes of their own."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import AsyncIterator
from typing import Any

from loom import Agent
from loom.endpoint import Endpoint
from tests.loom_testing.test_serve import Process, started


@contextlib.asynccontextmanager
async def standing(command: str, target: str, *arguments: str) -> AsyncIterator[tuple[Process, str]]:
    """The command in front of a bridge, and the address where it listens."""
    async with started("-m", "loom_testing", command, "--target", target, "--json", *arguments) as process:
        said = await process.event()
        assert (said["event"], said["target"]) == ("serving", target)
        yield process, said["address"]


async def stopped(process: Process) -> tuple[int | None, str, list[dict[str, Any]]]:
    """Tells it to stop: its exit code, what it said on stderr, and the last lines on stdout."""
    process.send(signal.SIGINT)
    lines = []
    while line := await process.line():
        lines.append(json.loads(line))
    code, said = await process.end()
    return code, said, lines


async def echoed(address: str, text: str = "hello") -> str:
    """One agent with one capability there, called once by itself."""
    agent = Agent("echo", endpoint=Endpoint(address))

    @agent.capability("text.echo")
    def say(text: str) -> str:
        return text

    async with agent:
        answer = await agent.context().tool("text.echo", text=text)
    return str(answer)
