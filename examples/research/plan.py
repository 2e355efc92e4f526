"""From a question to what is looked for: its aspects, their words, and how much each word weighs. Pure.

A question is cut at prepositions and conjunctions into phrases ("run a subprocess", "a timeout", "capture its
output"); each phrase is an aspect, looked for in the light of the others. A comparison has its two sides as
aspects. A question of one phrase gets further aspects from the corpus: what is often said near it.
"""

from __future__ import annotations

import keyword
import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from examples.research.text import STOP_WORDS, bigrams, stem, terms, words
from examples.research.thesaurus import synonyms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Aspect", "Plan", "Related", "Statistics", "WHOLE", "missing_words", "plan", "refine"]

# A phrase ends before these.
_BREAK_WORDS = """
and or but with without in on from to for by into onto over under after before during between as at than
then when while if because so that which who about via using against across per vs versus instead rather
"""
_BREAKS = frozenset(_BREAK_WORDS.split())
# These stand within a phrase and say nothing.
_FILLER_WORDS = """
a an the of its my your our their his her this these those some any all each every one
"""
_FILLERS = frozenset(_FILLER_WORDS.split())
# What questions are made of. They count only where nothing else is left.
_GENERAL_WORDS = """
work use used using need want way best good difference different differ mean thing example explain tell
describe please possible happen python know compare comparison kind type exactly really actually properly
correctly see simple simply easy easily many much like get make let say called
"""
_GENERAL = frozenset(stem(word) for word in _GENERAL_WORDS.split())
_COMPARISONS = (
    re.compile(r"\bdifferences?\s+between\s+(?P<left>.+?)\s+and\s+(?P<right>.+)", re.IGNORECASE),
    re.compile(r"\bcompare\s+(?P<left>.+?)\s+(?:and|with|to)\s+(?P<right>.+)", re.IGNORECASE),
    re.compile(
        r"\bhow\s+(?:does|do|is|are)\s+(?P<left>.+?)\s+(?:differ(?:ent)?)\s+from\s+(?P<right>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:use|using|prefer|choose)\s+(?P<left>.+?)\s+(?:instead\s+of|rather\s+than|over|or)\s+(?P<right>.+)",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<left>[\w.\s-]+?)\s+(?:vs\.?|versus)\s+(?P<right>[\w.\s-]+)", re.IGNORECASE),
)
_CONCEPT = re.compile(
    r"^\s*(?:what\s+(?:is|are|does|do)|why|explain|how\s+(?:does|is|are|do\s+(?!i\b|you\b|we\b))|"
    r"how\s+(?:do|can|should)\s+\w+\s+(?:make|write|define|implement|create)\s+my\s+own)",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"\b(?P<word>[a-z]+)\s+(?:statement|keyword|loop|clause|block|expression|operator)s?\b"
)
_QUESTION_WORDS = re.compile(
    r"^\s*(?:how|what|why|when|where|which|who|can|could|should|would|does|do|did|is|are|was|will|i|you|we|one|"
    r"it|there|be)\b(?:'s|'re)?\s*",
    re.IGNORECASE,
)
WHOLE = "In short"
"""The title of the question as a whole."""

MOST_ASPECTS = 4
"""So many beside the question as a whole; more would say the same again."""

_MOST_RELATED = 2  # so many aspects are taken from the corpus rather than from the question
_OFTEN = 3  # a pair of words in so many of the best passages is worth a look of its own,
_SPECIFIC = 0.013  # unless it stands in more than this share of all passages
_HINTS, _HINT = 6, 0.2  # so many words that stand near the question's are searched with it, at this weight
_COMMON = 0.02  # a word in more than this share of all passages says too little to be an aspect by itself


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing to look for.

    Attributes:
        title: what it is called in the report.
        core: the stems it is about, in order.
        weights: every stem that is searched, core or not, with its weight (1 for the core).
        phrases: pairs of core stems that belong side by side.
        context: the stems of the whole question that this is a part of; empty for the whole.
        is_concept: whether an explanation is asked for rather than a recipe.
    """

    title: str
    core: tuple[str, ...]
    weights: dict[str, float] = field(default_factory=dict)
    phrases: tuple[tuple[str, str], ...] = ()
    context: tuple[str, ...] = ()
    is_concept: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked for.

    Attributes:
        question: as it was asked.
        whole: the question as one aspect.
        aspects: its parts; empty when it has only one.
        is_comparison: whether the first two aspects are to be set side by side.
        hints: words that stand near the question's, as they are written, and are searched with it.
    """

    question: str
    whole: Aspect
    aspects: tuple[Aspect, ...] = ()
    is_comparison: bool = False
    hints: tuple[str, ...] = ()

    @property
    def in_order(self) -> tuple[Aspect, ...]:
        """Every aspect as a report tells them: the whole first, but after the sides of a comparison."""
        return (*self.aspects, self.whole) if self.is_comparison else (self.whole, *self.aspects)

    @property
    def terms(self) -> list[str]:
        """Every stem of every aspect, once, in order."""
        found = [term for aspect in (self.whole, *self.aspects) for term in (*aspect.core, *aspect.weights)]
        return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Statistics:
    """How common words are in everything that is searched.

    Attributes:
        passages: how many passages there are.
        frequency: in how many of them each stem stands.
    """

    passages: int
    frequency: dict[str, int]

    def rarity(self, term: str) -> float:
        """The inverse document frequency of a stem: 0 or more, larger for rarer words."""
        found = self.frequency.get(term, 0)
        return math.log(1 + (self.passages - found + 0.5) / (found + 0.5))

    @classmethod
    def merge(cls, parts: Iterable[Statistics]) -> Statistics:
        """The statistics of several shares together."""
        passages, frequency = 0, dict[str, int]()
        for part in parts:
            passages += part.passages
            for term, count in part.frequency.items():
                frequency[term] = frequency.get(term, 0) + count
        return cls(passages, frequency)


