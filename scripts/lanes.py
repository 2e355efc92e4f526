"""`make test`: runs every lane of tox.ini that can run here, then says what became of each.

    python -m scripts.lanes [TOX ARGUMENT ...]

A lane whose tools are missing on this machine is not run, and shown in red. In CI (the variable CI is set)
that is a failure, and so is a skipped test: green must mean checked.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET  # our own files, written by pytest a moment ago
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Lane", "main", "read_lanes"]

ROOT = Path(__file__).resolve().parent.parent
RED, PLAIN = "\x1b[31m", "\x1b[0m"

# What a lane needs besides Python, in the order it is looked for.
NEEDS = {"cargo": ("cargo",), "mutants": ("cargo",), "rust": ("cargo",), "docker": ("cargo", "docker")}


@dataclass(slots=True)
class Lane:
    """One environment of tox.ini: what became of it."""

    name: str
    outcome: str
    tests: int = 0
    failed: int = 0
    skipped: tuple[str, ...] = ()


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Runs the lanes and reports; 1 where one failed, or in CI where anything was left out."""
    missing = {name: problem for name in lane_names(root) if (problem := missing_tool(name))}
    names = [name for name in lane_names(root) if name not in missing]
    result = root / ".tox" / "lanes.json"
    result.parent.mkdir(exist_ok=True)
    result.unlink(missing_ok=True)
    shutil.rmtree(root / ".tox" / "junit", ignore_errors=True)
    command = [sys.executable, "-m", "tox", "run", "-e", ",".join(names), "--result-json", str(result)]
    code = subprocess.run([*command, *arguments], cwd=root, check=False).returncode  # noqa: S603  # our own words
    return max(code and 1, report(read_lanes(root), missing, strict=bool(os.environ.get("CI"))))


def lane_names(root: Path) -> list[str]:
    """The lanes of tox.ini, in their order."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(root / "tox.ini", encoding="utf-8")
    return [name.strip() for name in config["tox"]["env_list"].split(",")]


def missing_tool(name: str) -> str:
    """Why a lane cannot run here, or nothing."""
    for tool in NEEDS.get(name, ()):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
        if tool == "docker":
            # Fixed words; the client is there, the engine may not be.
            asked = subprocess.run(["docker", "version"], capture_output=True, check=False)  # noqa: S607  # found above
            if asked.returncode != 0:
                return "no Docker engine answers"
    return ""


def read_lanes(root: Path) -> list[Lane]:
    """Every lane of tox.ini, with what the last run left about it."""
    result = root / ".tox" / "lanes.json"
    ran = json.loads(result.read_text(encoding="utf-8"))["testenvs"] if result.exists() else {}
    return [_lane(root, name, ran.get(name)) for name in lane_names(root)]


def _lane(root: Path, name: str, record: dict[str, dict[str, object]] | None) -> Lane:
    if record is None or "result" not in record:
        return Lane(name, "not run")
    lane = Lane(name, "passed" if record["result"].get("success") else "failed")
    folder = root / ".tox" / "junit"
    for path in sorted([*folder.glob(f"{name}.xml"), *folder.glob(f"{name}-*.xml")]):
        cases = list(ET.parse(path).getroot().iter("testcase"))  # noqa: S314  # pytest wrote it a moment ago
        lane.tests += len(cases)
        lane.failed += sum(1 for case in cases if {child.tag for child in case} & {"failure", "error"})
        lane.skipped += tuple(
            f"{case.get('classname')}::{case.get('name')}"
            for case in cases
            if case.find("skipped") is not None
        )
    return lane


def report(lanes: list[Lane], missing: dict[str, str], *, strict: bool) -> int:
    """Prints the lanes; 1 where one failed, or, when strict, where a lane or a test was left out."""
    for lane in lanes:
        tests = (
            f"{lane.tests} tests, {len(lane.skipped)} skipped" if lane.tests else missing.get(lane.name, "")
        )
        line = f"{lane.name:8} {lane.outcome:8} {tests}".rstrip()
        say(line if lane.outcome == "passed" else f"{RED}{line}{PLAIN}")
        for test in lane.skipped:
            say(f"         skipped: {test}")
    tests, failed, skipped = (
        sum(counts)
        for counts in zip(*((lane.tests, lane.failed, len(lane.skipped)) for lane in lanes), strict=True)
    )
    say(f"{tests - failed - skipped} passed, {failed} failed, {skipped} skipped")
    if any(lane.outcome == "failed" for lane in lanes):
        return 1
    left_out = skipped or any(lane.outcome == "not run" for lane in lanes)
    return 1 if strict and left_out else 0


def say(line: str) -> None:
    """One line of the report."""
    print(line, flush=True)  # noqa: T201  # a command's output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
