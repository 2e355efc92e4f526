import json

import pytest

from loom_conformance import clauses
from loom_conformance.registry import load as load_checks
from mutants.matrix import MATRIX, Matrix, select
from mutants.mutant import load
from mutants.trial import Trial
from tests.conformance.mutants.test_mutant import GOOD, changed

DEAD = Trial(GOOD, killed=True, by=("echoes",), said="the echo: expected 1, got 0")
ALIVE = Trial(changed(name="n"), killed=False, by=(), said="echoes passed")


def test_every_judged_clause_has_a_mutant_and_every_mutant_a_clause():
    judged = {clause.id for clause in clauses.load() if not clause.planned}
    proved = {mutant.clause for mutant in load()}
    assert sorted(judged - proved) == []
    assert sorted(proved - judged) == []


def test_the_kept_matrix_is_that_of_the_mutants_there_are():
    """`python -m mutants --write` keeps it anew."""
    kept = json.loads(MATRIX.read_text(encoding="utf-8"))
    assert kept["unproved"] == []
    assert all(row["killed"] and row["by"] for row in kept["mutants"])
    there = sorted((mutant.clause, mutant.name, mutant.why, mutant.file) for mutant in load())
    assert sorted((row["clause"], row["mutant"], row["why"], row["file"]) for row in kept["mutants"]) == there
    checks = {check.name: check.clause for check in load_checks()}
    assert [row for row in kept["mutants"] if any(checks.get(by) != row["clause"] for by in row["by"])] == []


def test_names_and_clauses_select():
    mutants = [GOOD, changed(name="n", clause="HB-2.1"), changed(name="o", clause="HBX-1.10")]
    assert select(mutants, []) == mutants
    assert select(mutants, ["HB"]) == mutants[:2]
    assert select(mutants, ["HB-1"]) == mutants[:1]
    assert select(mutants, ["n", "HB-1.1"]) == mutants[:2]
    assert select(mutants, ["HBX-1.10"]) == mutants[2:]
    for nothing in ("HBX-1.1", "x", "H"):
        with pytest.raises(ValueError, match=f"named {nothing}"):
            select(mutants, [nothing])


def test_a_matrix_is_good_where_everything_is_killed_and_nothing_missing():
    assert Matrix((DEAD,)).good
    for bad in (
        Matrix(()),
        Matrix((DEAD, ALIVE)),
        Matrix((DEAD,), unproved=("PUB-1.1",)),
        Matrix((DEAD,), strangers=("m",)),
    ):
        assert not bad.good


def test_the_document():
    document = json.loads(Matrix((DEAD, ALIVE), unproved=("PUB-1.1",)).to_json())
    assert document["unproved"] == ["PUB-1.1"]
    assert document["mutants"][0] == {
        "clause": "HB-1.1",
        "mutant": "m",
        "why": "it echoes nothing",
        "file": "loom_testing/engine/engine.py",
        "killed": True,
        "by": ["echoes"],
    }
