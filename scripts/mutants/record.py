"""What is kept of a full run: `conformance/mutation/LANGUAGE.json`, from which the documentation is drawn."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.mutants.mutant import Mutant, Outcome

__all__ = ["GOAL", "Record", "Survivor", "make_record", "read_record", "score", "write_record"]

GOAL = 95.0
"""The share of viable mutants, in percent, that tests must notice."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed, with the reason why it means the same; empty for none."""

    file: str
    line: int
    function: str
    change: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """A full run of one language.

    Attributes:
        language: `python` or `rust`.
        date: the day it ended, UTC.
        commit: what was checked out.
        tool: the tool that made the mutants, with its version.
        compiler: the interpreter or compiler.
        seconds: how long it took, all parts of a resumed run together.
        score: killed and timeouts among all that compile, in percent.
        counts: mutants by outcome, and how many survivors are answered for.
        files: mutants by file and outcome.
        survivors: those that no test noticed.
        sources: the SHA-256 of each source as it was mutated, by the file's name.
    """

    language: str
    date: str
    commit: str
    tool: str
    compiler: str
    seconds: int
    score: float
    counts: dict[str, int]
    files: dict[str, dict[str, int]]
    survivors: list[Survivor]
    sources: dict[str, str]


def make_record(
    language: str,
    versions: Mapping[str, Any],
    seconds: float,
    outcomes: Mapping[Mutant, Outcome],
    reasons: Mapping[tuple[str, str, str], str],
    sources: dict[str, str],
) -> Record:
    """The record of a run; `versions` holds date, commit, tool and compiler."""
    survivors = [
        Survivor(mutant.file, mutant.line, mutant.function, mutant.change, reasons.get(mutant.key, ""))
        for mutant in sorted(outcomes, key=lambda mutant: (mutant.file, mutant.line, mutant.change))
        if outcomes[mutant] is Outcome.SURVIVED
    ]
    files: dict[str, Counter[str]] = {}
    for mutant, outcome in outcomes.items():
        files.setdefault(mutant.file, Counter())[outcome.value] += 1
    total = Counter(outcome.value for outcome in outcomes.values())
    answered = sum(1 for survivor in survivors if survivor.reason)
    return Record(
        language=language,
        **versions,
        seconds=round(seconds),
        score=round(score(total), 2),
        counts={**in_order(total), "answered": answered},
        files={name: in_order(files[name]) for name in sorted(files)},
        survivors=survivors,
        sources=sources,
    )


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts by outcome, also those that are zero."""
    return {outcome.value: counts.get(outcome.value, 0) for outcome in Outcome}


def score(counts: Mapping[str, int]) -> float:
    """The share that tests noticed, in percent, of all that compile; 100 where there are none."""
    noticed = counts.get("killed", 0) + counts.get("timeout", 0)
    viable = noticed + counts.get("survived", 0)
    return 100 * noticed / viable if viable else 100.0


def write_record(path: Path, record: Record) -> None:
    """Keeps the record."""
    path.write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_record(path: Path) -> Record | None:
    """The kept record, or None before the first full run."""
    if not path.exists():
        return None
    data = json.loads(path.read_text(encoding="utf-8"))
    data["survivors"] = [Survivor(**survivor) for survivor in data["survivors"]]
    return Record(**data)
