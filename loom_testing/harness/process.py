"""A bridge as a process beside the tests: the fake, the Rust binary, or a container's keeper.

Beside, not inside, also the fake: a second grpc.aio event loop in the test's process costs as much time, and
fills the log with errors of its own ("Event loop is closed"); and a bridge that dies takes no test run with
it.

A bridge says on stdout where it listens: `listening on HOST:PORT`, or the fake's JSON. All else is its log.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from loom.runtime import docker, rust
from loom.runtime.programs import choose
from loom_testing.harness.errors import BridgeDiedError, HarnessError
from loom_testing.harness.host import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["BridgeProcess", "FakeProcess", "program_process"]

START_S = 30.0
STOP_S = 5.0
IDLE_EXIT_S = 600
"""A fake whose tests were killed ends by itself after this."""
COMMAND = (
    # Under this name it follows its parent.
    *("-m", "loom.cli.fake", "--testing", "--json", "--port", "0"),
    *("--grace", "0", "--idle-exit", str(IDLE_EXIT_S), "--log-level", "info"),
)
REAL_FLAGS = ("--testing", "--grace", "0", "--log-level", "info", "--until-stdin-closes")
"""What the Rust bridge is told. Its stdin is a pipe of ours: it ends with the tests, even killed ones."""
REAL_SETTINGS = "LOOM_BRIDGE_"
"""Its settings in the environment are those of another bridge."""
LISTENING = "listening on "
LOG_LINES = 2_000
TAIL_LINES = 20


class BridgeProcess(Host):
    """A bridge in a process of its own, started for testing.

    Args:
        name: what it is, for errors.
        command: what to run.
        environ: its environment.

    Raises:
        HarnessError: it did not come up; the text holds what it said.
    """

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._lines = 0
        self._address = ""
        self._serving = threading.Event()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[BridgeDiedError], None]] = []
        self._ended = threading.Event()
        self._closing = False
        self._death = ""
        self._process = _start(command, environ)
        self._reader = threading.Thread(target=self._read, name="loom-bridge-log", daemon=True)
        self._reader.start()
        if not self._serving.wait(START_S) or not self._address:
            self._process.kill()
            self._finish()
            raise HarnessError(f"{name} did not come up; it said:\n{self._tail()}")
        super().__init__(self._address)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def death(self) -> str:
        """How the bridge ended; empty while it lives."""
        return self._death

    @property
    def is_gone(self) -> bool:
        """Whether the bridge has ended, in whatever way."""
        return self._ended.is_set()

    def wait_for_death(self, seconds: float) -> str:
        """How the bridge ended, waiting a little for it to do so; empty if it lives."""
        self._ended.wait(seconds)
        return self._death

    @property
    def log_mark(self) -> int:
        """Where the log ends now."""
        return self._lines

    def log_since(self, mark: int) -> list[str]:
        """The log's lines since a mark, those that are still kept."""
        with self._lock:
            new = min(self._lines - mark, len(self._log))
            return list(self._log)[len(self._log) - new :] if new > 0 else []

    def on_death(self, tell: Callable[[BridgeDiedError], None]) -> None:
        """Calls `tell`, from the log's thread, when the bridge ends by itself."""
        with self._lock:
            if not self._death:
                self._listeners.append(tell)
                return
        tell(BridgeDiedError(self._death))

    def forget(self, tell: Callable[[BridgeDiedError], None]) -> None:
        """Calls it no more."""
        with self._lock, contextlib.suppress(ValueError):
            self._listeners.remove(tell)

    def close(self) -> None:
        """Stops the bridge."""
        super().close()
        self._closing = True
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._finish()

    # What a test does to it on purpose.

    def kill(self) -> None:
        """Kills it, as SIGKILL does, and waits for its end. That is no death that fails a test."""
        self._closing = True
        self._signal(signal.SIGKILL)
        self._ended.wait(STOP_S)

    def freeze(self) -> None:
        """Stops it where it stands."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Sends a signal to the bridge itself."""
        os.kill(self._process.pid, number)

    def _finish(self) -> None:
        """Waits for the end of the process, and closes what led to it."""
        assert self._process.stdin is not None
        self._process.wait()
        self._reader.join(STOP_S)
        self._process.stdin.close()

    def _read(self) -> None:
        """Takes in what the process says until it ends."""
        assert self._process.stdout is not None
        with self._process.stdout as said:
            for line in said:
                self._take(line.rstrip("\n"))
        code = self._process.wait()
        with self._lock:
            if not self._closing:
                self._death = f"the bridge died ({_ending(code)}); the end of its log:\n{self._tail()}"
            listeners, self._listeners = self._listeners, []
        self._ended.set()
        self._serving.set()
        for tell in listeners if self._death else ():
            tell(BridgeDiedError(self._death))

    def _take(self, line: str) -> None:
        said = _event(line)
        if line.startswith(LISTENING):
            self._address = line.removeprefix(LISTENING)
            self._serving.set()
        elif said.get("event") == "serving":
            self._address = str(said["address"])
            self._serving.set()
        elif not said:
            with self._lock:
                self._log.append(line)
                self._lines += 1

    def _tail(self) -> str:
        lines = list(self._log)[-TAIL_LINES:] or ["(nothing)"]
        return "\n".join(f"    {line}" for line in lines)


class FakeProcess(BridgeProcess):
    """`loom-testing serve --testing` in a process of its own.

    Raises:
        HarnessError: it did not come up; the text holds what it said.
    """

    def __init__(self) -> None:
        environ = {**os.environ, "LOOM_CLI_LIFELINE": "0"}  # its stdin is the pipe that it follows
        super().__init__("the fake bridge", [sys.executable, *COMMAND], environ)


class ContainerProcess(BridgeProcess):
    """The bridge in Docker: the process is the one that keeps the container."""

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.closing(docker.engine()) as client:
            container = docker.kept_by(client, self._process.pid)
            match number:
                case signal.SIGSTOP:
                    container.pause()
                case signal.SIGCONT:
                    container.unpause()
                case _:
                    container.kill()


def program_process(kind: str) -> BridgeProcess:
    """The Rust bridge, as `rust` or in `docker`; what is missing is built, with progress on stderr.

    Raises:
        HarnessError: it did not come up; the text holds what it said.
        LoomError: there is none, and none can be built.
    """
    program = choose(kind, os.environ)
    kept = {rust.VARIABLE, docker.VARIABLE}
    environ = {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(REAL_SETTINGS)
    }
    make = ContainerProcess if kind == "docker" else BridgeProcess
    return make(f"the bridge ({kind}: {program.reason})", [*program.at(0), *REAL_FLAGS], environ)


def _start(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - a bridge, and arguments of our own
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,  # a Ctrl-C is pytest's to handle; it stops the bridge in order
    )


def _event(line: str) -> dict[str, Any]:
    """What a line says as JSON; nothing where it is a line of the log."""
    if not line.startswith('{"event"'):
        return {}
    with contextlib.suppress(ValueError):
        said: dict[str, Any] = json.loads(line)
        return said
    return {}


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
