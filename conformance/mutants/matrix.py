"""The matrix: each clause, its mutants, and the checks that kill them. `matrix.json` is for the docs."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom_conformance import clauses as registry
from loom_conformance.registry import load as load_checks
from mutants.mutant import Mutant, load
from mutants.nursery import Nursery
from mutants.trial import Trial, declared_by_the_fake, tried

__all__ = ["MATRIX", "Matrix", "run", "select"]

MATRIX = Path(__file__).with_name("matrix.json")
AT_ONCE = (os.cpu_count() or 1) + 1
"""How many mutants are tried side by side; each is a process that starts."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """What came of a run.

    Attributes:
        trials: one for each mutant that was tried.
        unproved: the judged clauses without a mutant, where all mutants were tried.
        strangers: mutants of clauses that are not there, or not judged.
    """

    trials: tuple[Trial, ...]
    unproved: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether every mutant was killed and no clause is without one."""
        return (
            bool(self.trials)
            and not self.unproved
            and not self.strangers
            and all(t.killed for t in self.trials)
        )

    def to_json(self) -> str:
        """The document: what one run has in common with the next, so that a difference counts."""
        rows: list[dict[str, Any]] = [
            {
                "clause": trial.mutant.clause,
                "mutant": trial.mutant.name,
                "why": trial.mutant.why,
                "file": trial.mutant.file,
                "killed": trial.killed,
                "by": sorted(trial.by),
            }
            for trial in self.trials
        ]
        return (
            json.dumps({"unproved": list(self.unproved), "mutants": rows}, indent=1, ensure_ascii=False)
            + "\n"
        )


def select(mutants: Sequence[Mutant], wanted: Sequence[str]) -> list[Mutant]:
    """Those that were named, by name or by clause (`PUB`, `PUB-1`, `PUB-1.2`); all, where nothing was.

    Raises:
        ValueError: a name fits nothing.
    """
    for name in wanted:
        if not any(_fits(mutant, name) for mutant in mutants):
            raise ValueError(f"no mutant, and no clause with one, is named {name}")
    return [mutant for mutant in mutants if not wanted or any(_fits(mutant, name) for name in wanted)]


def _fits(mutant: Mutant, name: str) -> bool:
    return name == mutant.name or any(
        f"{mutant.clause}{end}".startswith(f"{name}{end}") for end in (".", "-")
    )


async def run(wanted: Sequence[str] = (), on_trial: Callable[[Trial], None] = lambda _: None) -> Matrix:
    """Tries the mutants.

    Raises:
        ValueError: a name fits nothing.
    """
    clauses = [clause for clause in registry.load() if not clause.planned]
    judged = [clause.id for clause in clauses]
    features = {clause.id: clause.feature for clause in clauses}
    mutants = select(load(), wanted)
    checks = load_checks()
    declared = await declared_by_the_fake()
    room = asyncio.Semaphore(AT_ONCE)

    async def one(mutant: Mutant) -> Trial:
        async with room:
            trial = await tried(mutant, checks, declared, features, nursery.start)
        on_trial(trial)
        return trial

    order = {clause: number for number, clause in enumerate(judged)}
    known = sorted((m for m in mutants if m.clause in order), key=lambda m: order[m.clause])
    async with Nursery() as nursery:
        trials = await asyncio.gather(*(one(mutant) for mutant in known))
    proved = {mutant.clause for mutant in known}
    return Matrix(
        tuple(trials),
        () if wanted else tuple(clause for clause in judged if clause not in proved),
        tuple(mutant.name for mutant in mutants if mutant.clause not in order),
    )
