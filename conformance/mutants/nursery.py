"""Many planted bridges, quickly: one process imports what they all need, and each bridge is a fork of it.

As a program, `python -m mutants.nursery` reads the name of a mutant and flags from each line of its
stdin, and says on stdout what becomes of the bridge, a JSON object a line: `forked`, the bridge's own
`serving`, and `exit`. Every bridge ends with the program. `Nursery` is the other end.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn, Self

from loom_conformance.program import CannotStart
from mutants.mutant import load

if TYPE_CHECKING:
    from mutants.mutant import Mutant

__all__ = ["Nursery", "Planted", "main"]

START_S = 60.0
STOP_S = 5.0
TAIL_LINES = 8
SHARED = (
    "click",
    "grpc.aio",
    "grpc_health.v1.health_pb2",
    "grpc_reflection.v1alpha.reflection",
    "loom.testing.v1.control_pb2",
    "loom.v1.bridge_pb2",
    "loom.view.v1.view_pb2",
)
COMMAND = ("-m", "mutants.nursery")


class Planted:
    """One planted bridge: a `BridgeProgram`.

    Attributes:
        address: where it listens, once it serves.
        pid: its process.
    """

    def __init__(self, pid: int) -> None:
        self.address = ""
        self.pid = pid
        self._serving: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def signal(self, number: int) -> None:
        """Sends it a signal; nothing where it has ended."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self, seconds: float) -> int | None:
        """Its exit code once it has ended; None where it lives on after so many seconds."""
        await asyncio.wait([self._ended], timeout=seconds)
        return self._ended.result() if self._ended.done() else None

    async def close(self) -> None:
        """Ends it, whatever became of it."""
        self.signal(signal.SIGTERM)
        if await self.wait(STOP_S) is None:
            self.signal(signal.SIGKILL)
            await self._ended

    async def served(self) -> Self:
        """Waits until it serves.

        Raises:
            CannotStart: it ended instead, or took too long.
        """
        waits: list[asyncio.Future[Any]] = [self._serving, self._ended]
        await asyncio.wait(waits, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        if not self._serving.done():
            raise CannotStart("it ended" if self._ended.done() else f"nothing within {START_S:g} s")
        self.address = self._serving.result()
        return self

    def heard(self, said: dict[str, Any]) -> None:
        """What the nursery says of it."""
        if said["event"] == "serving" and not self._serving.done():
            self._serving.set_result(said["address"])
        elif said["event"] == "exit" and not self._ended.done():
            self._ended.set_result(said["code"])


class Nursery:
    """Planted bridges of one run; all of them end with its `async with`."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._planted: dict[int, Planted] = {}
        self._asked: deque[asyncio.Future[Planted]] = deque()
        self._said: deque[str] = deque(maxlen=TAIL_LINES)
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is ours to handle
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reading is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    async def start(self, name: str, *flags: str) -> Planted:
        """A fake bridge with the mutant of that name in it; flags are those of `loom-testing serve`.

        Raises:
            CannotStart: it does not come up; the text is the end of what it said.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        asked: asyncio.Future[Planted] = asyncio.get_running_loop().create_future()
        if self._reading is None or self._reading.done():
            raise CannotStart(self._end())
        self._asked.append(asked)
        self._process.stdin.write(f"{' '.join((name, *flags))}\n".encode())
        planted = await asked
        try:
            return await planted.served()
        except CannotStart as problem:
            await planted.close()
            raise CannotStart(f"{problem}; it said: {' / '.join(self._said) or 'nothing'}") from None

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode(errors="replace"):
            said = _event(line)
            if said.get("event") == "forked":
                self._planted[said["pid"]] = planted = Planted(said["pid"])
                self._asked.popleft().set_result(planted)
            elif said.get("pid") in self._planted:
                self._planted[said["pid"]].heard(said)
            elif not said:
                self._said.append(line.strip())
        for asked in self._asked:
            asked.set_exception(CannotStart(self._end()))

    def _end(self) -> str:
        return f"the nursery ended; it said: {' / '.join(self._said) or 'nothing'}"


def _event(line: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        said = json.loads(line)
        if isinstance(said, dict) and "event" in said:
            return said
    return {}


# The program.


def main() -> None:
    """Forks a bridge for each line of stdin, and ends them all when it closes."""
    _import_what_all_need()
    known = {mutant.name: mutant for mutant in load()}
    alive: dict[int, int] = {}
    reaping: list[threading.Thread] = []
    for line in sys.stdin:
        reading, writing = os.pipe()
        name, *flags = line.split()
        pid = os.fork()
        if pid == 0:
            os.close(writing)
            _serve(known[name], flags, reading)
        os.close(reading)
        alive[pid] = writing  # the bridge follows us through it
        _say(event="forked", pid=pid, name=name)
        reaping.append(threading.Thread(target=_reap, args=(pid, alive), daemon=True))
        reaping[-1].start()
    for pid in list(alive):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for thread in reaping:
        thread.join()


def _import_what_all_need() -> None:
    """Libraries and generated code; nothing of the fake, whose modules are mutated as they are imported."""
    for name in SHARED:
        importlib.import_module(name)
    assert not any(name.startswith("loom_testing") for name in sys.modules)


def _serve(mutant: Mutant, flags: list[str], lifeline: int) -> NoReturn:
    """The bridge, in its fork."""
    code = 1
    try:
        os.dup2(lifeline, 0)
        os.setsid()
        os.environ["LOOM_CLI_LIFELINE"] = "0"
        from mutants.planted import serve

        serve(mutant, flags)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap(pid: int, alive: dict[int, int]) -> None:
    _, status = os.waitpid(pid, 0)
    os.close(alive.pop(pid))
    _say(event="exit", pid=pid, code=os.waitstatus_to_exitcode(status))


def _say(**what: object) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())  # in one piece: all of them write there


if __name__ == "__main__":
    main()
