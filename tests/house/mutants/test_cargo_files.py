"""What cargo-mutants writes, read."""

from __future__ import annotations

import pytest

from scripts.mutants.cargo_files import read_mutants, read_outcomes
from scripts.mutants.mutant import Outcome

SOURCE = """fn fits(size: u64, room: u64) -> bool {
    size < room && size < 9
}

fn told(state: State) -> u8 {
    match state {
        State::Open => {
            1
        }
        _ => 0,
    }
}
"""


def entry(genre, start, end, replacement, name, function="fits"):
    places = {"start": dict(zip(("line", "column"), start, strict=True))}
    places["end"] = dict(zip(("line", "column"), end, strict=True))
    return {
        "file": "engine/src/a.rs",
        "function": {"function_name": function},
        "genre": genre,
        "span": places,
        "replacement": replacement,
        "name": f"engine/src/a.rs:{start[0]}:{start[1]}: {name}",
    }


@pytest.fixture
def workspace(tmp_path):
    path = tmp_path / "engine/src/a.rs"
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE)
    return tmp_path


def test_mutants_say_where_they_are_and_what_they_change(workspace):
    found = read_mutants(
        [
            entry("FnValue", (2, 5), (2, 28), "true", "replace fits -> bool with true"),
            entry("BinaryOperator", (2, 10), (2, 11), "<=", "replace < with <= in fits"),
            entry("BinaryOperator", (2, 25), (2, 26), "<=", "replace < with <= in fits"),
            entry("MatchArm", (7, 9), (9, 10), "", "delete match arm State::Open in told", "told"),
            entry("MatchArm", (10, 9), (10, 16), "", "delete match arm _ in told", "told"),
        ],
        workspace,
    )
    assert [str(mutant) for mutant in found] == [
        "a.rs:2 fits: the body → true",
        "a.rs:2 fits: size < room && size < 9 → size <= room && size < 9",
        "a.rs:2 fits: size < room && size < 9 → size < room && size <= 9",
        "a.rs:7 told: delete match arm State::Open",
        "a.rs:10 told: _ => 0, → nothing",
    ]
    assert found[1].name == "engine/src/a.rs:2:10: replace < with <= in fits"


def test_outcomes_by_name():
    def tried(name, summary):
        return {"scenario": {"Mutant": {"name": name}}, "summary": summary}

    summaries = ("CaughtMutant", "MissedMutant", "Timeout", "Unviable")
    outcomes = [{"scenario": "Baseline", "summary": "Success"}, *(tried(word, word) for word in summaries)]
    assert read_outcomes({"outcomes": outcomes}) == {
        "CaughtMutant": Outcome.KILLED,
        "MissedMutant": Outcome.SURVIVED,
        "Timeout": Outcome.TIMEOUT,
        "Unviable": Outcome.UNVIABLE,
    }
