"""Cases that once showed a difference. Every later run plays them first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.differential.machine import Lane
from tests.differential.operations import Case, Step

__all__ = ["KEPT", "keep", "kept", "play"]

KEPT = Path(__file__).parent / "kept"


def kept(lane: str, folder: Path = KEPT) -> Iterator[tuple[Path, Case]]:
    """The cases that are kept for a lane, by name.

    Raises:
        TraceError: a file holds no case.
    """
    for path in sorted(folder.glob(f"{lane}-*.jsonl")):
        yield path, Case.read(path)


def keep(case: Case, folder: Path = KEPT) -> Path:
    """Writes a case, once."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{case.name}.jsonl"
    path.write_text(case.text(), encoding="utf-8")
    return path


def play(case: Case, lane: Lane) -> None:
    """Plays a case from its beginning.

    Raises:
        Divergence: it shows a difference.
    """
    again = Case(case.lane, case.header)
    lane.begin(again)
    try:
        for step in case.steps:
            lane.play(Step(step.at, step.does))
    finally:
        lane.end()
