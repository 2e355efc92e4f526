"""From a passage that was found to what is quoted of it, and from many quotes to the few worth reading. Pure.

A quote is word for word: one or two runs of whole sentences, and perhaps an example in code. Nothing is
rephrased, so every statement of a report can be checked against its source.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from examples.research.passage import Passage
from examples.research.text import heading_of, is_code, is_item, paragraphs, sentences, terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from examples.research.plan import Aspect, Statistics
    from examples.research.search import Hit

__all__ = ["Quote", "Selection", "holds", "quote", "select"]

LONGEST_RUN = 460  # characters of one run of sentences
SHORT_RUN = 170  # a shorter one is followed by what comes next
LONGEST_EXAMPLE = 12  # lines
_CURT = 140  # a quote of fewer characters says little
_ENOUGH = 0.45  # a quote that fits less than this share of the best one's score is left out
_IN_CONTEXT = 0.5  # so much of the question a passage of another module must hold
_AT_HOME = 1.3  # what stands in a module that speaks of the whole question counts so much more
_TOO_ALIKE = 0.75  # two quotes that share so much of their words say the same
_POOR_START = re.compile(
    r"^(?:changed in|note\b|\d+\.|[-*+•]|\||this (?:is|was|will)\b|"
    r"it\b|they\b|otherwise\b|however\b|but\b|and\b|:)",
    re.IGNORECASE,
)
_MEMBER = re.compile(r"^\w+(?:\.\w+)+(?:\(.*\))?$")  # the heading of a method's description
_ASIDE = re.compile(
    r"^(?:see also|see section|changed in version|new in version|deprecated since|xxx\b|\*\*pep|copyright)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """What is quoted of a passage.

    Attributes:
        passage: where it stands.
        runs: one or more runs of sentences, word for word but for white space. What is between them is left
            out. Each item of a list stands on a line of its own.
        example: code that stands with them, as it stands; empty where there is none.
        score: how well it fits: the passage's score, less where the quoted words are not to the point.
        coverage: how much of the aspect's core the passage holds, from 0 to 1.
        in_context: how much of the whole question it holds, from 0 to 1.
    """

    passage: Passage
    runs: tuple[str, ...]
    example: str
    score: float
    coverage: float
    in_context: float = 1.0

    @property
    def text(self) -> str:
        """The runs as one text, with a mark where something is left out."""
        return " […] ".join(self.runs)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is told about one aspect.

    Attributes:
        title: the aspect's.
        quotes: the best few, best first; empty when nothing was found.
        more: further quotes, for those who want to read on.
        repeated: quotes that fit, but say what was said for an aspect before.
    """

    title: str
    quotes: tuple[Quote, ...]
    more: tuple[Quote, ...] = ()
    repeated: tuple[Quote, ...] = ()


def quote(hit: Hit, aspect: Aspect, statistics: Statistics) -> Quote | None:
    """The best of a passage for an aspect; None when it holds no whole sentence."""
    value = _Value(aspect, statistics)
    blocks = paragraphs(hit.passage.text)
    best, at = _best_run(blocks, value)
    if not best or _ASIDE.match(best):
        return None
    runs = [best]
    lead = _lead(blocks)
    if at > 0 and lead and hit.passage.kind == "docstring":
        runs.insert(0, lead)
    if sum(map(len, runs)) < SHORT_RUN and (following := _next_run(blocks, at)):
        runs.append(following)
    to_the_point = value.core_in(f"{hit.passage.source} {' '.join(runs)}")
    score = hit.score * (0.4 + 0.6 * to_the_point) * (0.4 + 0.6 * min(1.0, sum(map(len, runs)) / _CURT))
    return Quote(hit.passage, tuple(runs), _example(blocks, at, value), score, hit.coverage, hit.in_context)


def holds(passage_text: str, quoted: Quote) -> bool:
    """Whether a passage really says, word for word, what is quoted of it."""
    whole = " ".join(passage_text.split())
    example = " ".join(quoted.example.split())
    return all(" ".join(run.split()) in whole for run in quoted.runs) and example in whole


def select(
    found: Sequence[tuple[str, Sequence[Quote]]], most: int = 3, most_code: int = 2
) -> list[Selection]:
    """For each aspect (its title, its quotes) the best few quotes that repeat nothing that was said before.

    Quotes are taken in the manner of maximal marginal relevance: fit, less likeness to what is already taken.
    """
    taken: list[Quote] = []
    chosen: list[Selection] = []
    homes = _homes(found)
    for title, quotes in found:
        quotes = [
            _at_home(one, homes) for one in quotes if one.in_context >= _IN_CONTEXT or _module(one) in homes
        ]
        ranked = sorted(quotes, key=lambda one: (-one.score, one.passage.key))
        mine, repeated = list[Quote](), list[Quote]()
        rest = [one for one in ranked if one.score >= _ENOUGH * ranked[0].score]
        while rest and len(mine) < most:
            best = max(rest, key=lambda one: one.score * (1 - _likeness(one, taken)))
            rest.remove(best)
            allow_code = sum(bool(one.example) for one in mine) < most_code
            fresh = _without_repeats(best, taken, allow_code=allow_code)
            if fresh is None or _likeness(fresh, taken) > _TOO_ALIKE:
                repeated.append(best)
            else:
                mine.append(fresh)
                taken.append(fresh)
        mine.sort(key=lambda one: (-one.score, one.passage.key))
        chosen.append(Selection(title, tuple(mine), tuple(rest), _said(repeated, taken)))
    return chosen


