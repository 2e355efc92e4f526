"""The bridges that this machine can run as processes, and the choice between them.

    rust     the binary: LOOM_BRIDGE_BIN, the package loom-bridge, a cargo build of this checkout
    docker   the same binary in a container
    fake     the Python bridge of loom_testing, which is always there

Each is a `Program`: a command that prints `listening on HOST:PORT` on stdout and stops on SIGTERM.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loom.errors import BridgeUnavailable
from loom.runtime import docker, rust

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["KINDS", "Program", "choose"]

_log = logging.getLogger("loom.runtime")

KINDS = ("auto", "fake", "rust", "docker")


@dataclass(frozen=True, slots=True)
class Program:
    """A way to run a bridge.

    Attributes:
        kind: `fake`, `rust` or `docker`.
        reason: which one, and why, for people.
        command: what to run; the port is added by `at`.
        notice: what the user should know about this choice; empty where it is what was wanted.
    """

    kind: str
    reason: str
    command: tuple[str, ...]
    notice: str = ""

    def at(self, port: int) -> list[str]:
        """The command that serves on this machine's loopback; port 0 takes any free one."""
        where = ["--listen", f"127.0.0.1:{port}"] if self.kind == "rust" else ["--port", str(port)]
        return [*self.command, *where]


def choose(kind: str, environ: Mapping[str, str]) -> Program:
    """Chooses a bridge to run; what was chosen, and why, is logged.

    `rust` and `docker` build what is missing, with progress on stderr. `auto` takes the best that is there
    already: the Rust binary, else its image, else the fake, with a notice.

    Args:
        kind: one of `KINDS`.
        environ: the environment.

    Raises:
        ConfigError: `LOOM_BRIDGE_BIN` names no program.
        BridgeUnavailable: the kind that was asked for cannot be had.
    """
    program = _MAKERS[kind](environ)
    _log.info("bridge %s: %s", program.kind, program.reason)
    return program


def _fake(environ: Mapping[str, str]) -> Program:
    return Program("fake", "the fake, as asked for", (sys.executable, "-m", "loom_testing", "serve"))


def _rust(environ: Mapping[str, str]) -> Program:
    return _of_binary(rust.build(environ))


def _docker(environ: Mapping[str, str]) -> Program:
    with contextlib.closing(docker.engine()) as client:
        image = docker.ensure_image(client, environ)
    return _of_image(image, environ)


def _auto(environ: Mapping[str, str]) -> Program:
    found = next(rust.binaries(environ), None)
    if found is not None:
        return _of_binary(found)
    with contextlib.suppress(BridgeUnavailable), contextlib.closing(docker.engine()) as client:
        image = docker.existing_image(client, environ)
        if image is not None:
            return _of_image(image, environ)
    notice = f"no Rust bridge is here, so this is the fake: for the real one {rust.HOW_TO_GET}"
    return Program("fake", "no Rust bridge is here", _fake(environ).command, notice)


def _of_binary(binary: rust.Binary) -> Program:
    return Program("rust", f"{binary.path}, {binary.reason}", (str(binary.path),))


def _of_image(image: str, environ: Mapping[str, str]) -> Program:
    named = f", named by {docker.VARIABLE}" if environ.get(docker.VARIABLE) else ""
    return Program("docker", f"the image {image}{named}", (sys.executable, "-m", "loom.runtime.container"))


_MAKERS: dict[str, Callable[[Mapping[str, str]], Program]] = {
    "auto": _auto,
    "fake": _fake,
    "rust": _rust,
    "docker": _docker,
}
