"""From what the checks found to what the run says: clauses, problems, verdict.

A run fails where the bridge breaks a clause, and also where the run itself is not worth its name: a clause
that nobody judged, a result that did not come, less than the profile says. So green means checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loom_conformance import manifest
from loom_conformance.known import Lists, mark
from loom_conformance.result import (
    FORMAT,
    Asked,
    CheckResult,
    ClauseResult,
    Emitted,
    Outcome,
    Problem,
    RunResult,
    Target,
    Verdict,
    Versions,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from loom_conformance.clauses import Clause
    from loom_conformance.registry import Check

__all__ = ["DIED", "PROFILES", "SURROUNDINGS", "Run", "blamed", "breaks", "conclude", "demanded"]

PROFILES = ("base", "full")
"""base: the base level is demanded, and what is declared beyond it is judged. full: all of it is demanded."""

SURROUNDINGS = frozenset({"control", "process", "plain", "auth", "tls"})
"""What no profile demands: it belongs to how a bridge was started, not to what it is."""

SHOWN = 3
"""How many clauses a problem names."""

DIED = "the bridge died"
NO_RESULT = "clause without a result"
FOREIGN_RESULT = "result that was not asked for"
JUDGED_NOTHING = "judged nothing"
LESS_THAN_PROFILE = "less than the profile says"
SET_ASIDE = "declared, but set aside"
_DISTRUST = frozenset(
    {
        manifest.CLAUSE_WITHOUT_CHECK,
        manifest.CHECK_WITHOUT_CLAUSE,
        manifest.CHECK_OF_PLANNED,
        NO_RESULT,
        FOREIGN_RESULT,
        JUDGED_NOTHING,
    }
)
"""Problems of the run, not of the bridge: with them nothing can be said about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run was asked, and what came of it.

    Attributes:
        suite: every clause.
        checks: every check.
        selected: the clauses that were asked for.
        results: what came of the checks.
        versions: who spoke with whom.
        target: the bridge.
        asked: how much was asked for.
        known: what is known to go wrong.
        began: when, ISO 8601 in UTC.
        seconds: how long it took.
    """

    suite: Sequence[Clause]
    checks: Sequence[Check]
    selected: Sequence[Clause]
    results: Sequence[CheckResult]
    versions: Versions
    target: Target
    asked: Asked
    known: Lists = field(default_factory=Lists)
    began: str = ""
    seconds: float = 0.0


def conclude(run: Run) -> RunResult:
    """What the run says."""
    checks = manifest.checks_of(run.selected, run.checks)
    by_check = {result.check: result for result in run.results}
    clauses = [_clause_result(clause, checks, by_check) for clause in run.selected]
    missing = _missing(run.selected, checks, by_check)
    suite = {check.name: check.clause for check in run.checks} | {f"{one.id}": one.id for one in run.suite}
    clauses, results, broken = mark(run.known, clauses, run.results, suite)
    judged = sum(result.outcome in (Outcome.PASSED, Outcome.FAILED) for result in clauses)
    problems = [
        *manifest.compare(run.suite, run.checks),
        *_of_results(missing, checks, run.results),
        *_of_extent(run, clauses, judged),
        *broken,
    ]
    owed = sum(not clause.planned for clause in run.selected)
    return RunResult(
        format=FORMAT,
        verdict=_verdict(clauses, problems, missing),
        summary=_summary(run.asked, clauses),
        versions=run.versions,
        target=run.target,
        asked=run.asked,
        began=run.began,
        seconds=round(run.seconds, 3),
        emitted=Emitted(expected=owed, emitted=owed - len(missing), missing=missing, judged=judged),
        clauses=clauses,
        checks=results,
        problems=problems,
    )


def breaks(clause: ClauseResult) -> bool:
    """Whether this clause's result makes the bridge fail."""
    untested = clause.outcome is Outcome.NOT_TESTABLE and clause.level == "MUST"
    return (clause.outcome is Outcome.FAILED or untested) and clause.known is None


def blamed(clauses: Sequence[ClauseResult], missing: Sequence[str]) -> list[ClauseResult]:
    """The clauses that the bridge breaks. One whose result did not come is no fault of the bridge's."""
    ours = {*missing}
    return [
        one for one in clauses if breaks(one) and (one.outcome is Outcome.FAILED or one.clause not in ours)
    ]


def demanded(profile: str, clauses: Sequence[Clause]) -> frozenset[str]:
    """The features that a bridge must have by this profile; the base level is the empty one."""
    if profile == "base":
        return frozenset({""})
    return frozenset(clause.feature for clause in clauses if not clause.planned) - SURROUNDINGS


# One clause.


