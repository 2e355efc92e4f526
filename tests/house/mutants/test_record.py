"""What is kept of a full run."""

from __future__ import annotations

import pytest

from scripts.mutants.mutant import Mutant, Outcome
from scripts.mutants.record import Survivor, make_record, read_record, score, write_record

VERSIONS = {"date": "2026-01-02", "commit": "c0ffee", "tool": "tool 1", "compiler": "compiler 2"}


def mutant(file, line):
    return Mutant(file, "f", f"change {line}", line, "n")


OUTCOMES = {
    mutant("b.py", 1): Outcome.KILLED,
    mutant("b.py", 9): Outcome.SURVIVED,
    mutant("a.py", 20): Outcome.SURVIVED,
    mutant("a.py", 3): Outcome.TIMEOUT,
    mutant("a.py", 4): Outcome.UNVIABLE,
    mutant("a.py", 5): Outcome.KILLED,
}
REASONS = {("a.py", "f", "change 20"): "it means the same"}


def test_counts_and_survivors():
    record = make_record("python", VERSIONS, 12.6, OUTCOMES, REASONS, {"a.py": "f00d"})
    assert (record.tool, record.date, record.seconds) == ("tool 1", "2026-01-02", 13)
    assert record.counts == {"killed": 2, "timeout": 1, "survived": 2, "unviable": 1, "answered": 1}
    assert record.files == {
        "a.py": {"killed": 1, "timeout": 1, "survived": 1, "unviable": 1},
        "b.py": {"killed": 1, "timeout": 0, "survived": 1, "unviable": 0},
    }
    assert record.survivors == [
        Survivor("a.py", 20, "f", "change 20", "it means the same"),
        Survivor("b.py", 9, "f", "change 9", ""),
    ]
    assert record.score == 60.0


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        ({}, 100.0),
        ({"unviable": 5}, 100.0),
        ({"killed": 3, "timeout": 1}, 100.0),
        ({"killed": 18, "timeout": 1, "survived": 1, "unviable": 7}, 95.0),
        ({"survived": 1}, 0.0),
    ],
)
def test_the_score_is_of_what_compiles(counts, share):
    assert score(counts) == share


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "python.json"
    assert read_record(path) is None
    record = make_record("python", VERSIONS, 1, OUTCOMES, REASONS, {"a.py": "f00d"})
    write_record(path, record)
    assert read_record(path) == record
