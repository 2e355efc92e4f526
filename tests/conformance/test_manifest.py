"""Clauses and checks are held against each other, both ways."""

from __future__ import annotations

from loom_conformance import manifest, registry
from loom_conformance.clauses import load
from tests.conformance.made import check, clause

CLAUSES = [clause("PUB-1.1"), clause("PUB-1.2"), clause("PUB-2.1", feature="resume", planned=True)]


def kinds(checks: list[registry.Check]) -> list[tuple[str, str]]:
    return [(problem.kind, problem.subject) for problem in manifest.compare(CLAUSES, checks)]


def test_each_has_the_other():
    assert kinds([check("a", "PUB-1.1"), check("b", "PUB-1.2"), check("c", "PUB-1.2")]) == []


def test_a_clause_without_a_check_is_a_problem():
    assert kinds([check("a", "PUB-1.1")]) == [("clause without a check", "PUB-1.2")]


def test_a_check_without_a_clause_is_a_problem():
    checks = [check("a", "PUB-1.1"), check("b", "PUB-1.2"), check("c", "PUB-1.3")]
    assert kinds(checks) == [("check without a clause", "c")]


def test_a_check_of_a_planned_clause_is_a_problem():
    checks = [check("a", "PUB-1.1"), check("b", "PUB-1.2"), check("c", "PUB-2.1")]
    assert kinds(checks) == [("check of a planned clause", "c")]


def test_the_checks_of_some_clauses():
    checks = [check("a", "PUB-1.2"), check("b", "PUB-1.1"), check("c", "PUB-2.1"), check("d", "PUB-1.2")]
    assert [each.name for each in manifest.checks_of(CLAUSES, checks)] == ["b", "a", "d"]


def test_the_suite_itself_is_whole():
    assert manifest.compare(load(), registry.load()) == []