def _homes(found: Sequence[tuple[str, Sequence[Quote]]]) -> set[str]:
    """The modules that speak of the whole question; what is elsewhere must hold more of it to count."""
    whole = [one for _, quotes in found for one in quotes if one.in_context == 1.0]
    best = max((one.score for one in whole), default=0.0)
    return {_module(one) for one in whole if one.score >= _ENOUGH * best}


def _at_home(one: Quote, homes: set[str]) -> Quote:
    return replace(one, score=one.score * _AT_HOME) if one.in_context < 1.0 and _module(one) in homes else one


def _module(one: Quote) -> str:
    return one.passage.source.partition(".")[0]


def _said(repeated: Sequence[Quote], taken: Sequence[Quote]) -> tuple[Quote, ...]:
    """Of what would repeat, that whose passage is quoted already."""
    cited = {one.passage.key for one in taken}
    return tuple(one for one in repeated if one.passage.key in cited)


class _Value:
    """How much a piece of text says about an aspect."""

    def __init__(self, aspect: Aspect, statistics: Statistics) -> None:
        self._core = set(aspect.core)
        self._weights = {term: weight * statistics.rarity(term) for term, weight in aspect.weights.items()}

    def __call__(self, text: str) -> float:
        found = Counter(term for term in terms(text) if term in self._weights)
        worth = sum(self._weights[term] * (1 + 0.25 * min(count - 1, 2)) for term, count in found.items())
        return 0.5 + (worth if self._core.intersection(found) else 0.3 * worth)

    def core_in(self, text: str) -> float:
        """How many of the aspect's core words are in a text, from 0 to 1."""
        return len(self._core.intersection(terms(text))) / (len(self._core) or 1)


def _best_run(blocks: Sequence[tuple[int, str]], value: _Value) -> tuple[str, int]:
    """The best run of sentences and the number of its block; an empty text when there is none."""
    best, best_value, at = "", 0.0, 0
    for number, (_, block) in enumerate(blocks):
        if is_code(block) or heading_of(block):
            continue
        followed_by_code = number + 1 < len(blocks) and is_code(blocks[number + 1][1])
        for start, run in _runs(sentences(block)):
            worth = value(run) * (0.2 if _ASIDE.match(run) else 1.0)
            if number == 0 and start == 0:
                worth *= 1.3
            elif start == 0:
                worth *= 1.1
            if _POOR_START.match(run):
                worth *= 0.6
            if run.endswith(":") and not followed_by_code:
                worth *= 0.4
            if len(run) < 40:
                worth *= 0.7
            if worth > best_value:
                best, best_value, at = run, worth, number
    return best, at


def _runs(pieces: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Each run of neighbouring sentences that is not too long; one long sentence is a run all the same."""
    for start in range(len(pieces)):
        run = pieces[start]
        yield start, run
        for piece in pieces[start + 1 :]:
            run = f"{run}\n{piece}" if is_item(piece) else f"{run} {piece}"
            if len(run) > LONGEST_RUN:
                break
            yield start, run


def _next_run(blocks: Sequence[tuple[int, str]], at: int) -> str:
    """The beginning of the next paragraph of prose, to follow a run that is short."""
    for _, block in blocks[at + 1 :]:
        if is_code(block):
            continue
        if heading_of(block) or _ASIDE.match(block):
            break
        first = [run for start, run in _runs(sentences(block)) if start == 0]
        return "" if first[-1].endswith(":") else first[-1]
    return ""


def _lead(blocks: Sequence[tuple[int, str]]) -> str:
    """The first sentence of a docstring, which says what the thing is."""
    first = blocks[0][1]
    if is_code(first) or heading_of(first):
        return ""
    lead = sentences(first)[0]
    return lead if 15 <= len(lead) <= 200 and lead[0].isupper() and not lead.endswith(":") else ""


def _example(blocks: Sequence[tuple[int, str]], at: int, value: _Value) -> str:
    """The code that follows the quoted block, or the code of the passage that fits best."""
    best, best_value = "", 0.0
    for number, (_, block) in enumerate(blocks):
        if not _is_example(block):
            continue
        worth = value(block) * (1.5 if number == at + 1 else 1.0)
        if worth > best_value:
            best, best_value = block, worth
    return _shortened(textwrap.dedent(best).strip("\n"))


def _is_example(block: str) -> bool:
    if not is_code(block) or "::=" in block or _MEMBER.match(block.strip()):
        return False
    fenced = block.lstrip().startswith(("```", "~~~"))
    return ">>>" in block or fenced or any(mark in block for mark in ("(", " = ", "import "))


def _shortened(example: str) -> str:
    """A long doctest is cut before a prompt; other long code cannot be cut and is left out."""
    lines = example.splitlines()
    if len(lines) <= LONGEST_EXAMPLE:
        return example
    cuts = [
        number
        for number, line in enumerate(lines[: LONGEST_EXAMPLE + 1])
        if number and line.startswith(">>>")
    ]
    return "\n".join(lines[: cuts[-1]]) if cuts else ""


def _likeness(one: Quote, others: Sequence[Quote]) -> float:
    own = set(terms(one.runs[-1]))
    most = 0.0
    for other in others:
        words = set(terms(other.text))
        shared = len(own & words) / (min(len(own), len(words)) or 1)
        most = max(most, shared, 0.25 if one.passage.source == other.passage.source else 0.0)
    return most


def _without_repeats(one: Quote, taken: Sequence[Quote], allow_code: bool) -> Quote | None:
    """The quote less the runs and the code that were quoted before."""
    said = [run for other in taken for run in other.runs]
    runs = tuple(run for run in one.runs if not any(run in before for before in said))
    if not runs:
        return None
    repeated = any(one.example == other.example for other in taken)
    example = one.example if allow_code and not repeated else ""
    return replace(one, runs=runs, example=example)
