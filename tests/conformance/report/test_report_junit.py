"""JUnit: a case for each check, and what is wrong with the run among them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from loom_conformance.report import junit
from tests.conformance.made import bad, clause, concluded, failed, good, passed


def cases(result) -> dict[str, ET.Element]:
    return {case.get("name", ""): case for case in ET.fromstring(junit.draw(result)).iter("testcase")}


def test_what_passed_has_nothing_in_it():
    found = cases(good())
    assert list(found) == ["one", "something was judged"]
    assert [list(case) for case in found.values()] == [[], []]
    assert (found["one"].get("classname"), found["one"].get("time")) == ("PUB-1.1", "0.012")


def test_what_failed_says_what_a_stranger_needs():
    failure = cases(bad())["twice"].find("failure")
    assert failure is not None
    assert failure.get("message") == "the deliveries: expected 1, got 2"
    for part in (
        "PUB-1.1 (MUST): What PUB-1.1 says",
        "tried: What twice tries.",
        "got: 2 <events>",
        "orders.new",
    ):
        assert part in (failure.text or "")


def test_an_error_keeps_its_traceback():
    error = cases(bad())["breaks"].find("error")
    assert error is not None
    assert (error.get("message"), error.text) == ("KeyError: 'x'", "Traceback …")


def test_what_is_set_aside_or_known_is_skipped_with_the_reason():
    found = cases(bad())
    told = {name: found[name].find("skipped").get("message") for name in ("held", "drains", "old")}
    assert told == {
        "held": "not testable: why held did not run",
        "drains": "not applicable: why drains did not run",
        "old": "known failure: It is old. (https://bugs.example/1)",
    }


def test_a_problem_of_the_run_is_a_failed_case():
    found = cases(bad())["less than the profile says drain"].find("failure")
    assert found is not None
    assert "which the bridge does not declare" in (found.get("message") or "")
    nothing = cases(concluded([], []))
    assert all(case.find("failure") is not None for case in nothing.values())


def test_the_counts_are_right():
    root = ET.fromstring(junit.draw(bad()))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8",
        "failures": "2",
        "errors": "1",
        "skipped": "3",
    }
    suites = {suite.get("name"): suite.get("tests") for suite in root}
    assert suites == {"HB: Heartbeat": "1", "PUB: Publish and deliver": "5", "the run itself": "2"}


def test_what_xml_cannot_hold_is_replaced():
    drawn = junit.draw(concluded([clause()], [failed("a", message="got \x00\x1b[31m")]))
    assert ET.fromstring(drawn) is not None
    assert "got \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m" in drawn


def test_a_check_that_passed_within_a_failed_clause_has_nothing_in_it():
    assert list(cases(concluded([clause()], [failed("a"), passed("b")]))["b"]) == []
