"""Ranking: what is found, in which order, and that shares can be compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.research.corpus import Library
from examples.research.passage import Kind, Passage
from examples.research.plan import Statistics, plan
from examples.research.search import Index


def passage(source: str, text: str, kind: Kind = "docstring") -> Passage:
    return Passage(f"source:{source}#1", source, "", f"Lib/{source}, line 1", "", text, kind)


def test_the_passage_that_covers_most_of_the_question_comes_first(manual: Path):
    index = Index(Library.load(manual).passages)
    asked = plan("When may the lid of the kiln be opened?").whole
    hits = index.search(asked, index.statistics(list(asked.weights)))
    assert hits[0].passage.heading == "Cooling"
    assert hits[0].coverage == 1.0
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_passage_with_nothing_of_the_core_is_no_hit(manual: Path):
    index = Index(Library.load(manual).passages)
    asked = plan("frobnicate").whole
    assert index.search(asked, index.statistics(list(asked.weights))) == []


def test_words_are_found_by_their_synonyms():
    index = Index(
        [passage("a.x", "Remove the directory at once."), passage("a.y", "Nothing of the sort here.")]
    )
    asked = plan("delete a folder").whole
    hits = index.search(asked, index.statistics(list(asked.weights)))
    assert [hit.passage.source for hit in hits] == ["a.x"]
    assert hits[0].coverage == 0.5


def test_a_name_that_is_asked_for_and_public_things_come_first():
    text = "Wait for a process to end, for so many seconds at the most, and then give up with an error."
    index = Index([passage("a._b.poll", text), passage("a.b.poll", text), passage("a.b.wait", text)])
    asked = plan("wait for a process").whole
    hits = index.search(asked, index.statistics(list(asked.weights)))
    assert [hit.passage.source for hit in hits] == ["a.b.wait", "a.b.poll", "a._b.poll"]


def test_an_explanation_is_looked_for_in_the_language_reference_first():
    text = "A frobnicator turns one thing into another; it is created when the module is first imported."
    index = Index([passage("a.b.c", text), passage('the topic "x"', text, "topic")])
    ratios = []
    for question in ("What is a frobnicator?", "call the frobnicator"):
        asked = plan(question).whole
        hits = index.search(asked, index.statistics(list(asked.weights)))
        scores = {hit.passage.kind: hit.score for hit in hits}
        ratios.append(scores["topic"] / scores["docstring"])
    assert ratios[0] > ratios[1]


def test_shares_agree_when_they_are_given_the_statistics_of_the_whole(manual: Path):
    asked = plan("How do I avoid pinholes in a glaze?").whole
    words = list(asked.weights)
    shares = [Index(Library.load(manual, number, 2).passages) for number in (1, 2)]
    together = Statistics.merge(share.statistics(words) for share in shares)
    assert together == Index(Library.load(manual).passages).statistics(words)
    hits = [hit for share in shares for hit in share.search(asked, together)]
    assert max(hits, key=lambda hit: hit.score).passage.heading == "Faults"


def test_ranking_is_the_same_every_time(manual: Path):
    asked = plan("temperature of the kiln").whole
    runs = []
    for _ in range(3):
        index = Index(Library.load(manual).passages)
        runs.append(index.search(asked, index.statistics(list(asked.weights))))
    assert runs[0] == runs[1] == runs[2]


def test_what_stands_near_the_question_is_told_with_how_it_is_written():
    index = Index(
        [
            passage(
                f"m{number}.x", "The collector frees garbage. Reference cycles are found by the collector."
            )
            for number in range(3)
        ]
        + [passage("n.y", "Something else altogether.")]
    )
    near = {one.label: one for one in index.related(plan("garbage").whole)}
    assert near["reference cycles"].stems == ("refer", "cycl")
    assert near["reference cycles"].nearby == near["reference cycles"].overall == 3
    assert "garbage" not in near


def test_an_empty_share_is_refused():
    with pytest.raises(ValueError, match="nothing to search"):
        Index([])
