"""The lanes' comparison of two runs of the conformance suite."""

from __future__ import annotations

from dataclasses import replace

from loom_conformance.result import CheckResult, Outcome
from scripts.conformance import differences
from tests.conformance.made import aside, clause, concluded, failed, passed

CLAUSES = [clause("HB-1.1"), clause("LIM-1.1"), clause("LIM-3.1", feature="process")]
STARTED = concluded(CLAUSES, [passed("a", "HB-1.1"), passed("b", "LIM-1.1"), passed("c", "LIM-3.1")])


def without_a_process(name: str, judges: str, outcome: Outcome) -> CheckResult:
    return replace(aside(name, judges, outcome), message="the check needs process")


def test_signals_are_all_that_may_differ():
    there = concluded(
        CLAUSES,
        [
            passed("a", "HB-1.1"),
            without_a_process("b", "LIM-1.1", Outcome.NOT_TESTABLE),
            without_a_process("c", "LIM-3.1", Outcome.NOT_APPLICABLE),
        ],
    )
    assert differences(STARTED, there) == []


def test_a_clause_that_came_out_otherwise_is_told():
    results = [
        failed("a", "HB-1.1", message="no process at all"),
        aside("b", "LIM-1.1", Outcome.NOT_TESTABLE),
        passed("c", "LIM-3.1"),
    ]
    assert differences(STARTED, concluded(CLAUSES, results)) == [
        "HB-1.1 passed where it is started, failed at an address",
        "LIM-1.1 passed where it is started, not testable at an address",
    ]
    assert differences(STARTED, concluded(CLAUSES[:2], results[:2]))[2:] == [
        "LIM-3.1 passed where it is started, not there at an address"
    ]
