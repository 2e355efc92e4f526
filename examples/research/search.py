"""Searching one share of the corpus: BM25 by bm25s, then what BM25 does not see. Pure and deterministic.

Each share is ranked with the word statistics of the whole corpus, so that the scores of several researchers
can be compared. What is added to BM25: how much of the question a passage covers, whether its name says it,
whether words that belong together stand together, and whether it describes something public.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bm25s
import numpy as np

from examples.research.plan import Related, Statistics
from examples.research.text import STOP_WORDS, bigrams, stem, terms, words
from examples.research.thesaurus import synonyms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.research.passage import Passage
    from examples.research.plan import Aspect

__all__ = ["Hit", "Index"]

logging.getLogger("bm25s").setLevel(logging.INFO)  # it sets itself to DEBUG, and would fill every log

_GRAMMAR = re.compile(r"^.*::=.*(?:\n +\|.*)*$", re.MULTILINE)  # names words without saying anything of them
_CANDIDATES = 80  # so many of the best by BM25 are looked at closely
_FEEDBACK = 20  # so many of the best tell what stands near the question's words
_EXPLAINS = 1.5  # where an explanation is asked for, the language reference counts so much more
_VOICES = 3  # one module's passages, which often repeat each other, are heard so many times
_SPECIAL = frozenset(
    {
        "tkinter",
        "turtle",
        "curses",
        "idlelib",
        "xmlrpc",
        "imaplib",
        "smtpd",
        "asyncore",
        "asynchat",
        "nntplib",
    }
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    Attributes:
        passage: it.
        score: how well it fits; comparable between shares that were given the same statistics.
        coverage: how much of the aspect's core stands in it, by weight, from 0 to 1.
        in_context: the same of the whole question, where the aspect is a part of one; else 1.
    """

    passage: Passage
    score: float
    coverage: float
    in_context: float = 1.0


