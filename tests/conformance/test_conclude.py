"""What a run says: each way of not having judged makes it fail."""

from __future__ import annotations

import pytest

from loom_conformance.conclude import SURROUNDINGS, breaks, demanded
from loom_conformance.result import Asked, CheckResult, Outcome, RunResult, Verdict
from tests.conformance.made import aside, check, clause, concluded, failed, passed

ONE, TWO = clause("PUB-1.1"), clause("PUB-1.2")


def kinds(result: RunResult) -> list[str]:
    return [problem.kind for problem in result.problems]


def test_a_bridge_that_keeps_every_clause_conforms():
    result = concluded([ONE, TWO], [passed("a", "PUB-1.1"), passed("b", "PUB-1.2"), passed("c", "PUB-1.2")])
    assert (result.verdict, result.summary, result.problems) == (Verdict.CONFORMS, "full 2/2", [])
    assert (result.emitted.expected, result.emitted.emitted, result.emitted.judged) == (2, 2, 2)
    assert result.clauses[1].checks == ["b", "c"]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERROR])
def test_a_check_that_does_not_pass_fails_its_clause_and_the_run(outcome: Outcome):
    result = concluded([ONE], [passed("a"), failed("b", outcome=outcome)])
    assert (result.verdict, result.summary) == (Verdict.FAILS, "full 0/1")
    assert (result.clauses[0].outcome, result.clauses[0].why) == (
        Outcome.FAILED,
        "the deliveries: expected 1, got 2",
    )


def test_a_broken_should_fails_the_run_too_where_it_was_asked_for():
    assert concluded([clause(level="SHOULD")], [failed("a")]).verdict is Verdict.FAILS


@pytest.mark.parametrize(("level", "verdict"), [("MUST", Verdict.FAILS), ("SHOULD", Verdict.CONFORMS)])
def test_a_declared_feature_that_cannot_be_tested_fails_a_must(level: str, verdict: Verdict):
    clauses = [clause("PUB-1.1", level=level, feature="confirm"), TWO]
    results = [aside("a", "PUB-1.1", Outcome.NOT_TESTABLE), passed("b", "PUB-1.2")]
    result = concluded(clauses, results)
    assert (result.verdict, breaks(result.clauses[0])) == (verdict, verdict is Verdict.FAILS)
    assert result.clauses[0].why == "why a did not run"


def test_another_check_of_the_clause_may_judge_it():
    result = concluded([ONE], [aside("a", "PUB-1.1", Outcome.NOT_TESTABLE), passed("b")])
    assert (result.verdict, result.clauses[0].outcome) == (Verdict.CONFORMS, Outcome.PASSED)


def test_planned_clauses_are_listed_and_not_judged():
    planned = clause("PUB-2.1", feature="resume", planned=True)
    result = concluded([ONE, planned], [passed("a")])
    assert (result.verdict, result.summary, result.emitted.expected) == (Verdict.CONFORMS, "full 1/1", 1)
    assert (result.clauses[1].outcome, result.clauses[1].why) == (Outcome.PLANNED, "resume is not built yet")


# What is not worth the name of a run.


def test_a_clause_without_a_check_fails_the_run():
    result = concluded([ONE, TWO], [passed("a")])
    assert (result.verdict, kinds(result)) == (Verdict.UNTESTED, ["clause without a check"])
    assert (result.emitted.missing, result.clauses[1].why) == (["PUB-1.2"], "no check judges it")


def test_a_clause_without_a_check_fails_the_run_also_where_it_was_not_asked_for():
    result = concluded([ONE, TWO], [passed("a")], selected=[ONE])
    assert (result.verdict, kinds(result)) == (Verdict.UNTESTED, ["clause without a check"])


def test_a_check_without_a_clause_fails_the_run():
    checks = [check("a"), check("b", "PUB-9.9")]
    result = concluded([ONE], [passed("a")], checks)
    assert (result.verdict, kinds(result)) == (Verdict.UNTESTED, ["check without a clause"])


def test_a_clause_whose_result_did_not_come_fails_the_run():
    checks = [check("a"), check("b", "PUB-1.2")]
    result = concluded([ONE, TWO], [passed("a")], checks)
    assert (result.verdict, kinds(result)) == (Verdict.UNTESTED, ["clause without a result"])
    assert (result.emitted.expected, result.emitted.emitted, result.emitted.missing) == (2, 1, ["PUB-1.2"])
    assert result.clauses[1].why == "no result came of the check b"


