"""Known failures are strict; what is known to be flaky may pass or fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom_conformance.known import KnownError, Lists
from loom_conformance.result import Outcome, Verdict
from tests.conformance.made import aside, check, clause, concluded, failed, known, passed

CLAUSES = [clause("PUB-1.1"), clause("PUB-1.2", feature="drain")]
GOOD = passed("beats", "PUB-1.2")

ENTRY = """
[[known]]
clause = "PUB-1.1"
reason = "It is old."
link = "https://bugs.example/1"
"""


def written(tmp_path: Path, text: str, name: str = "known.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_is_read(tmp_path: Path):
    (entry,) = Lists.load(written(tmp_path, ENTRY)).entries
    assert (entry.list, entry.what, entry.name) == ("failure", "clause", "PUB-1.1")
    (entry,) = Lists.load(None, written(tmp_path, ENTRY.replace("clause", "check"))).entries
    assert (entry.list, entry.what, entry.reason) == ("flaky", "check", "It is old.")
    assert Lists.load(written(tmp_path, "")).entries == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ENTRY.replace("link", "url"), "entry 1: it needs either clause or check"),
        (ENTRY.replace("clause", "check") + 'clause = "PUB-1.1"\n', "it needs either clause or check"),
        (ENTRY.replace('clause = "PUB-1.1"', ""), "it needs either clause or check"),
        (ENTRY.replace("It is old.", " "), "entry 1: say the reason"),
        (ENTRY.replace("https://bugs.example/1", "bug 1"), "entry 1: link must say where"),
        (ENTRY.replace('"It is old."', "7"), "entry 1: it must hold texts"),
        (ENTRY.replace("[[known]]", "[[expected]]"), "nothing else"),
        (ENTRY + ENTRY, "PUB-1.1 is listed twice"),
        ("[[known", "known.toml: "),
    ],
)
def test_a_malformed_list_is_refused_with_its_place(tmp_path: Path, text: str, says: str):
    with pytest.raises(KnownError) as raised:
        Lists.load(written(tmp_path, text))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_stands_in_both_lists_is_refused(tmp_path: Path):
    failures, flaky = written(tmp_path, ENTRY), written(tmp_path, ENTRY, "flaky.toml")
    with pytest.raises(KnownError, match=r"flaky\.toml: PUB-1\.1 is listed twice, here or in both lists"):
        Lists.load(failures, flaky)


def test_a_list_that_is_not_there(tmp_path: Path):
    with pytest.raises(KnownError, match="No such file"):
        Lists.load(tmp_path / "none.toml")


@pytest.mark.parametrize(("name", "what"), [("PUB-1.1", "clause"), ("twice", "check")])
def test_a_known_failure_does_not_fail_the_run(name: str, what: str):
    result = concluded(CLAUSES, [failed("twice"), GOOD], known=known(name, what=what))
    assert (result.verdict, result.problems) == (Verdict.CONFORMS, [])
    broken = result.clauses[0]
    assert broken.outcome is Outcome.FAILED
    assert broken.known is not None
    assert broken.known.link == "https://bugs.example/1"
    assert result.summary == "full 1/2"


def test_a_known_check_does_not_excuse_the_others_of_its_clause():
    results = [failed("twice"), failed("late"), GOOD]
    result = concluded(CLAUSES, results, known=known("twice", what="check"))
    assert (result.verdict, result.clauses[0].known) == (Verdict.FAILS, None)
    assert [each.known is not None for each in result.checks] == [True, False, False]


def test_an_untestable_clause_may_be_known():
    result = concluded(CLAUSES, [aside("a", "PUB-1.1", Outcome.NOT_TESTABLE), GOOD], known=known("PUB-1.1"))
    assert result.verdict is Verdict.CONFORMS


@pytest.mark.parametrize(("name", "what"), [("PUB-1.1", "clause"), ("once", "check")])
def test_a_known_failure_that_passes_fails_the_run(name: str, what: str):
    result = concluded(CLAUSES, [passed("once"), GOOD], known=known(name, what=what))
    assert result.verdict is Verdict.FAILS
    assert [problem.kind for problem in result.problems] == ["known failure passes"]
    assert result.problems[0].text == f"known failure: {name} passes now: remove the entry"


@pytest.mark.parametrize("kind", ["failure", "flaky"])
@pytest.mark.parametrize("name", ["PUB-9.9", "no_such_check"])
def test_an_entry_that_names_nothing_fails_the_run(kind: str, name: str):
    result = concluded(CLAUSES, [passed("once"), GOOD], known=known(name, kind))
    assert result.verdict is Verdict.FAILS
    assert [problem.kind for problem in result.problems] == ["known entry matches nothing"]


@pytest.mark.parametrize("kind", ["failure", "flaky"])
def test_an_entry_about_what_does_not_apply_fails_the_run(kind: str):
    results = [passed("once"), aside("drains", "PUB-1.2")]
    asked = {"known": known("PUB-1.2", kind)}
    kinds = [problem.kind for problem in concluded(CLAUSES, results, **asked).problems]
    assert "known entry matches nothing" in kinds


def test_an_entry_about_what_was_not_asked_for_is_left_alone():
    checks = [check("once"), check("beats", "PUB-1.2")]
    result = concluded(CLAUSES, [passed("once")], checks, selected=CLAUSES[:1], known=known("PUB-1.2"))
    assert (result.verdict, result.problems) == (Verdict.CONFORMS, [])


@pytest.mark.parametrize("came", [failed("once"), passed("once")])
def test_what_is_flaky_may_pass_or_fail(came):
    result = concluded(CLAUSES, [came, GOOD], known=known("once", "flaky", "check"))
    assert (result.verdict, result.problems) == (Verdict.CONFORMS, [])
