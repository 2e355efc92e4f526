"""Says what the last `make test` ran, and fails where a lane or a test was left out.

    python3 scripts/lanes.py

Reads tox's own result and pytest's JUnit files under .tox. A lane of tox.ini that did not run is a
failure, and so is a skipped test: green must mean checked.
"""

from __future__ import annotations

import configparser
import json
import sys
import xml.etree.ElementTree as ET  # our own files, written by pytest a moment ago
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Lane", "read_lanes"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass(slots=True)
class Lane:
    """One environment of tox.ini: what became of it."""

    name: str
    outcome: str
    tests: int = 0
    failed: int = 0
    skipped: tuple[str, ...] = ()


def read_lanes(root: Path) -> list[Lane]:
    """Every lane of tox.ini, with what the last run left about it."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(root / "tox.ini", encoding="utf-8")
    names = [name.strip() for name in config["tox"]["env_list"].split(",")]
    result = root / ".tox" / "lanes.json"
    ran = json.loads(result.read_text(encoding="utf-8"))["testenvs"] if result.exists() else {}
    return [_lane(root, name, ran.get(name)) for name in names]


def _lane(root: Path, name: str, record: dict[str, dict[str, object]] | None) -> Lane:
    if record is None or "result" not in record:
        return Lane(name, "not run")
    lane = Lane(name, "passed" if record["result"].get("success") else "failed")
    report = root / ".tox" / "junit" / f"{name}.xml"
    if report.exists():
        cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314  # pytest wrote it a moment ago
        lane.tests = len(cases)
        lane.failed = sum(1 for case in cases if {child.tag for child in case} & {"failure", "error"})
        lane.skipped = tuple(
            f"{case.get('classname')}::{case.get('name')}"
            for case in cases
            if case.find("skipped") is not None
        )
    return lane


def main(root: Path = ROOT) -> int:
    """Prints the lanes; 1 where one failed, did not run, or skipped a test."""
    lanes = read_lanes(root)
    for lane in lanes:
        tests = f"{lane.tests} tests, {len(lane.skipped)} skipped" if lane.tests else ""
        print(f"{lane.name:8} {lane.outcome:8} {tests}".rstrip())  # noqa: T201  # a command's output
        for test in lane.skipped:
            print(f"         skipped: {test}")  # noqa: T201  # a command's output
    tests, failed, skipped = (
        sum(counts)
        for counts in zip(*((lane.tests, lane.failed, len(lane.skipped)) for lane in lanes), strict=True)
    )
    print(f"{tests - failed - skipped} passed, {failed} failed, {skipped} skipped")  # noqa: T201  # as above
    return 1 if skipped or any(lane.outcome != "passed" for lane in lanes) else 0


if __name__ == "__main__":
    sys.exit(main())