def _clause_result(
    clause: Clause, checks: Sequence[Check], by_check: Mapping[str, CheckResult]
) -> ClauseResult:
    names = [check.name for check in checks if check.clause == clause.id]
    outcome, why = _outcome(clause, names, by_check)
    return ClauseResult(
        clause=clause.id,
        area=clause.area,
        level=clause.level,
        since=clause.since,
        feature=clause.feature,
        text=clause.text,
        reason=clause.reason,
        outcome=outcome,
        why=why,
        checks=names,
    )


def _outcome(clause: Clause, names: list[str], by_check: Mapping[str, CheckResult]) -> tuple[Outcome, str]:
    """How a clause came out, and why, from what came of its checks."""
    if clause.planned:
        return Outcome.PLANNED, f"{clause.feature or 'it'} is not built yet"
    if not names:
        return Outcome.NOT_TESTABLE, "no check judges it"
    came = [by_check[name] for name in names if name in by_check]
    bad = [result for result in came if result.outcome in (Outcome.FAILED, Outcome.ERROR)]
    if bad:
        return Outcome.FAILED, bad[0].message
    if len(came) < len(names):
        silent = next(name for name in names if name not in by_check)
        return Outcome.NOT_TESTABLE, f"no result came of the check {silent}"
    for outcome in (Outcome.PASSED, Outcome.NOT_TESTABLE, Outcome.NOT_APPLICABLE):
        first = next((result for result in came if result.outcome is outcome), None)
        if first is not None:
            return outcome, first.message
    raise AssertionError(f"a check of {clause.id} came out as {came[0].outcome}")


# The run itself.


def _missing(
    selected: Sequence[Clause], checks: Sequence[Check], by_check: Mapping[str, CheckResult]
) -> list[str]:
    """The clauses whose result the run owes and does not have."""
    silent = {check.clause for check in checks if check.name not in by_check}
    judged = {check.clause for check in checks}
    return [one.id for one in selected if not one.planned and (one.id in silent or one.id not in judged)]


def _of_results(
    missing: Sequence[str], checks: Sequence[Check], results: Sequence[CheckResult]
) -> Iterator[Problem]:
    for clause in [one for one in missing if any(check.clause == one for check in checks)]:
        text = f"a check of {clause} gave no result, so that nothing can be said of it"
        yield Problem(kind=NO_RESULT, subject=clause, text=text)
    expected = {(check.name, check.clause) for check in checks}
    seen: set[str] = set()
    for result in results:
        if (result.check, result.clause) not in expected or result.check in seen:
            text = f"a result of {result.check} for {result.clause} came that the run did not ask for"
            yield Problem(kind=FOREIGN_RESULT, subject=result.check, text=text)
        seen.add(result.check)
        if result.outcome is Outcome.PASSED and result.expectations == 0:
            text = f"the check {result.check} passed without a single expectation"
            yield Problem(kind=JUDGED_NOTHING, subject=result.check, text=text)


def _of_extent(run: Run, clauses: Sequence[ClauseResult], judged: int) -> Iterator[Problem]:
    """Whether enough was judged."""
    if not judged:
        text = "no clause was judged: select some that apply to this bridge and are not only planned"
        yield Problem(kind=JUDGED_NOTHING, subject="", text=text)
    wanted = demanded(run.asked.profile, run.suite)
    aside: dict[str, list[str]] = {}
    for result in clauses:
        if result.outcome is Outcome.NOT_APPLICABLE:
            aside.setdefault(result.feature, []).append(result.clause)
    for feature, ids in aside.items():
        number = f"{len(ids)} clause{'s' if len(ids) > 1 else ''} not judged ({', '.join(ids[:SHOWN])}"
        number += f" and {len(ids) - SHOWN} more)" if len(ids) > SHOWN else ")"
        if not feature or feature in run.target.features:
            text = f"the bridge has {feature or 'the base level'}, yet {number}"
            yield Problem(kind=SET_ASIDE, subject=feature, text=text)
        elif feature in wanted:
            lacks = f"the profile {run.asked.profile} demands {feature}, which the bridge does not declare"
            text = f"{lacks}: {number}; build it, or judge with --profile base"
            yield Problem(kind=LESS_THAN_PROFILE, subject=feature, text=text)


def _verdict(clauses: Sequence[ClauseResult], problems: Sequence[Problem], missing: Sequence[str]) -> Verdict:
    if blamed(clauses, missing):
        return Verdict.FAILS
    if any(problem.kind in _DISTRUST for problem in problems):
        return Verdict.UNTESTED
    return Verdict.FAILS if problems else Verdict.CONFORMS


def _summary(asked: Asked, clauses: Sequence[ClauseResult]) -> str:
    aside = (Outcome.NOT_APPLICABLE, Outcome.PLANNED)
    apply = [clause for clause in clauses if clause.outcome not in aside]
    passed = sum(clause.outcome is Outcome.PASSED for clause in apply)
    parts = [asked.profile, *asked.select, *([f"{asked.level} only"] if asked.level != "MAY" else [])]
    return f"{' '.join(parts)} {passed}/{len(apply)}"
