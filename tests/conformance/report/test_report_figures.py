"""What all reports count alike."""

from __future__ import annotations

from loom_conformance.report import figures
from loom_conformance.result import Outcome
from tests.conformance.made import bad, clause, concluded, good, passed


def test_areas_are_counted():
    beats, publish = figures.areas(bad())
    assert (beats.area, beats.title, beats.apply, beats.bad) == ("HB", "Heartbeat", 1, 0)
    assert (publish.area, publish.apply, publish.bad) == ("PUB", 4, 2)
    assert publish.counts[Outcome.PLANNED] == publish.counts[Outcome.NOT_APPLICABLE] == 1


def test_the_bridge_is_called_as_it_calls_itself():
    assert figures.headline(good()) == "my-bridge 2.0 conforms to the Loom bridge protocol"
    assert figures.headline(bad()) == "my-bridge 2.0 does not conform to the Loom bridge protocol"
    assert figures.headline(concluded([clause()], [])) == "my-bridge 2.0 could not be tested"


def test_a_tally_in_words():
    assert figures.tally(bad()) == (
        "1 passed, 3 failed, 1 not applicable, 1 not testable, 1 planned, 1 of them known"
    )


def test_what_is_to_be_mended_and_what_is_known():
    assert [one.clause for one in figures.to_mend(bad())] == ["PUB-1.1", "PUB-3.1"]
    assert [one.clause for one in figures.known_bad(bad())] == ["PUB-4.1"]


def test_problems_are_grouped_and_the_first_of_each_shown():
    clauses = [clause(f"PUB-1.{number}") for number in range(1, 10)]
    ((kind, shown, more),) = figures.problem_groups(concluded(clauses, [passed("a")]))
    assert (kind, len(shown), more) == ("clause without a check", 5, 3)


def test_numbers_in_words():
    assert (figures.plural(1, "check"), figures.plural(1200, "check")) == ("1 check", "1,200 checks")
