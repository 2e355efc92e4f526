"""Builds the Rust bridge as it is released: one static binary, and what is made of it.

    python -m scripts.build_bridge                   the binary
    python -m scripts.build_bridge --wheel DIR       and the wheel `loom-bridge` (maturin is fetched)
    python -m scripts.build_bridge --image NAME      and the image, from bridge/Dockerfile

The same sources and the same rustc give the same binary: Cargo.lock is binding, the machine's paths are left
out. A binary that needs libraries, or is larger than it may be, is an error. Needs cargo, nothing installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from loom.errors import LoomError
from loom.runtime import cargo, rust

__all__ = ["build", "build_image", "build_wheel", "main"]

ROOT = Path(__file__).resolve().parent.parent
BRIDGE = ROOT / "bridge"
MEBIBYTE = 1024 * 1024
MOST = 10 * MEBIBYTE
"""What the binary may have, bytes."""
MATURIN = "maturin>=1.9,<2"


def main(arguments: list[str]) -> int:
    """Builds what is asked for; 1 where that fails."""
    parser = argparse.ArgumentParser("python -m scripts.build_bridge")
    parser.add_argument("--wheel", metavar="DIR", type=Path, help="where to put the wheel")
    parser.add_argument("--image", metavar="NAME", help="what to call the image")
    options = parser.parse_args(arguments)
    try:
        binary = build()
        if options.wheel:
            say(f"wheel {build_wheel(options.wheel)}")
        if options.image:
            build_image(binary, options.image)
    except (LoomError, OSError, subprocess.CalledProcessError) as error:
        say(f"failed: {error}")
        return 1
    return 0


def build() -> Path:
    """The static binary, checked.

    Raises:
        LoomError: cargo does not run, or fails.
        OSError: the binary needs libraries, or is too large.
    """
    binary = cargo.build(BRIDGE)
    size = binary.stat().st_size
    static = rust.is_static(binary)
    say(f"{binary}: {size / MEBIBYTE:.1f} MiB of {MOST // MEBIBYTE}, {'static' if static else 'not static'}")
    if sys.platform == "linux" and not static:
        raise OSError("it needs libraries: build for a target with a static C runtime")
    if size > MOST:
        raise OSError(f"it is larger than {MOST // MEBIBYTE} MiB: look at what was added to its dependencies")
    return binary


def build_wheel(folder: Path) -> Path:
    """The wheel with the static binary.

    Raises:
        subprocess.CalledProcessError: maturin failed; it said why.
    """
    platform = cargo.host()
    command = ["build", "--release", "--locked", "--target", platform, "--out", str(folder.resolve())]
    run([*maturin(), *command], os.environ | cargo.build_flags(BRIDGE, platform, os.environ))
    return max(folder.glob("loom_bridge-*.whl"), key=lambda wheel: wheel.stat().st_mtime)


def build_image(binary: Path, name: str) -> None:
    """The image that holds nothing but the binary.

    Raises:
        subprocess.CalledProcessError: Docker failed; it said why.
    """
    with tempfile.TemporaryDirectory(prefix="loom-image-") as place:
        shutil.copy(binary, Path(place) / "loom-bridge")
        run(["docker", "build", "--quiet", "-t", name, "-f", str(BRIDGE / "Dockerfile"), place], os.environ)
    say(f"image {name}")


def maturin() -> list[str]:
    """How to call maturin: the one that is here, or one that uv fetches."""
    found = shutil.which("maturin", path=str(Path(sys.executable).parent)) or shutil.which("maturin")
    return [found] if found else ["uv", "tool", "run", "--from", MATURIN, "maturin"]


def run(command: list[str], environ: os._Environ[str] | dict[str, str]) -> None:
    """Shows a command and runs it in the workspace."""
    say("$ " + " ".join(command))
    subprocess.run(command, cwd=BRIDGE, env=dict(environ), check=True)  # noqa: S603  # our own words


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)  # noqa: T201  # a command's output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
