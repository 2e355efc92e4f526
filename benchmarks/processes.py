"""The processes of a contestant: servers that say where they listen, and players that take turns.

A player is a module of `benchmarks.players`, run by the Python of its environment. It says on stdout that
it is ready, then answers each number on stdin with the samples of so many times, and ends when stdin
closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from benchmarks.measure import ContestantError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Sequence

__all__ = ["Player", "playing", "serving"]

ROOT = Path(__file__).resolve().parent.parent
READY_S = 30.0
TURN_S = 60.0
STOP_S = 5.0
LINE_BYTES = 1 << 22
"""The longest answer: the samples of a turn."""


class Player:
    """One process that plays a part.

    Attributes:
        name: its module and part, for errors.
        address: where it listens; empty where it does not.

    Args:
        name: its module and part.
        process: the process.
        errors: what it writes on stderr.
    """

    def __init__(self, name: str, process: Process, errors: IO[bytes]) -> None:
        self.name = name
        self.address = ""
        self._process = process
        self._errors = errors

    async def turn(self, times: int) -> list[float]:
        """Its turn: the milliseconds of each time, where it measures any.

        Raises:
            ContestantError: it ended, or takes longer than a minute.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(b"%d\n" % times)
        samples: list[float] = await self.hear(TURN_S)
        return samples

    async def hear(self, seconds: float) -> Any:
        """The next thing that it says.

        Raises:
            ContestantError: it ended, or says nothing for so long.
        """
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise ContestantError(f"{self.name} said nothing for {seconds:g} s{self._said()}") from None
        if not line:
            raise ContestantError(f"{self.name} ended{self._said()}")
        return json.loads(line)

    def _said(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        last = [line for line in lines if line.strip()][-1:]
        return f"; it said: {last[0].strip()}" if last else ""


@asynccontextmanager
async def playing(module: str, *arguments: str, python: str = sys.executable) -> AsyncIterator[Player]:
    """A player, ready.

    Args:
        module: one of `benchmarks.players`.
        arguments: its part, and what that needs.
        python: of the environment it runs in.

    Raises:
        ContestantError: it does not come up.
    """
    command = [python, "-m", f"benchmarks.players.{module}", *arguments]
    with tempfile.TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=_environ(), stdin=PIPE, stdout=PIPE, stderr=errors, limit=LINE_BYTES
        )
        player = Player(" ".join([module, *arguments[:1]]), process, errors)
        async with _ending(process):
            player.address = await player.hear(READY_S)
            yield player


@asynccontextmanager
async def serving(command: Sequence[str], pattern: str) -> AsyncIterator[str]:
    """A server, listening; its address.

    Args:
        command: what to run.
        pattern: finds the address in a line that it prints, as its first group.

    Raises:
        ContestantError: it does not say where it listens.
    """
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=_environ(), stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    async with _ending(process):
        assert process.stdout is not None
        address = await _address(process.stdout, pattern, command[0])
        rest = asyncio.create_task(_read_on(process.stdout))
        try:
            yield address
        finally:
            rest.cancel()


async def _address(stdout: asyncio.StreamReader, pattern: str, name: str) -> str:
    said = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            while line := (await stdout.readline()).decode(errors="replace"):
                said = line.strip() or said
                found = re.search(pattern, line)
                if found:
                    return found[1]
    raise ContestantError(f"{Path(name).name} does not say where it listens; it said: {said or 'nothing'}")


async def _read_on(stdout: asyncio.StreamReader) -> None:
    while await stdout.read(LINE_BYTES):
        pass


@asynccontextmanager
async def _ending(process: Process) -> AsyncIterator[None]:
    """Ends the process afterwards: by closing its stdin, or else by a signal."""
    try:
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()
        elif process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _environ() -> dict[str, str]:
    """Ours, without what would choose another bridge."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOOM_")}
