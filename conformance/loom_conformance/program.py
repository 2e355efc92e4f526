"""`Program`: a bridge that we start in a process of its own, and may send signals to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CannotStart", "Program"]

START_S = 60.0
STOP_S = 5.0
LISTENING = "listening on "
TAIL_LINES = 20


class CannotStart(Exception):  # noqa: N818 - it says what happened
    """The bridge did not come up; the text says what it said."""


class Program:
    """A bridge as a process. Its stdout says where it listens: `listening on HOST:PORT`, or the fake's JSON.

    Its stdin is a pipe that closes with us, for bridges that end by that.

    Attributes:
        address: where it listens, once it is started.
        pid: the process.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.address = ""
        self.pid = process.pid
        self._process = process
        self._said: deque[str] = deque(maxlen=TAIL_LINES)
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def started(cls, command: Sequence[str], environ: Mapping[str, str] | None = None) -> Program:
        """Starts the command, and waits until it serves.

        Raises:
            CannotStart: it cannot be run, ended, or did not say where it listens.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=environ,
                start_new_session=True,  # a Ctrl-C is ours to handle
            )
        except OSError as problem:
            raise CannotStart(f"{command[0]}: {problem.strerror}") from None
        program = cls(process)
        try:
            async with asyncio.timeout(START_S):
                await program._until_it_listens()
        except TimeoutError:
            await program.close()
            raise CannotStart(f"{command[0]} did not say where it listens; {program._tail()}") from None
        except BaseException:
            await program.close()
            raise
        return program

    @property
    def last_words(self) -> str:
        """The end of its log, on one line."""
        return self._tail()

    def signal(self, number: int) -> None:
        """Sends it a signal; nothing where it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def wait(self, seconds: float) -> int | None:
        """Its exit code once it has ended; None where it lives on after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await self._process.wait()
        except TimeoutError:
            return None

    async def close(self) -> None:
        """Ends it, whatever became of it."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        if await self.wait(STOP_S) is None:
            self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            await self._reading
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def _until_it_listens(self) -> None:
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode(errors="replace").rstrip():
            self.address = _address(line)
            if self.address:
                self._reading = asyncio.create_task(self._read_on())
                return
            self._said.append(line)
        await self._process.wait()
        raise CannotStart(f"the bridge ended with {self._process.returncode}; {self._tail()}")

    async def _read_on(self) -> None:
        """Takes in what it says, so that its pipe never fills."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self._said.append(line.decode(errors="replace").rstrip())

    def _tail(self) -> str:
        return f"it said: {' / '.join(self._said) or 'nothing'}"


def _address(line: str) -> str:
    if line.startswith(LISTENING):
        return line.removeprefix(LISTENING).strip()
    with contextlib.suppress(ValueError):
        said = json.loads(line)
        if isinstance(said, dict) and said.get("event") == "serving":
            return str(said["address"])
    return ""
