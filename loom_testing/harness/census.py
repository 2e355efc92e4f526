"""`Census`: the threads and child processes of this process, to be compared before and after a test."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Census"]

TASKS = Path("/proc/self/task")
"""Where Linux lists the children of each of our threads; elsewhere child processes are not looked at."""
OF_OTHERS = ("grpc", "execnet", "concurrent.futures", "asyncio", "pytest_timeout")
"""Threads that run code of these live as long as their libraries see fit."""
OURS = (
    "loom-beside-the-test",
    "loom-bridge-log",
    "loom-control",
    "loom-in-memory",
    "loom-namespaces",
    "loom-proxy",
)
"""The harness's own threads, which outlive a test or end with its bridge."""
PAUSE_S = 0.005
TRIES = 20
ENDED = "ZX"
"""The states of a process that has ended and was not waited for."""


@dataclass(frozen=True, slots=True)
class Census:
    """What is there.

    Attributes:
        threads: the threads; themselves, since a new one may be given the number of one that has ended.
        children: the child processes by their numbers.
    """

    threads: frozenset[threading.Thread]
    children: frozenset[int]

    @classmethod
    def taken(cls) -> Census:
        """What is there now."""
        return cls(frozenset(threading.enumerate()), _children())

    def new(self, patience: float, bridge: int = 0) -> list[str]:
        """What has come since, in words. What is about to end is given so many seconds to do so.

        Args:
            patience: those seconds.
            bridge: the process of the test's own bridge, which may be a new one; 0 for none.
        """
        end = time.monotonic() + patience
        while (found := self._new(bridge)) and time.monotonic() < end:
            time.sleep(PAUSE_S)
        return found

    def _new(self, bridge: int) -> list[str]:
        threads = [
            f"thread {thread.name!r}: end what it waits for, and join it"
            for thread in threading.enumerate()
            if thread not in self.threads and not _is_somebody_elses(thread)
        ]
        children = [
            f"process {pid} ({command}): stop it, and wait for it"
            for pid in sorted(_children() - self.children - {bridge})
            if (command := _command(pid))
        ]
        return threads + children


def _is_somebody_elses(thread: threading.Thread) -> bool:
    target = getattr(thread, "_target", None)  # there as long as the thread runs
    module = str(getattr(target, "__module__", "") or "")
    return (
        thread is threading.current_thread()
        or thread.name.startswith(OURS)
        or module.startswith(OF_OTHERS)
        or (
            target is None and type(thread) is not threading.Thread and type(thread).__module__ == "threading"
        )
    )


def _children() -> frozenset[int]:
    if not TASKS.is_dir():
        return frozenset()
    found: set[int] = set()
    for task in TASKS.iterdir():
        try:
            found.update(int(pid) for pid in (task / "children").read_text().split())
        except OSError:  # that thread has just ended
            continue
    return frozenset(found)


def _command(pid: int) -> str:
    """What a process runs; empty where it has ended, waited for or not."""
    folder, name = Path("/proc") / str(pid), ""
    for _ in range(TRIES):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            name, _, state = (folder / "stat").read_text().partition(" (")[2].rpartition(") ")
        except OSError:
            return ""
        if any(words):
            return " ".join(word.decode(errors="replace") for word in words if word)[:200]
        if state[0] in ENDED:
            return ""
        time.sleep(PAUSE_S)  # a program that is being started has no arguments for a moment
    return name
