"""What the reports count: the same figures in the terminal, in Markdown and in HTML."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loom_conformance.clauses import AREAS
from loom_conformance.conclude import DIED, blamed
from loom_conformance.result import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance.result import CheckResult, ClauseResult, Problem, RunResult

__all__ = [
    "AreaFigures",
    "areas",
    "bridge_name",
    "checks_of",
    "deaths",
    "headline",
    "known_bad",
    "plural",
    "problem_groups",
    "tally",
    "to_mend",
]

PROBLEMS_SHOWN = 5
"""Of each kind; the others are counted. The JSON has all of them."""

_WORDS = {
    Verdict.CONFORMS: "conforms to the Loom bridge protocol",
    Verdict.FAILS: "does not conform to the Loom bridge protocol",
    Verdict.UNTESTED: "could not be tested",
}


@dataclass(frozen=True, slots=True)
class AreaFigures:
    """One area of the run.

    Attributes:
        area: its short name.
        title: what it is about.
        clauses: its clauses, in order.
        counts: how many came out how.
        bad: how many make the bridge fail.
    """

    area: str
    title: str
    clauses: Sequence[ClauseResult]
    counts: Counter[Outcome]
    bad: int

    @property
    def apply(self) -> int:
        """How many clauses apply to this bridge."""
        return len(self.clauses) - self.counts[Outcome.NOT_APPLICABLE] - self.counts[Outcome.PLANNED]


def areas(result: RunResult) -> list[AreaFigures]:
    """The areas, in the result's order."""
    names = dict.fromkeys(clause.area for clause in result.clauses)
    broken = to_mend(result)
    found = []
    for name in names:
        members = [clause for clause in result.clauses if clause.area == name]
        counts = Counter(clause.outcome for clause in members)
        bad = sum(clause in broken for clause in members)
        found.append(AreaFigures(name, AREAS.get(name, name), members, counts, bad))
    return found


def bridge_name(result: RunResult) -> str:
    """The bridge, as it calls itself, or as it was named."""
    told = f"{result.versions.bridge_name} {result.versions.bridge}".strip()
    return told or result.target.asked


def headline(result: RunResult) -> str:
    """The verdict as a sentence."""
    return f"{bridge_name(result)} {_WORDS[result.verdict]}"


def tally(result: RunResult) -> str:
    """What the clauses came to, in words: `140 passed, 2 failed, 20 planned`."""
    counts = Counter(clause.outcome for clause in result.clauses)
    words = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    known = len(known_bad(result))
    return ", ".join([*words, *([f"{known} of them known"] if known else [])])


def to_mend(result: RunResult) -> list[ClauseResult]:
    """The clauses that make the bridge fail."""
    return blamed(result.clauses, result.emitted.missing)


def deaths(result: RunResult) -> list[Problem]:
    """That the bridge died, should it have: what else is wrong comes of that."""
    return [problem for problem in result.problems if problem.kind == DIED]


def known_bad(result: RunResult) -> list[ClauseResult]:
    """The clauses that fail, as is known."""
    bad = (Outcome.FAILED, Outcome.NOT_TESTABLE)
    return [clause for clause in result.clauses if clause.outcome in bad and clause.known is not None]


def checks_of(result: RunResult, clause: ClauseResult) -> list[CheckResult]:
    """What came of a clause's checks."""
    return [check for check in result.checks if check.clause == clause.clause]


def problem_groups(result: RunResult) -> list[tuple[str, list[Problem], int]]:
    """The problems by kind: the kind, the first of them, and how many more there are."""
    kinds = dict.fromkeys(problem.kind for problem in result.problems)
    groups = []
    for kind in kinds:
        members = [problem for problem in result.problems if problem.kind == kind]
        groups.append((kind, members[:PROBLEMS_SHOWN], max(0, len(members) - PROBLEMS_SHOWN)))
    return groups


def plural(number: int, noun: str) -> str:
    """`1 check`, `2 checks`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
