"""Which bridges a test run can choose from. Light: read before any test, also by runs that use no bridge.

A kind is a line in `KINDS`: how to launch it, and why it cannot be had here. All give the same `Host`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loom_testing.harness.errors import BridgeChoiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.harness.host import Host

__all__ = ["DEFAULT", "KINDS", "Choice", "Kind", "choose"]

DEFAULT = "fake"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of bridge.

    Attributes:
        name: how it is chosen.
        launch: starts one.
        missing: says why it cannot be had here, and what to do; nothing where it can. Builds nothing.
        prepare: builds what launching would build first, with progress on stderr.
        launch_reached: starts one that a proxy and other processes reach; None where `launch` does.
    """

    name: str
    launch: Callable[[], Host]
    missing: Callable[[], str] = str
    prepare: Callable[[], object] = str
    launch_reached: Callable[[], Host] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The bridge that was chosen.

    Attributes:
        text: what was written.
        open: starts it, or connects to it.
        prepare: builds what starting it needs, or sees whether it can be reached.
        open_reached: starts one that a proxy and other processes reach; None where `open` does.
    """

    text: str
    open: Callable[[], Host]
    prepare: Callable[[], object] = str
    open_reached: Callable[[], Host] | None = None


def choose(text: str, place: str) -> Choice:
    """Reads what was chosen.

    Args:
        text: a kind's name, or an address as `HOST:PORT`.
        place: where it was written, for errors.

    Raises:
        BridgeChoiceError: there is no such kind, it cannot be had, or the address is malformed.
    """
    kind = KINDS.get(text)
    if kind is not None:
        problem = kind.missing()
        if problem:
            raise BridgeChoiceError(f"{place} is {text}: {problem}")
        return Choice(text, kind.launch, kind.prepare, kind.launch_reached)
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise BridgeChoiceError(f"{place} is {text!r}: choose {', '.join(KINDS)}, or a bridge's HOST:PORT")
    return Choice(text, lambda: _connect(text), lambda: _reach(text))


def _launch_fake() -> Host:
    from loom_testing.harness.process import FakeProcess

    return FakeProcess()


def _launch_memory() -> Host:
    from loom_testing.harness.inside import MemoryHost

    return MemoryHost()


def _launch_rust() -> Host:
    from loom_testing.harness.process import program_process

    return program_process("rust")


def _no_rust() -> str:
    from loom.runtime import rust

    return rust.can_have(os.environ)


def _build_rust() -> object:
    from loom.runtime.programs import choose

    return choose("rust", os.environ)


def _launch_docker() -> Host:
    from loom_testing.harness.process import program_process

    return program_process("docker")


def _no_docker() -> str:
    from loom.runtime import docker

    return docker.can_have(os.environ)


def _build_image() -> object:
    from loom.runtime.programs import choose

    return choose("docker", os.environ)


def _connect(address: str) -> Host:
    from loom_testing.harness.host import RemoteHost

    return RemoteHost(address)


def _reach(address: str) -> None:
    """Asks once: what no test would reach is said before the first.

    Raises:
        BridgeUnavailable, DeadlineExceeded: nobody answers there.
    """
    from loom.endpoint import Endpoint
    from loom.errors import BridgeUnavailable, DeadlineExceeded, LoomError
    from loom.sync import SyncClient

    with SyncClient(Endpoint(address)) as client:
        try:
            client.heartbeat()
        except (BridgeUnavailable, DeadlineExceeded):
            raise
        except LoomError:
            pass  # somebody answers: what is wrong with them the tests will say


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("fake", _launch_fake),
        Kind("memory", _launch_memory, launch_reached=_launch_fake),
        Kind("rust", _launch_rust, _no_rust, _build_rust),
        Kind("docker", _launch_docker, _no_docker, _build_image),
    )
}
