"""Building the Rust bridge from a checkout: static where that can be, so that it runs everywhere.

The same build serves a developer (`loom dev --bridge rust`), the tests, the wheel and the image.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import loom
from loom.errors import BridgeUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BINARY", "build", "build_flags", "built", "host", "workspace"]

BINARY = "loom-bridge"


def workspace() -> Path | None:
    """The Cargo workspace of the bridge, where Loom runs from a checkout."""
    folder = Path(loom.__file__).resolve().parent.parent / "bridge"
    return folder if (folder / "server" / "Cargo.toml").is_file() else None


def built(folder: Path) -> list[Path]:
    """The release builds of a workspace, the newest first."""
    target = folder / "target"
    found = [
        path
        for path in (target / "release" / BINARY, *target.glob(f"*/release/{BINARY}"))
        if path.is_file() and os.access(path, os.X_OK)
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def host() -> str:
    """The platform for which rustc builds by itself, such as `x86_64-unknown-linux-gnu`.

    Raises:
        BridgeUnavailable: rustc does not run.
    """
    try:
        said = subprocess.run(
            ["rustc", "-vV"],  # noqa: S607 (the user's own toolchain)
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise BridgeUnavailable(f"rustc does not run ({error}): install Rust, https://rustup.rs") from error
    return next(line.removeprefix("host: ") for line in said.splitlines() if line.startswith("host: "))


def build_flags(folder: Path, platform: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of a release build: a static C runtime on Linux, and no path of this machine inside."""
    home = environ.get("CARGO_HOME") or str(Path("~/.cargo").expanduser())
    flags = [f"--remap-path-prefix={folder}=bridge", f"--remap-path-prefix={home}=cargo"]
    if platform.endswith("-linux-gnu"):
        flags = ["-C", "target-feature=+crt-static", *flags]
    return {"CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)}


def build(folder: Path) -> Path:
    """Builds the release binary, or sees that it is up to date. Cargo's progress goes to stderr.

    Raises:
        BridgeUnavailable: cargo failed; what it said stands on stderr.
    """
    platform = host()
    command = ["cargo", "build", "--release", "--locked", "--target", platform, "-p", BINARY]
    environ = {**os.environ, **build_flags(folder, platform, os.environ)}
    binary = folder / "target" / platform / "release" / BINARY
    if not binary.exists():
        _say(f"loom: building the Rust bridge in {folder}; some minutes, once")
    else:
        command.append("--quiet")
    done = subprocess.run(  # noqa: S603 (the user's own toolchain, and arguments of our own)
        command,
        cwd=folder,
        env={**environ, "CARGO_TARGET_DIR": str(folder / "target")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise BridgeUnavailable(f"cargo cannot build {folder}: what it said above says why")
    return binary


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
