"""The agents' processes: started together, watched, and always ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

__all__ = ["Crew", "Member", "crew"]

_ROOT = Path(__file__).resolve().parents[2]
_GRACE = 5.0  # seconds that a process has to stop before it is killed
_LAST_LINES = 6


@dataclass(frozen=True, slots=True)
class Member:
    """One agent to be started.

    Attributes:
        name: its agent id.
        module: what is run, e.g. `examples.research.writer`.
        environment: what it is told, besides this process's own environment.
        is_needed: whether nothing can be answered without it.
    """

    name: str
    module: str
    environment: Mapping[str, str]
    is_needed: bool = True


class Crew:
    """The running processes, by agent id.

    Attributes:
        logs: the folder of their logs.
    """

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = logs
        self._needed: set[str] = set()
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, member: Member) -> None:
        """Start one process; what it says goes into a log of its own."""
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            **member.environment,
            "PYTHONPATH": os.pathsep.join(paths),
            "RESEARCH_NAME": member.name,
            "RESEARCH_END_WITH_PARENT": "1",
        }
        with self._log(member.name).open("wb") as log:
            self._processes[member.name] = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                member.module,
                stdin=asyncio.subprocess.PIPE,  # closes when this process ends, however it ends
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C goes to the starter alone, which ends the others in order
            )
        if member.is_needed:
            self._needed.add(member.name)

    def process_ids(self) -> dict[str, int]:
        """The process id of each agent."""
        return {name: process.pid for name, process in self._processes.items()}

    async def watch(self) -> str:
        """Wait until a process that is needed has ended by itself, and say what its log says."""
        waits = {asyncio.create_task(self._processes[name].wait()): name for name in self._needed}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self.epitaph(waits[next(iter(done))])

    def ended(self) -> list[str]:
        """The agents whose processes have ended."""
        return [name for name, process in self._processes.items() if process.returncode is not None]

    def epitaph(self, name: str) -> str:
        """How a process ended, and the last it said."""
        lines = self._log(name).read_text("utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        said = "".join(f"\n    {line}" for line in lines)
        return f"{name} ended with exit code {self._processes[name].returncode}{said}"

    async def stop(self) -> None:
        """End every process: asked first, killed when it does not listen. Nothing is left behind."""
        running = [process for process in self._processes.values() if process.returncode is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        if running:
            waits = [asyncio.create_task(process.wait()) for process in running]
            _, late = await asyncio.wait(waits, timeout=_GRACE)
            if late:
                self._kill(running)
                await asyncio.wait(late)
        for process in self._processes.values():
            if process.stdin:
                process.stdin.close()

    def _kill(self, processes: Sequence[asyncio.subprocess.Process]) -> None:
        for process in processes:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


@contextlib.asynccontextmanager
async def crew(members: Sequence[Member], logs: Path) -> AsyncIterator[Crew]:
    """Start the members, and end them on leaving, whatever happens in between.

    Raises:
        OSError: a process could not be started, or its log not be written.
    """
    running = Crew(logs)
    try:
        for member in members:
            await running.start(member)
        yield running
    finally:
        await asyncio.shield(running.stop())
