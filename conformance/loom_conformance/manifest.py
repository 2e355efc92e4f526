"""Clauses and checks, held against each other both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from loom_conformance.clauses import Clause
    from loom_conformance.registry import Check

__all__ = ["CHECK_OF_PLANNED", "CHECK_WITHOUT_CLAUSE", "CLAUSE_WITHOUT_CHECK", "checks_of", "compare"]

CLAUSE_WITHOUT_CHECK = "clause without a check"
CHECK_WITHOUT_CLAUSE = "check without a clause"
CHECK_OF_PLANNED = "check of a planned clause"


def compare(clauses: Sequence[Clause], checks: Sequence[Check]) -> list[Problem]:
    """Each clause that is judged has a check, each check a clause that is judged; what breaks that."""
    judged = {check.clause for check in checks}
    known = {clause.id: clause for clause in clauses}
    found = [
        Problem(
            kind=CLAUSE_WITHOUT_CHECK,
            subject=clause.id,
            text=f"no check judges {clause.id}: write one, or mark the clause as planned",
        )
        for clause in clauses
        if not clause.planned and clause.id not in judged
    ]
    for check in checks:
        clause = known.get(check.clause)
        if clause is None:
            text = f"the check {check.name} judges {check.clause}, which is no clause: correct its id"
            found.append(Problem(kind=CHECK_WITHOUT_CLAUSE, subject=check.name, text=text))
        elif clause.planned:
            text = f"the check {check.name} judges {check.clause}, which is only planned: is it built now?"
            found.append(Problem(kind=CHECK_OF_PLANNED, subject=check.name, text=text))
    return found


def checks_of(clauses: Iterable[Clause], checks: Iterable[Check]) -> list[Check]:
    """The checks of these clauses, in the clauses' order; none of planned ones."""
    by_clause: dict[str, list[Check]] = {}
    for check in checks:
        by_clause.setdefault(check.clause, []).append(check)
    return [check for clause in clauses if not clause.planned for check in by_clause.get(clause.id, ())]
