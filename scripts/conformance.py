"""Judges a bridge of ours twice: as the suite starts it, and at an address. Both must conform, and agree.

    python -m scripts.conformance fake|rust|docker FOLDER [JUNIT]

The reports go to FOLDER. JUNIT is where the first run's JUnit file goes as well, for the count of all lanes.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

from loom_conformance import document, targets
from loom_conformance.result import ClauseResult, Outcome, RunResult

__all__ = ["differences", "main"]

STARTED_ONLY = {"process", "plain"}
"""What a bridge at an address cannot show: the suite sends no signals to it, nor starts another one."""


def main(arguments: list[str]) -> int:
    """Runs both; 1 where one does not conform, or they differ."""
    kind, folder = arguments[0], Path(arguments[1])
    started, code = judged(kind, folder / kind)
    if len(arguments) > 2 and started is not None:
        junit = Path(arguments[2])
        junit.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / kind / "junit.xml", junit)
    found, code_there = asyncio.run(at_an_address(kind, folder / f"{kind}-at-an-address"))
    if started is None or found is None:
        return 1
    different = differences(started, found)
    for line in different:
        say(line)
    say(f"{kind}: {started.summary} in {started.seconds:.0f} s; at an address {found.summary}")
    return 1 if code or code_there or different else 0


def judged(target: str, folder: Path) -> tuple[RunResult | None, int]:
    """One run of the command: its result, where it came so far, and its exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "loom.cli", "conformance", "--target", target, "--report", str(folder)]
    code = subprocess.run(command, check=False).returncode  # noqa: S603  # our own words
    result = folder / "result.json"
    if not result.is_file():
        return None, code
    return document.load(result.read_text(encoding="utf-8"), str(result)), code


async def at_an_address(kind: str, folder: Path) -> tuple[RunResult | None, int]:
    """The same on a bridge that runs already."""
    async with targets.choose(kind).open() as opened:
        return await asyncio.to_thread(judged, opened.target.address, folder)


def differences(started: RunResult, found: RunResult) -> list[str]:
    """Where two runs say different things of a clause that both could judge."""
    there = {clause.clause: clause for clause in found.clauses}
    lines = []
    for one in started.clauses:
        other = there.get(one.clause)
        if other is None:
            lines.append(f"{one.clause} {one.outcome} where it is started, not there at an address")
        elif other.outcome is not one.outcome and not _needs_a_start(other):
            lines.append(f"{one.clause} {one.outcome} where it is started, {other.outcome} at an address")
    return lines


def _needs_a_start(clause: ClauseResult) -> bool:
    aside = (Outcome.NOT_APPLICABLE, Outcome.NOT_TESTABLE)
    return clause.outcome in aside and bool(STARTED_ONLY & set(clause.why.split()))


def say(line: str) -> None:
    """One line of the report."""
    print(line, flush=True)  # noqa: T201  # a command's output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
