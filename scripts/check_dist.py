"""Builds wheel and sdist, and uses the wheel as a stranger would, in an empty environment.

    python -m scripts.check_dist

The wheel is built from the sdist, so that the sdist is known to be whole. A stranger installs it, asks for
help, makes a project, runs its tests, and judges a bridge. Where cargo is, the bridge's wheel is built and
installed beside it into a second empty environment, and `loom dev --bridge rust` serves an agent there; in CI
cargo must be.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

from scripts.build_bridge import build_wheel

__all__ = ["main"]

INTERRUPTED = 130

ROOT = Path(__file__).resolve().parent.parent

IN_WHEEL = (
    "loom/__init__.py",
    "loom/py.typed",
    "loom/proto/loom/v1/bridge.proto",
    "loom/v1/bridge_pb2.py",
    "loom_testing/plugin.py",
    "loom_testing/py.typed",
    "loom_conformance/clauses.toml",
    "loom_conformance/result.schema.json",
    "loom_conformance/report/page.css",
    "loom_conformance/checks/heartbeat.py",
    "loom_conformance/py.typed",
)
NOT_IN_WHEEL = ("tests/", "examples/", "benchmarks/", "scripts/", "docs/", "conformance/", "mutants/")


def main() -> int:
    """Runs the whole check; a command that fails ends it."""
    with tempfile.TemporaryDirectory(prefix="loom-dist-") as place:
        folder = Path(place)
        run([sys.executable, "-m", "build", "--installer", "uv", "--outdir", str(folder / "dist"), str(ROOT)])
        (wheel,) = (folder / "dist").glob("*.whl")
        (sdist,) = (folder / "dist").glob("*.tar.gz")
        check_contents(wheel, sdist)
        use_as_a_stranger(wheel, folder)
        if shutil.which("cargo"):
            use_the_bridge(wheel, build_wheel(folder / "dist"), folder)
        elif os.environ.get("CI"):
            raise SystemExit("cargo is not installed: the bridge's wheel was not checked")
        else:
            say("NOT RUN: cargo is not installed, so the bridge's wheel was not checked")
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
    # Outside the checkout: the clauses are those of the wheel.
    run([str(binaries / "loom"), "conformance", "--target", "fake", "--select", "HB"], folder)


AGENT = """
from loom import Agent

agent = Agent("adder")


@agent.capability("add")
def add(a: int, b: int) -> int:
    return a + b
"""


def use_the_bridge(wheel: Path, bridge: Path, folder: Path) -> None:
    """Both wheels in an empty environment: `loom dev --bridge rust` with an agent, and a call of it."""
    environment = folder / "bridge-venv"
    venv.create(environment, with_pip=False)
    python = str(environment / "bin" / "python")
    found = ["--find-links", str(bridge.parent)]
    run(
        ["uv", "pip", "install", "--quiet", "--python", python, *found, f"loom-py[bridge] @ {wheel.as_uri()}"]
    )
    (folder / "adder.py").write_text(AGENT, encoding="utf-8")
    loom = str(environment / "bin" / "loom")
    dev = subprocess.Popen(  # noqa: S603  # our own words
        [loom, "dev", "--bridge", "rust", "--port", "0", "--json", "adder.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LOOM_RUNTIME_DIR": str(folder / "runtime"), "LOOM_BRIDGE_BIN": ""},
    )
    try:
        assert dev.stdout is not None
        started = json.loads(dev.stdout.readline())
        while json.loads(dev.stdout.readline()).get("kind") != "agent.joined":
            pass
        run([loom, "call", "--bridge", started["address"], "add", "a=1", "b=2"], folder)
    finally:
        dev.send_signal(signal.SIGINT)
        dev.communicate(timeout=30)
    if dev.returncode != INTERRUPTED:
        raise SystemExit(f"failed: loom dev --bridge rust ended with {dev.returncode}")


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
