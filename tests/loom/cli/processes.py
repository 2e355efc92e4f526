"""`loom` as a real process: its lines are read as they come, and waited for with a deadline."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from loom.cli.lifeline import lifeline

DEADLINE = 60.0
"""Seconds; a wait that takes so long has failed."""

AGENT = '''
from loom import Agent, Context

agent = Agent("adder")
other = Agent("listener")

@agent.capability("add", version="1.0")
def add(a: int, b: int = 1) -> int:
    """Adds. Really."""
    return a + b

@agent.capability("shout")
def shout(text: str) -> str:
    return text.upper()

@agent.capability("slow")
async def slow(seconds: float = 60.0) -> None:
    import asyncio
    await asyncio.sleep(seconds)

@agent.capability("broken")
def broken() -> None:
    raise RuntimeError("it broke")

@other.on("paper.*")
async def read(ctx: Context, paper: dict) -> None:
    print("read", paper, flush=True)
    await ctx.emit("read.done", {"of": paper})
'''

TWO = 'from loom import Agent\nfirst = Agent("first")\nsecond = Agent("second")\nagain = first\n'


class Running:
    """A process whose lines are collected; stdout and stderr apart."""

    def __init__(self, arguments: list[str], folder: Path, **environ: str) -> None:
        dropped = ("LOOM_BRIDGE_ADDR", "LOOM_TOKEN", "LOOM_NAMESPACE", "FORCE_COLOR")
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        own = {"LOOM_RUNTIME_DIR": str(folder / "run"), "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
        variables, descriptors = lifeline()  # a test run that is killed leaves nothing behind
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**kept, **own, **variables, **environ},
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))
            self._news.put(None)
        self._news.put(None)

    def wait_for(self, found: Callable[[str], bool], *, err: bool = False, times: int = 1) -> str:
        """The line (the nth of those) that is found, waited for."""
        deadline = time.monotonic() + DEADLINE
        while True:
            hits = [line for line in (self.err if err else self.out) if found(line)]
            if len(hits) >= times:
                return hits[times - 1]
            with contextlib.suppress(queue.Empty):
                self._news.get(timeout=max(0.0, min(1.0, deadline - time.monotonic())))
            ended = self.process.poll() is not None and not any(each.is_alive() for each in self._readers)
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"it did not come.\nstdout: {self.out}\nstderr: {self.err}")

    def wait_for_activity(self, kind: str, times: int = 1, **fields: Any) -> dict[str, Any]:
        """The JSON line of that kind and with those fields."""

        def found(line: str) -> bool:
            told = json.loads(line)
            return told["kind"] == kind and all(told.get(name) == value for name, value in fields.items())

        told: dict[str, Any] = json.loads(self.wait_for(found, times=times))
        return told

    def end(self, number: int = signal.SIGINT) -> int:
        """Sends the signal and waits; gives the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Waits until it ended; gives the exit code."""
        code = self.process.wait(DEADLINE)
        for reader in self._readers:
            reader.join(DEADLINE)
        return code


@contextlib.contextmanager
def running(arguments: list[str], folder: Path, **environ: str) -> Iterator[Running]:
    """A process that is gone afterwards, whatever happens."""
    process = Running(arguments, folder, **environ)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.send_signal(signal.SIGTERM)
            try:
                process.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                process.process.kill()
        process.ended()
        for stream in (process.process.stdout, process.process.stderr):
            assert stream is not None
            stream.close()


def loom_command(*arguments: str) -> list[str]:
    """The arguments to Python that are `loom ARGUMENTS`."""
    return ["-m", "loom.cli", *arguments]


def dev_command(*arguments: str, kind: str = "fake") -> list[str]:
    """`loom dev` on a free port."""
    return loom_command("dev", "--bridge", kind, "--port", "0", *arguments)


def write(path: str, text: str) -> None:
    """Writes a file below the working directory."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def children_of(pid: int) -> list[int]:
    """The processes that it started."""
    return [int(child) for child in _ps("pid=", "--ppid", pid).split()]


def wait_until_gone(pids: list[int]) -> None:
    """Waits until all of them have ended; one that nobody asked for its exit code counts as ended."""
    deadline = time.monotonic() + DEADLINE
    left = pids
    while left := [pid for pid in left if _ps("stat=", "-p", pid).strip()[:1] not in ("", "Z")]:
        assert time.monotonic() < deadline, f"still there: {left}"


def _ps(what: str, option: str, pid: int) -> str:
    command = ["ps", "-o", what, option, str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