@dataclass(frozen=True, slots=True)
class Related:
    """A word or pair of words that stands often where the question's words stand.

    Attributes:
        stems: its stems, one or two.
        label: how it is usually written.
        nearby: in how many of the best passages it stands.
        overall: in how many passages in all.
    """

    stems: tuple[str, ...]
    label: str
    nearby: int
    overall: int

    @classmethod
    def merge(cls, parts: Iterable[Related]) -> list[Related]:
        """What several shares found, each expression once."""
        found: dict[tuple[str, ...], Related] = {}
        for one in parts:
            known = found.get(one.stems)
            found[one.stems] = (
                replace(known, nearby=known.nearby + one.nearby, overall=known.overall + one.overall)
                if known
                else one
            )
        return list(found.values())


def plan(question: str) -> Plan:
    """Cut a question into aspects.

    Raises:
        ValueError: the question has no word that could be searched.
    """
    text = _quote_statements(" ".join(question.split()))
    sides = _sides(text)
    phrases = _phrases(text)
    core = tuple(dict.fromkeys(term for phrase in phrases for term in _content(phrase)))
    if not core:
        core = tuple(dict.fromkeys(terms(question)))
    if not core:
        raise ValueError("the question has no word to search for; ask with at least one noun or verb")
    title = "Both together" if sides else WHOLE
    whole = replace(_aspect(title, core, (), phrases), is_concept=bool(_CONCEPT.match(text)))
    if sides:
        parts = [_aspect(title, tuple(_content(title)), core, (title,)) for title in sides]
    else:
        parts = [_aspect(phrase, tuple(_content(phrase)), core, (phrase,)) for phrase in phrases]
        parts = [] if len(parts) < 2 else parts
    return Plan(" ".join(question.split()), whole, tuple(parts[:MOST_ASPECTS]), is_comparison=bool(sides))


def refine(first: Plan, statistics: Statistics, related: Sequence[Related]) -> Plan:
    """Weigh a plan by what the corpus holds: drop what is everywhere or nowhere, add what stands nearby."""
    ranked = sorted(related, key=lambda one: (-_nearness(one, statistics), one.label))
    hints = [one for one in ranked if len(one.stems) == 1 and one.stems[0] not in _GENERAL][:_HINTS]
    whole = _weigh(first.whole, {one.stems[0]: _HINT for one in hints}, statistics)
    parts = [_weigh(aspect, {}, statistics) for aspect in first.aspects]
    if not first.is_comparison:
        parts = [aspect for aspect in parts if _is_telling(aspect, statistics)]
    if len(parts) < 2 and not first.is_comparison:
        parts += [
            _from_related(one, first.whole, statistics)
            for one in _spread(ranked, first.whole, statistics.passages)
        ]
    return replace(first, whole=whole, aspects=tuple(parts), hints=tuple(one.label for one in hints))


def missing_words(planned: Plan, statistics: Statistics) -> list[str]:
    """The question's words, as they were asked, that stand nowhere in the corpus, nor any synonym of them."""
    absent: list[str] = []
    for word in words(planned.question):
        for term in terms(word):
            known = any(statistics.frequency.get(one) for one in (term, *synonyms(term)))
            if term in planned.whole.core and not known and word not in absent:
                absent.append(word)
    return absent


def _quote_statements(text: str) -> str:
    """Put marks round the keyword in `the with statement`, lest it be taken for a word that says nothing."""

    def quoted(found: re.Match[str]) -> str:
        word = found["word"]
        return (
            found[0].replace(word, f'"{word}"', 1)
            if keyword.iskeyword(word) and word in STOP_WORDS
            else found[0]
        )

    return _STATEMENT.sub(quoted, text)


