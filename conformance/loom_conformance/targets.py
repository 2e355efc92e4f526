"""Targets: the bridge that is to be judged, as it is named on the command line, found or started.

fake | rust | docker     started here, for testing
HOST:PORT                one that runs already
anything else            a command that prints `listening on HOST:PORT` on stdout; run without a shell
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import grpc

from loom.endpoint import TLS, check_address
from loom.errors import BridgeUnavailable, ConfigError
from loom_conformance.program import CannotStart, Program
from loom_conformance.target import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["KINDS", "Choice", "Opened", "TargetError", "choose"]

KINDS = ("fake", "rust", "docker")
"""The bridges that the suite can start by itself."""

GRACE_S = 10
"""How long open calls may take when a bridge that a check started is told to stop."""

TESTING = "--testing"
"""The flag with which our bridges offer their testing control."""

_ADDRESS = "address"
_COMMAND = "command"


class TargetError(Exception):
    """No bridge is meant by this, or it cannot be had here; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A bridge that is there.

    Attributes:
        target: how the checks reach it.
        program: its process, where the suite started it.
    """

    target: Target
    program: Program | None = None

    async def death(self) -> str:
        """How the bridge ended, should it have done so by itself; empty while it lives."""
        code = await self.program.wait(0) if self.program is not None else None
        if self.program is None or code is None:
            return ""
        ending = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"the bridge died ({ending}); {self.program.last_words}"


@dataclass(frozen=True, slots=True)
class Choice:
    """The bridge that was named.

    Attributes:
        asked: as it was named.
        kind: fake, rust, docker, address or command.
        token: for one that is not started by its kind.
        tls: likewise.
    """

    asked: str
    kind: str
    token: str = field(default="", repr=False)
    tls: TLS | None = None

    def missing(self) -> str:
        """Why it cannot be had here, and what to do; empty where it may be. Builds and starts nothing."""
        if self.kind not in KINDS:
            return ""
        from loom_testing.harness.kinds import KINDS as HARNESS

        return HARNESS[self.kind].missing()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Opened]:
        """Finds it or starts it; ends what it started.

        Raises:
            TargetError: it cannot be had.
        """
        try:
            credentials = _credentials(self.tls)
            if self.kind == _ADDRESS:
                yield Opened(Target(self.asked, self.token, credentials))
                return
            command = self._command()
            environ = _environ(self.kind)
            program = await Program.started(command(0), environ)
        except (BridgeUnavailable, ConfigError, CannotStart) as error:
            raise TargetError(" ".join(str(error).split())) from None

        async def another() -> Program:
            return await Program.started(command(GRACE_S), environ)

        async def plain() -> Program:
            return await Program.started([word for word in command(GRACE_S) if word != TESTING], environ)

        by_kind = self.kind in KINDS  # of a command nobody knows what makes it one for testing
        try:
            target = Target(program.address, self.token, credentials, another, plain if by_kind else None)
            yield Opened(target, program)
        finally:
            await program.close()

    def _command(self) -> Callable[[int], list[str]]:
        """What starts it, given the seconds that open calls may take when it stops."""
        if self.kind == _COMMAND:
            words = shlex.split(self.asked)
            return lambda _: words
        if self.kind == "fake":
            # Under this name it follows its parent.
            fake = [sys.executable, "-m", "loom.cli.fake", "--json", "--port", "0"]
            return lambda grace: [*fake, *_flags(grace)]
        from loom.runtime.programs import choose as choose_program

        words = choose_program(self.kind, os.environ).at(0)
        return lambda grace: [*words, *_flags(grace), "--until-stdin-closes"]


def choose(asked: str, *, token: str = "", tls: TLS | None = None) -> Choice:
    """Reads what was named.

    Args:
        asked: a kind, an address or a command.
        token: what to show to a bridge that the suite does not start by its kind.
        tls: how to speak to it.

    Raises:
        TargetError: it is nothing of that.
    """
    if asked in KINDS:
        return Choice(asked, asked)
    choice = Choice(asked, _ADDRESS, token, tls)
    with contextlib.suppress(ConfigError):
        check_address(asked, "the target")
        return choice
    try:
        words = shlex.split(asked)
    except ValueError as error:
        raise TargetError(f"the target {asked!r} is no command: {error}") from None
    if not words or shutil.which(words[0]) is None:
        known = ", ".join(KINDS)
        raise TargetError(f"the target {asked!r} is none of {known}, no HOST:PORT, and no command found here")
    return replace(choice, kind=_COMMAND)


def _flags(grace: int) -> list[str]:
    return [TESTING, "--grace", str(grace), "--log-level", "info"]


def _environ(kind: str) -> dict[str, str]:
    """The environment of a bridge: a user's settings for another one do not reach it."""
    from loom.cli.lifeline import VARIABLE as LIFELINE
    from loom.runtime import docker, rust

    if kind == _COMMAND:
        return {**os.environ}
    kept = {rust.VARIABLE, docker.VARIABLE}
    ours = {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith("LOOM_BRIDGE_")
    }
    return {**ours, LIFELINE: "0", "PYTHONUNBUFFERED": "1"}  # its stdin is the pipe that it follows


def _credentials(tls: TLS | None) -> grpc.ChannelCredentials | None:
    if tls is None:
        return None
    return grpc.ssl_channel_credentials(tls.read("ca"), tls.read("key"), tls.read("certificate"))
