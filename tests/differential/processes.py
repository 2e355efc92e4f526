"""The two bridges of the lane over gRPC, each a process of its own, started for testing."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import IO

from loom.runtime.programs import choose

__all__ = ["BridgeProcess", "NoBridgeError", "Processes", "fake_command", "rust_command"]

FLAGS = ("--testing", "--grace", "1", "--log-level", "error")
FOLLOWS_STDIN = {"LOOM_CLI_LIFELINE": "0"}
"""So the fake ends when our end of its stdin closes, as the Rust bridge does by a flag."""
SETTINGS = "LOOM_BRIDGE_"
"""Settings of the Rust bridge in the environment are those of another bridge."""
ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
STOP_S = 10.0
LAST_WORDS = 400


class NoBridgeError(Exception):
    """A bridge cannot be had; the text says why and what to do."""


def fake_command(command: str = "") -> list[str]:
    """How to start the fake: as this project does, or by a command of the user's."""
    return [*(shlex.split(command) or [sys.executable, "-m", "loom.cli.fake"]), *FLAGS, "--port", "0"]


def rust_command(command: str = "") -> list[str]:
    """How to start the Rust bridge: the binary that is found or built, or a command of the user's.

    Raises:
        LoomError: there is none, and none can be built.
    """
    found = shlex.split(command) or [*choose("rust", os.environ).command]
    return [*found, *FLAGS, "--listen", "127.0.0.1:0", "--until-stdin-closes"]


class BridgeProcess:
    """One bridge that serves.

    Attributes:
        address: where.

    Args:
        name: what it is called in reports.
        command: what to run.
        limits: limits of the bridge as a whole.

    Raises:
        NoBridgeError: it did not come up.
    """

    def __init__(self, name: str, command: list[str], limits: Mapping[str, int]) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the bridge
        given = [word for item in limits.items() for word in ("--limit", "{}={}".format(*item))]
        environ = {key: value for key, value in os.environ.items() if _is_kept(key)}
        try:
            self._process = subprocess.Popen(
                [*command, *given],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**environ, **FOLLOWS_STDIN},
                start_new_session=True,  # a Ctrl-C is the fuzzer's
            )
        except OSError as error:
            raise NoBridgeError(f"{name}: cannot run {command[0]}: {error.strerror}") from None
        assert self._process.stdout is not None
        found = ADDRESS.search(self._process.stdout.readline().decode(errors="replace"))
        if found is None:
            self._process.kill()
            raise NoBridgeError(f"{name} did not come up: {self.death()}")
        self.address = found[0]

    @property
    def lives(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Tells it to stop in order."""
        self._process.terminate()

    def death(self) -> str:
        """How it ended, and what it said last."""
        code = self._process.wait(STOP_S)
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()[-LAST_WORDS:]
        return f"exit code {code}{': ' if said else ''}{said}"

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def _is_kept(key: str) -> bool:
    return not key.startswith(SETTINGS) or key == "LOOM_BRIDGE_BIN"


class Processes:
    """Both bridges; one that died is started anew when it is asked for."""

    def __init__(self, commands: Mapping[str, list[str]], limits: Mapping[str, int]) -> None:
        self._commands = dict(commands)
        self._limits = dict(limits)
        self._running: dict[str, BridgeProcess] = {}

    @property
    def names(self) -> list[str]:
        """What the bridges are called in reports."""
        return list(self._commands)

    def get(self, name: str) -> BridgeProcess:
        """The bridge of that name, which serves.

        Raises:
            NoBridgeError: it does not come up.
        """
        running = self._running.get(name)
        if running is None or not running.lives:
            if running is not None:
                running.close()
            running = self._running[name] = BridgeProcess(name, self._commands[name], self._limits)
        return running

    def close(self) -> None:
        """Ends both."""
        for running in self._running.values():
            running.close()
        self._running.clear()