def _sides(text: str) -> list[str]:
    """The two things that are compared; `a thread and a process pool` are thread pool and process pool."""
    for pattern in _COMPARISONS:
        found = pattern.search(text)
        if found is None:
            continue
        left, right = (_trim(found[side].split("?")[0]) for side in ("left", "right"))
        first, second = _content(left), _content(right)
        if not first or not second or first == second:
            continue
        if len(first) == 1 and len(second) == 2 and first[0] not in second:
            left = f"{left} {right.split()[-1]}"
        return [left, right]
    return []


def _phrases(text: str) -> list[str]:
    """The phrases of a question, in order, as they are written."""
    rest = text
    while (shorter := _QUESTION_WORDS.sub("", rest, count=1)) != rest:
        rest = shorter
    found: list[list[str]] = [[]]
    tokens = re.findall(r"\"\w+\"|[\w][\w.'-]*|[,;:?!]", rest)
    for number, token in enumerate(tokens):
        if token.lower() in {"and", "or"} and _shares_object(found[-1], tokens[number + 1 :]):
            found[-1].append(token)
        elif token in ",;:?!" or token.lower() in _BREAKS:
            found.append([])
        else:
            found[-1].append(token.rstrip(".'"))
    phrases = (_trim(" ".join(tokens)) for tokens in found)
    return list(dict.fromkeys(phrase for phrase in phrases if _content(phrase)))


def _shares_object(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether two verbs share what follows, as in `read and write CSV files`: then it is one phrase."""
    if (
        len(before) != 1
        or len(after) < 2
        or any(token.lower() in STOP_WORDS for token in (*before, *after[:2]))
    ):
        return False
    return after[1] not in ",;:?!"


def _trim(phrase: str) -> str:
    """A phrase without the empty words at its ends."""
    tokens = phrase.split()
    while tokens and (tokens[0].lower() in _FILLERS or tokens[0].lower() in STOP_WORDS):
        tokens.pop(0)
    while tokens and (tokens[-1].lower() in STOP_WORDS or stem(tokens[-1].lower()) in {"work", "mean"}):
        tokens.pop()
    return " ".join(tokens)


def _content(phrase: str) -> list[str]:
    return [term for term in dict.fromkeys(terms(phrase)) if term not in _GENERAL]


def _aspect(title: str, core: tuple[str, ...], context: Sequence[str], phrases: Sequence[str]) -> Aspect:
    weights = dict.fromkeys(core, 1.0)
    for term in context:
        weights.setdefault(term, 0.3)
    for term in core:
        for other in synonyms(term):
            weights.setdefault(other, 0.45)
    pairs = dict.fromkeys(pair for phrase in phrases for pair in bigrams(_content(phrase)))
    return Aspect(title, core, weights, tuple(pairs), tuple(context))


def _weigh(aspect: Aspect, hints: Mapping[str, float], statistics: Statistics) -> Aspect:
    """Words that stand nowhere are dropped from the weights; hints are added."""
    weights = {term: weight for term, weight in aspect.weights.items() if statistics.frequency.get(term)}
    return replace(aspect, weights={**hints, **weights})


def _nearness(one: Related, statistics: Statistics) -> float:
    rarity = math.log(1 + statistics.passages / (1 + one.overall))
    return one.nearby * rarity * (1.4 if len(one.stems) == 2 else 1.0)


def _is_telling(aspect: Aspect, statistics: Statistics) -> bool:
    """Whether an aspect stands in the corpus at all, and is more than one word that stands everywhere."""
    known = [count for term in aspect.core if (count := statistics.frequency.get(term, 0))]
    return len(known) > 1 or (len(known) == 1 and known[0] <= max(3, _COMMON * statistics.passages))


def _spread(ranked: Sequence[Related], whole: Aspect, passages: int) -> list[Related]:
    """The best few pairs of words that repeat neither each other nor the question."""
    chosen: list[Related] = []
    taken = set(whole.core) | _GENERAL
    for one in ranked:
        if one.overall > max(_OFTEN, _SPECIFIC * passages) or one.nearby < _OFTEN:
            continue
        if len(one.stems) == 2 and not taken.intersection(one.stems):
            chosen.append(one)
            taken.update(one.stems)
        if len(chosen) == _MOST_RELATED:
            break
    return chosen


def _from_related(one: Related, whole: Aspect, statistics: Statistics) -> Aspect:
    weights = dict.fromkeys(one.stems, 1.0)
    for term in whole.core:
        if statistics.frequency.get(term):
            weights.setdefault(term, 0.7)
    return Aspect(one.label, one.stems, weights, tuple(bigrams(list(one.stems))), whole.core)
