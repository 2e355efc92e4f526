"""Builds wheel and sdist, and uses the wheel as a stranger would, in an empty environment.

    python -m scripts.check_dist

The wheel is built from the sdist, so that the sdist is known to be whole. A stranger installs it, asks for
help, makes a project and runs its tests.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent

IN_WHEEL = (
    "loom/__init__.py",
    "loom/py.typed",
    "loom/proto/loom/v1/bridge.proto",
    "loom/v1/bridge_pb2.py",
    "loom_testing/plugin.py",
    "loom_testing/py.typed",
)
NOT_IN_WHEEL = ("tests/", "examples/", "benchmarks/", "scripts/", "docs/")


def main() -> int:
    """Runs the whole check; a command that fails ends it."""
    with tempfile.TemporaryDirectory(prefix="loom-dist-") as place:
        folder = Path(place)
        run([sys.executable, "-m", "build", "--installer", "uv", "--outdir", str(folder / "dist"), str(ROOT)])
        (wheel,) = (folder / "dist").glob("*.whl")
        (sdist,) = (folder / "dist").glob("*.tar.gz")
        check_contents(wheel, sdist)
        use_as_a_stranger(wheel, folder)
    say("wheel and sdist are whole, and a stranger's first project passes its tests")
    return 0


def check_contents(wheel: Path, sdist: Path) -> None:
    """What must be in the packages is, and nothing else is."""
    names = zipfile.ZipFile(wheel).namelist()
    missing = [name for name in IN_WHEEL if name not in names]
    foreign = [name for name in names if name.startswith(NOT_IN_WHEEL)]
    if missing or foreign:
        raise SystemExit(f"the wheel lacks {missing} and should not hold {foreign}")
    with tarfile.open(sdist) as archive:
        roots = {Path(name).parts[1] for name in archive.getnames() if len(Path(name).parts) > 1}
    say(f"{wheel.name}: {wheel.stat().st_size // 1024} KiB, {len(names)} files; sdist holds {sorted(roots)}")


def use_as_a_stranger(wheel: Path, folder: Path) -> None:
    """Installs the wheel with its test extra, and follows the first page of the documentation."""
    environment = folder / "venv"
    venv.create(environment, with_pip=False)
    binaries = environment / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(binaries / "python")
    run(["uv", "pip", "install", "--quiet", "--python", python, f"loom-py[testing] @ {wheel.as_uri()}"])
    run([python, "-c", "import loom, loom_testing; print('loom', loom.__version__)"], folder)
    run([str(binaries / "loom"), "--help"], folder)
    run([str(binaries / "loom-testing"), "--help"], folder)
    run([str(binaries / "loom"), "new", "x"], folder)
    run([python, "-m", "pytest", "-q"], folder / "x")


def run(command: list[str], folder: Path = ROOT) -> None:
    """Shows the command and runs it; a failure ends the check."""
    say("$ " + " ".join(command))
    # Fixed programs; the arguments are our own paths.
    if subprocess.run(command, cwd=folder, check=False).returncode != 0:  # noqa: S603  # our own words
        raise SystemExit(f"failed: {' '.join(command)}")


def say(line: str) -> None:
    """One line of progress."""
    print(line, flush=True)  # noqa: T201  # a command's output


if __name__ == "__main__":
    sys.exit(main())