def test_one_check_of_a_clause_that_stayed_silent_is_enough():
    checks = [check("a"), check("b"), check("c", "PUB-1.2")]
    result = concluded([ONE, TWO], [passed("a"), passed("c", "PUB-1.2")], checks)
    assert (result.verdict, kinds(result)) == (Verdict.UNTESTED, ["clause without a result"])


def test_a_broken_bridge_is_told_before_a_broken_run():
    result = concluded([ONE, TWO], [failed("a")], [check("a"), check("b", "PUB-1.2")])
    assert result.verdict is Verdict.FAILS


@pytest.mark.parametrize(
    "foreign", [passed("z", "PUB-1.1"), passed("a", "PUB-1.2"), passed("a", "PUB-1.1")], ids=str
)
def test_a_result_that_nobody_asked_for_fails_the_run(foreign: CheckResult):
    result = concluded([ONE], [passed("a"), foreign], [check("a")])
    assert "result that was not asked for" in kinds(result)
    assert result.verdict is Verdict.UNTESTED


def test_a_check_that_passed_without_expecting_anything_fails_the_run():
    result = concluded([ONE, TWO], [passed("a", expectations=0), passed("b", "PUB-1.2")])
    assert (result.verdict, kinds(result)) == (Verdict.UNTESTED, ["judged nothing"])


def test_a_run_that_judged_nothing_fails():
    assert concluded([], []).verdict is Verdict.UNTESTED
    planned = concluded([clause("PUB-2.1", feature="resume", planned=True)], [])
    assert (planned.verdict, kinds(planned)) == (Verdict.UNTESTED, ["judged nothing"])
    aside_only = concluded([clause(feature="drain")], [aside("a", "PUB-1.1")], asked=Asked(profile="base"))
    assert (aside_only.verdict, kinds(aside_only)) == (Verdict.UNTESTED, ["judged nothing"])


# Profiles.


def test_full_demands_every_feature_that_is_built():
    clauses = [
        ONE,
        clause("PUB-1.2", feature="drain"),
        clause("PUB-1.3", feature="resume", planned=True),
        *(clause(f"CTL-1.{number}", feature=name) for number, name in enumerate(sorted(SURROUNDINGS), 1)),
    ]
    assert demanded("full", clauses) == {"", "drain"}
    assert demanded("base", clauses) == {""}


def test_less_than_the_profile_says_fails_the_run():
    clauses = [ONE, *(clause(f"PUB-2.{number}", feature="drain") for number in range(1, 6))]
    results = [passed("a"), *(aside(f"d{number}", f"PUB-2.{number}") for number in range(1, 6))]
    full = concluded(clauses, results)
    assert (full.verdict, kinds(full)) == (Verdict.FAILS, ["less than the profile says"])
    assert full.problems[0].text == (
        "the profile full demands drain, which the bridge does not declare: 5 clauses not judged "
        "(PUB-2.1, PUB-2.2, PUB-2.3 and 2 more); build it, or judge with --profile base"
    )
    base = concluded(clauses, results, asked=Asked(profile="base"))
    assert (base.verdict, base.summary, base.problems) == (Verdict.CONFORMS, "base 1/1", [])


def test_what_belongs_to_how_a_bridge_was_started_is_not_demanded():
    clauses = [ONE, clause("CTL-1.1", feature="control"), clause("LIM-3.1", feature="process")]
    results = [passed("a"), aside("b", "CTL-1.1"), aside("c", "LIM-3.1")]
    assert concluded(clauses, results).verdict is Verdict.CONFORMS


@pytest.mark.parametrize("feature", ["", "confirm"])
def test_what_the_bridge_has_cannot_be_set_aside(feature: str):
    clauses = [clause("PUB-1.1", feature=feature), TWO]
    result = concluded(clauses, [aside("a", "PUB-1.1"), passed("b", "PUB-1.2")], asked=Asked(profile="base"))
    assert (result.verdict, kinds(result)) == (Verdict.FAILS, ["declared, but set aside"])


def test_the_summary_says_how_much_was_asked_for():
    asked = Asked(profile="base", level="MUST", select=["PUB", "HB-1"])
    assert concluded([ONE], [passed("a")], asked=asked).summary == "base PUB HB-1 MUST only 1/1"
