"""Processes that a command starts: they end with it, in order, and their output is told apart.

They live in a session of their own, so that Ctrl-C reaches only us and we decide who ends when.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

from loom.cli.lifeline import lifeline

if TYPE_CHECKING:
    from asyncio import StreamReader
    from asyncio.subprocess import Process
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Child"]

LONGEST_LINE = 1024 * 1024
KILL_SECONDS = 5.0


class Child:
    """One process.

    Attributes:
        name: what it is called before its lines.
    """

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self._process = process
        # Read all the time: a full pipe would stop the process.
        stderr = process.stderr
        self._complaints = None if stderr is None else asyncio.create_task(stderr.read())

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        environ: Mapping[str, str] = os.environ,
        merged: bool = False,
        held: bool = False,
    ) -> Child:
        """Starts a process that does not outlive this one, if it minds its lifeline or its stdin.

        Args:
            name: what it is called before its lines.
            command: what to run.
            environ: its environment.
            merged: whether its stderr comes with its stdout.
            held: whether its stdin is a pipe that stays open for as long as this process lives.
        """
        variables, descriptors = lifeline()
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.PIPE if held else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            env={"LOOM_LOG": "WARNING", **environ, "PYTHONUNBUFFERED": "1", **variables},
            pass_fds=descriptors,
            start_new_session=True,
            limit=LONGEST_LINE,
        )
        return cls(name, process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def line(self) -> str:
        """Its next line on stdout; empty at the end."""
        return await _line(self._stdout)

    async def complaints(self) -> str:
        """All it says on stderr until it ends, where that was not merged."""
        return "" if self._complaints is None else (await self._complaints).decode("utf-8", "replace").strip()

    async def forward(self, show: Callable[[str], None]) -> int:
        """Shows each line until it ends; gives its exit code."""
        while line := await self.line():
            show(line.rstrip("\n"))
        return await self._process.wait()

    async def wait(self) -> int:
        """Waits until it ended; gives its exit code."""
        return await self._process.wait()

    async def stop(self, grace: float) -> None:
        """Asks it to end (SIGTERM), and ends it after `grace` seconds."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Ends it at once, if it has not ended."""
        self._signal(signal.SIGKILL)
        with contextlib.suppress(TimeoutError):  # one of its own children may hold its pipes
            await asyncio.wait_for(self._process.wait(), KILL_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        """Not through `Process.terminate` and `kill`: they look whether it has ended, and then asyncio, which
        waits for that too, finds no process, warns, and tells the exit code 255.
        """
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    @property
    def _stdout(self) -> StreamReader:
        assert self._process.stdout is not None
        return self._process.stdout


async def _line(stream: StreamReader) -> str:
    try:
        line = await stream.readline()
    except ValueError:  # longer than the limit; what follows is still worth having
        return "(a line of more than a mebibyte was left out)\n"
    return line.decode("utf-8", "replace")
