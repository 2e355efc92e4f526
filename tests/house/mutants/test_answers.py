"""The list of answers is strict: it holds what survives, with a reason, and nothing else."""

from __future__ import annotations

import pytest

from scripts.mutants.answers import Answers, read_answers
from scripts.mutants.mutant import CannotTryError, Mutant, Outcome

ENTRY = """
[[python]]
file = "a.py"
function = "f"
changes = ["1 → 2", "1 → 3"]
reason = '''
It is
the same.'''
"""


def mutant(change, file="a.py"):
    return Mutant(file, "f", change, 1, "n")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.toml"


def test_reads_one_language(path):
    path.write_text(ENTRY)
    reason = "It is the same."
    assert read_answers(path, "python").reasons == {
        ("a.py", "f", "1 → 2"): reason,
        ("a.py", "f", "1 → 3"): reason,
    }
    assert read_answers(path, "rust").reasons == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ENTRY.replace("reason", "because"), "an entry needs file, function, changes and a reason"),
        (ENTRY.replace("It is\nthe same.", " "), "an entry needs"),
        (ENTRY + ENTRY, "answers twice: a.py f 1 → 2"),
        ("[[python", "cannot be read"),
    ],
)
def test_an_entry_is_whole(path, text, problem):
    path.write_text(text)
    with pytest.raises(CannotTryError, match=problem):
        read_answers(path, "python")


def test_a_missing_list_is_said(path):
    with pytest.raises(CannotTryError, match=r"answers.toml cannot be read"):
        read_answers(path, "python")


def test_what_is_answered_noticed_and_gone():
    answers = Answers({mutant(change).key: "why" for change in ("answered", "noticed", "gone", "slow")})
    outcomes = {
        mutant("answered"): Outcome.SURVIVED,
        mutant("noticed"): Outcome.KILLED,
        mutant("slow"): Outcome.TIMEOUT,
        mutant("new"): Outcome.SURVIVED,
        mutant("killed"): Outcome.KILLED,
    }
    assert answers.unanswered(outcomes) == [mutant("new")]
    assert answers.refuted(outcomes) == [mutant("noticed"), mutant("slow")]
    assert answers.refuted(outcomes, timeouts=False) == [mutant("noticed")]
    assert answers.unmatched(outcomes) == [mutant("gone").key]