class Index:
    """A share of the corpus, ready to be searched.

    Args:
        passages: the share; their order decides ties.

    Raises:
        ValueError: there are no passages.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        if not passages:
            raise ValueError("there is nothing to search: the share holds no passages")
        self._passages = list(passages)
        self._titles = [terms(f"{one.source} {one.heading}") for one in passages]
        self._stems = [
            [*title, *title, *terms(one.signature), *terms(_GRAMMAR.sub("", one.text))]
            for one, title in zip(passages, self._titles, strict=True)
        ]
        self._frequency = Counter(term for stems in self._stems for term in set(stems))
        self._bm25 = bm25s.BM25(k1=1.2, b=0.6)
        self._bm25.index(self._stems, show_progress=False)

    def statistics(self, wanted: Sequence[str]) -> Statistics:
        """How common these stems are in this share."""
        return Statistics(len(self._passages), {term: self._frequency.get(term, 0) for term in wanted})

    def search(self, aspect: Aspect, statistics: Statistics, limit: int = 10) -> list[Hit]:
        """The best passages for an aspect, best first; those that hold none of its core are left out."""
        scores = self._scores(aspect.weights, statistics)
        order = np.lexsort((np.arange(len(scores)), -scores))[:_CANDIDATES]
        hits = [
            self._judge(int(place), float(scores[place]), aspect, statistics)
            for place in order
            if scores[place] > 0
        ]
        found = [hit for hit in hits if hit.coverage > 0]
        return sorted(found, key=lambda hit: (-hit.score, hit.passage.key))[:limit]

    def related(self, aspect: Aspect, limit: int = 40) -> list[Related]:
        """Words and pairs of words that stand often in the best passages for an aspect, but not in itself."""
        own = self.statistics(list(aspect.weights))
        best = self.search(aspect, own, _FEEDBACK)
        known = set(aspect.core) | {other for term in aspect.core for other in synonyms(term)}
        nearby: Counter[tuple[str, ...]] = Counter()
        labels: dict[tuple[str, ...], Counter[str]] = {}
        heard: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for hit in best:
            if hit.coverage < 0.5 or hit.score < 0.3 * best[0].score:
                continue
            home = hit.passage.source.partition(".")[0]
            for stems, label in _expressions(hit.passage.text).items():
                heard[home, stems] += 1
                if heard[home, stems] <= _VOICES and not known.issuperset(stems):
                    nearby[stems] += 1
                    labels.setdefault(stems, Counter())[label] += 1
        common = [(stems, count) for stems, count in nearby.most_common(limit * 4) if count > 1]
        return [
            Related(stems, labels[stems].most_common(1)[0][0], count, self._count(stems))
            for stems, count in common[:limit]
        ]

    def _count(self, stems: tuple[str, ...]) -> int:
        if len(stems) == 1:
            return self._frequency.get(stems[0], 0)
        return sum(1 for found in self._stems if stems[0] in found and stems in set(bigrams(found)))

    def _scores(
        self, weights: dict[str, float], statistics: Statistics
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """BM25 of every passage, each word weighed as the whole corpus has it rather than this share."""
        total = np.zeros(len(self._passages), dtype=np.float64)
        own = self.statistics(list(weights))
        for term, weight in weights.items():
            if self._frequency.get(term):
                total += weight * statistics.rarity(term) / own.rarity(term) * self._bm25.get_scores([term])
        return total

    def _judge(self, place: int, base: float, aspect: Aspect, statistics: Statistics) -> Hit:
        passage, stems, title = self._passages[place], self._stems[place], set(self._titles[place])
        present = set(stems)
        coverage = _coverage(aspect.core, present, statistics)
        in_context = _coverage(aspect.context, present, statistics) if aspect.context else 1.0
        named = _coverage(aspect.core, title, statistics)
        together = set(bigrams(stems))
        side_by_side = sum(pair in together for pair in aspect.phrases) / (len(aspect.phrases) or 1)
        if len(aspect.phrases) > 1 and not side_by_side:
            base *= 0.8
        is_it = (
            0.6 if set(terms(passage.source.rpartition(".")[2])) <= {*aspect.core, *aspect.context} else 0.0
        )
        score = base * (0.15 + 0.85 * coverage**2) * (0.1 + 0.9 * in_context)
        score *= (1 + 0.5 * named + 0.4 * side_by_side + is_it) * _standing(passage)
        if aspect.is_concept and passage.kind == "topic":
            score *= _EXPLAINS
        return Hit(passage, score, coverage, in_context)


def _coverage(wanted: Sequence[str], present: set[str], statistics: Statistics) -> float:
    """How much of `wanted` is `present`, rare words counting more and synonyms half; from 0 to 1."""
    total = covered = 0.0
    for term in wanted:
        rarity = statistics.rarity(term)
        total += rarity
        if term in present:
            covered += rarity
        elif any(other in present for other in synonyms(term)):
            covered += 0.5 * rarity
    return covered / total if total else 0.0


def _standing(passage: Passage) -> float:
    """How much a passage is likely to tell a reader, whatever the question."""
    value = 1.0
    if passage.is_private:
        value *= 0.6
    if passage.source.partition(".")[0] in _SPECIAL:
        value *= 0.6
    if len(passage.text) < 80:
        value *= 0.7
    if passage.kind == "topic" or (passage.kind == "docstring" and "." not in passage.source):
        value *= 1.15
    return value


def _expressions(text: str) -> dict[tuple[str, ...], str]:
    """The words and the pairs of neighbouring words of a text, stemmed, with how they are written."""
    found: dict[tuple[str, ...], str] = {}
    before: tuple[str, str] | None = None
    for word in words(text):
        lowered = word.lower()
        if (
            lowered in STOP_WORDS
            or len(word) < 3
            or not word.isalpha()
            or (lowered != word and not word.istitle())
        ):
            before = None
            continue
        stemmed = stem(lowered)
        found.setdefault((stemmed,), lowered)
        if before and before[0] != stemmed:
            found.setdefault((before[0], stemmed), f"{before[1]} {lowered}")
        before = stemmed, lowered
    return found
