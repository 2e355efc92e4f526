"""Which bridges a test run can choose from. Light: read before any test, also by runs that use no bridge.

A kind is a line in `KINDS`: how to launch it, or why it cannot be had. Every kind gives the same `Host`.
"""

from __future__ import annotations

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
        launch: starts one; None where it cannot be had.
        missing: why it cannot be had, and what to do.
    """

    name: str
    launch: Callable[[], Host] | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The bridge that was chosen.

    Attributes:
        text: what was written.
        open: starts it, or connects to it.
    """

    text: str
    open: Callable[[], Host]


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
        if kind.launch is None:
            raise BridgeChoiceError(f"{place} is {text}: {kind.missing}")
        return Choice(text, kind.launch)
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise BridgeChoiceError(f"{place} is {text!r}: choose {', '.join(KINDS)}, or a bridge's HOST:PORT")
    return Choice(text, lambda: _connect(text))


def _launch_fake() -> Host:
    from loom_testing.harness.process import FakeProcess

    return FakeProcess()


def _connect(address: str) -> Host:
    from loom_testing.harness.host import RemoteHost

    return RemoteHost(address)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("fake", _launch_fake),
        Kind("rust", missing="the Rust bridge is not built yet; choose fake, or a bridge's HOST:PORT"),
        Kind("docker", missing="the bridge's image is not built yet; choose fake, or a bridge's HOST:PORT"),
    )
}
