"""The Rust bridge's binary: where it is, and why that one.

In this order: the one that `LOOM_BRIDGE_BIN` names, the one of the package `loom-bridge`
(`pip install 'loom-py[bridge]'`), the one that cargo builds of this checkout.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loom.errors import BridgeUnavailable, ConfigError
from loom.runtime import cargo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["HOW_TO_GET", "VARIABLE", "Binary", "binaries", "build", "can_have", "is_static"]

VARIABLE = "LOOM_BRIDGE_BIN"
HOW_TO_GET = f"pip install 'loom-py[bridge]', or set {VARIABLE} to a loom-bridge binary"

_PROGRAM_HEADERS_SEEN = 64
_INTERPRETER = 3
"""The program header that names a dynamic loader (PT_INTERP)."""


@dataclass(frozen=True, slots=True)
class Binary:
    """One binary of the bridge.

    Attributes:
        path: where it is.
        reason: why this one, for people.
    """

    path: Path
    reason: str


def binaries(environ: Mapping[str, str]) -> Iterator[Binary]:
    """The binaries that are here, the first choice first; builds nothing.

    Raises:
        ConfigError: `LOOM_BRIDGE_BIN` names no program.
    """
    for found in (_named(environ), _installed(), *_built()):
        if found is not None:
            yield found


def build(environ: Mapping[str, str]) -> Binary:
    """The first of `binaries`; where that is cargo's, or there is none, cargo builds it anew.

    What is built already takes cargo a moment; otherwise its progress shows on stderr.

    Raises:
        ConfigError: `LOOM_BRIDGE_BIN` names no program.
        BridgeUnavailable: there is none and none can be built; the message says what to do.
    """
    found = _named(environ) or _installed()
    if found is not None:
        return found
    workspace = cargo.workspace()
    if workspace is not None and shutil.which("cargo"):
        return Binary(cargo.build(workspace), f"built by cargo in {workspace}")
    built = next(iter(_built()), None)
    if built is not None:
        return built
    raise BridgeUnavailable(f"there is no Rust bridge here: {_how_to_get(workspace)}")


def can_have(environ: Mapping[str, str]) -> str:
    """Why `build` is bound to fail, and what to do; empty where it may succeed. Builds nothing."""
    try:
        if next(binaries(environ), None) is not None:
            return ""
    except ConfigError as error:
        return error.message
    workspace = cargo.workspace()
    if workspace is not None and shutil.which("cargo"):
        return ""
    return f"there is no Rust bridge here: {_how_to_get(workspace)}"


def is_static(path: Path) -> bool:
    """Whether a binary needs no libraries, so that it runs in an image that holds nothing else."""
    with path.open("rb") as file:
        head = file.read(64)
        if head[:6] != b"\x7fELF\x02\x01":  # 64 bits, little-endian: all that images are made for
            return False
        offset = int.from_bytes(head[32:40], "little")
        size, count = (int.from_bytes(head[at : at + 2], "little") for at in (54, 56))
        file.seek(offset)
        headers = file.read(size * min(count, _PROGRAM_HEADERS_SEEN))
    return all(
        int.from_bytes(headers[at : at + 4], "little") != _INTERPRETER for at in range(0, len(headers), size)
    )


def _how_to_get(workspace: Path | None) -> str:
    if workspace is None:
        return HOW_TO_GET
    return f"install Rust (https://rustup.rs), so that cargo can build {workspace}; or {HOW_TO_GET}"


def _named(environ: Mapping[str, str]) -> Binary | None:
    name = environ.get(VARIABLE)
    if not name:
        return None
    path = Path(name).expanduser()
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise ConfigError(
            f"{VARIABLE} is {name!r}, which is no program: name a loom-bridge binary, or unset it"
        )
    return Binary(path.resolve(), f"named by {VARIABLE}")


def _installed() -> Binary | None:
    """The binary of the package `loom-bridge`."""
    try:
        from importlib.metadata import version

        from loom_bridge import find_loom_bridge_bin

        return Binary(Path(find_loom_bridge_bin()), f"of the package loom-bridge {version('loom-bridge')}")
    except (ImportError, FileNotFoundError):  # PackageNotFoundError is an ImportError
        return None


def _built() -> list[Binary]:
    workspace = cargo.workspace()
    paths = [] if workspace is None else cargo.built(workspace)
    return [Binary(path, f"built by cargo in {workspace}") for path in paths]
