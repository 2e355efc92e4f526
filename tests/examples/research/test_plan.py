"""From a question to its aspects."""

from __future__ import annotations

import pytest

from examples.research.plan import WHOLE, Related, Statistics, missing_words, plan, refine


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        (
            "How do I run a subprocess with a timeout and capture its output?",
            ["run a subprocess", "timeout", "capture its output"],
        ),
        ("How does garbage collection work?", []),
        ("How do I read and write CSV files?", []),
        ("How do I sort a list of dictionaries by key?", ["sort a list of dictionaries", "key"]),
        ("What is a coroutine and how do I wait for one with a deadline?", ["coroutine", "wait", "deadline"]),
    ],
)
def test_a_question_is_cut_into_phrases(question: str, titles: list[str]):
    assert [aspect.title for aspect in plan(question).aspects] == titles


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("What is the difference between a thread and a process pool?", ["thread pool", "process pool"]),
        ("When should I use a dataclass instead of a namedtuple?", ["dataclass", "namedtuple"]),
        ("list vs tuple", ["list", "tuple"]),
        ("How is a list different from a tuple?", ["list", "tuple"]),
        ("Compare json with pickle", ["json", "pickle"]),
    ],
)
def test_a_comparison_has_its_sides_and_then_both(question: str, sides: list[str]):
    planned = plan(question)
    assert planned.is_comparison
    assert [aspect.title for aspect in planned.in_order] == [*sides, "Both together"]


def test_the_whole_comes_first_and_leaves_out_what_questions_are_made_of():
    planned = plan("How does garbage collection work in Python?")
    assert planned.in_order[0].title == WHOLE
    assert planned.whole.core == ("garbag", "collect")
    assert planned.whole.phrases == (("garbag", "collect"),)
    assert planned.whole.is_concept


def test_a_recipe_is_no_concept():
    assert not plan("How do I copy a directory tree?").whole.is_concept


def test_a_statement_is_searched_by_its_keyword():
    assert '"with"' in plan("What does the with statement do?").whole.core


def test_synonyms_weigh_less_than_the_words_that_were_asked():
    weights = plan("How do I delete a folder?").whole.weights
    assert weights["delet"] == weights["folder"] == 1.0
    assert 0 < weights["remov"] < 1
    assert 0 < weights["directori"] < 1


@pytest.mark.parametrize("question", ["?", "   ", "the of and", "...!"])
def test_a_question_without_words_is_refused(question: str):
    with pytest.raises(ValueError, match="no word to search for"):
        plan(question)


def test_only_general_words_are_better_than_none():
    assert plan("What is Python?").whole.core == ("python",)


def test_a_common_word_alone_is_no_aspect():
    first = plan("How do I sort a list of dictionaries by key?")
    common = Statistics(1000, dict.fromkeys(first.terms, 10) | {"key": 300})
    assert "key" not in [aspect.title for aspect in refine(first, common, []).aspects]


def test_a_question_of_one_phrase_gets_aspects_from_the_corpus():
    first = plan("How does garbage collection work?")
    near = [
        Related(("refer", "cycl"), "reference cycles", nearby=6, overall=7),
        Related(("cycl", "detector"), "cycle detector", nearby=5, overall=6),
        Related(("weak", "refer"), "weak references", nearby=2, overall=2),
        Related(("object",), "objects", nearby=8, overall=90),
    ]
    planned = refine(first, Statistics(1000, dict.fromkeys(first.terms, 5)), near)
    assert [aspect.title for aspect in planned.aspects] == ["reference cycles"]
    assert planned.whole.weights["object"] < 1
    assert planned.aspects[0].context == first.whole.core


def test_words_that_stand_nowhere_are_named():
    asked = plan("How do I frobnicate a Kubernetes folder?")
    known = Statistics(10, {"directori": 3})
    assert missing_words(asked, known) == ["frobnicate", "Kubernetes"]


def test_statistics_and_related_of_several_shares_add_up():
    merged = Statistics.merge([Statistics(10, {"a": 1, "b": 2}), Statistics(5, {"b": 3})])
    assert merged == Statistics(15, {"a": 1, "b": 5})
    assert merged.rarity("c") > merged.rarity("a") > merged.rarity("b") > 0
    both = Related.merge([Related(("a",), "a", 1, 2), Related(("b",), "b", 1, 1), Related(("a",), "A", 3, 4)])
    assert both == [Related(("a",), "a", 4, 6), Related(("b",), "b", 1, 1)]
