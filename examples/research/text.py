"""Words and sentences: how text is cut before it is indexed, ranked or quoted. Pure.

A word is kept as its English stem (`running` -> `run`), so that a question finds its answer in another form.
An identifier counts as itself and as its parts: `capture_output` is also `capture` and `output`, and
`ThreadPoolExecutor` is also `thread`, `pool` and `executor`.
"""

from __future__ import annotations

import ast
import keyword
import re
import textwrap
import warnings
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import Stemmer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "STOP_WORDS",
    "bigrams",
    "heading_of",
    "is_code",
    "paragraphs",
    "is_item",
    "is_python",
    "sentences",
    "stem",
    "terms",
    "words",
]

_STOP_WORDS = """
a about above after again against ain all already also although always am among an and any are aren as at
be because been before being below between both but by can could couldn d did didn do does doesn doing don
down during each eg either etc ever few for from further had hadn has hasn have haven having he hence her
here hers herself him himself his how however i ie if in instead into is isn it its itself just ll m ma
may me might mightn more most must mustn my myself needn neither never no nor not now o of off often on
once only or other our ours ourselves out over own per quite rather re s same shall shan she should
shouldn since so some still such t than that the their theirs them themselves then there therefore these
they this those though through thus to too under unless until up upon usually ve versus very via vs was
wasn we were weren what when where whether which while who whom why will with within without won would
wouldn y yet you your yours yourself yourselves
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that say nothing about what a text is about."""

_WORD = re.compile(r"[^\W\d]\w*|\d+(?:\.\d+)*")
_SMALL_WORDS = STOP_WORDS - set(keyword.kwlist)

_QUOTED = re.compile(r"[\"'`\u201c\u2018]([a-z]{1,9})[\"'`\u201d\u2019]")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,2}[.)])\s+")
_ITEM = re.compile(r"^\s*(?:[-*+•]\s|\d{1,2}[.)]\s|[*`]{0,2}\w+[*`]{0,2}(?:\([^)]*\))?\s*(?::|--)\s)")
_CODE_START = re.compile(
    r"^\s*(?:import\s|from\s|for\s|while\s|with\s|def\s|class\s|if\s|try:|async\s|await\s|@|[\w.]+\s*[=(])"
)
_HEADING_RULE = re.compile(r"^([=*\-~^\"#+])\1{2,}$")
_SENTENCE_END = re.compile(
    r"(?<=[.!?])[\"')\]\u201d\u2019`]*\s+(?=[\"'(\[\u201c\u2018`*]*[A-Z0-9_*`\"\u201c])"
)
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|resp|approx|fig|no|sec|Mr|Dr|St)|\b[A-Z])\.$")

_stemmer = Stemmer.Stemmer("english")


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The English stem of one lower-case word."""
    return str(_stemmer.stemWord(word))


def words(text: str) -> list[str]:
    """The words of `text` as they stand, identifiers whole."""
    return _WORD.findall(text)


def terms(text: str) -> list[str]:
    """The stems that `text` is indexed and searched by: no stop words, identifiers whole and in parts.

    A stop word that stands in quotation marks is a word of the language described, and becomes a term
    with its marks: `the "with" statement` is `"with"` and `statement`.
    """
    found = [term for word in _WORD.findall(text) for term in _terms_of(word)]
    found += [f'"{word}"' for word in _QUOTED.findall(text) if word in STOP_WORDS]
    return found


@lru_cache(maxsize=200_000)
def _terms_of(word: str) -> tuple[str, ...]:
    lowered = word.lower().strip("_")
    if not lowered or (len(lowered) == 1 and not lowered.isdigit()):
        return ()
    parts = [part.lower() for part in _PART.findall(word)]
    if len(parts) < 2 or word[0].isdigit():
        return () if lowered in STOP_WORDS else (stem(lowered),)
    return (lowered, *(stem(part) for part in parts if len(part) > 1 and part not in STOP_WORDS))


def bigrams(stems: list[str]) -> Iterator[tuple[str, str]]:
    """Each pair of neighbours in `stems`."""
    return pairwise(stems)


def is_code(paragraph: str) -> bool:
    """Whether a paragraph is code: a doctest, fenced, indented, or Python as it stands; also a drawing."""
    lines = [line for line in paragraph.splitlines() if line.strip()]
    if not lines:
        return False
    if lines[0].lstrip().startswith((">>>", "```", "~~~")) or "::=" in paragraph or _is_drawing(paragraph):
        return True
    if _CODE_START.match(lines[0]) and is_python(paragraph):
        return True
    indented = all(line.startswith(("    ", "\t", "   ")) for line in lines)
    return indented and not _reads_as_prose(paragraph)


def is_python(paragraph: str) -> bool:
    """Whether a paragraph can be read as Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # prose may look like a bad escape
            ast.parse(textwrap.dedent(paragraph))
    except (SyntaxError, ValueError):
        return False
    return True


def _is_drawing(paragraph: str) -> bool:
    """Whether a paragraph is a picture or a table made of characters."""
    dense = "".join(paragraph.split())
    return sum(dense.count(mark) for mark in "+-|=_*~^<>#") > len(dense) / 4


def _reads_as_prose(paragraph: str) -> bool:
    """Whether an indented paragraph is a note or a list item, not code: it has the small words of English."""
    text = paragraph.split()
    small = sum(word.strip("\"'(),.;:").lower() in _SMALL_WORDS for word in text)
    return bool(_BULLET.match(paragraph)) or (len(text) >= 6 and small >= len(text) / 6)


def paragraphs(text: str) -> list[tuple[int, str]]:
    """The paragraphs of `text`, each with the number of its first line (from 0); fenced code stays whole.

    A heading and the rule under it, or a Markdown heading, is a paragraph of its own.
    """
    found: list[tuple[int, str]] = []
    start, block, fence = 0, list[str](), ""

    def close(number: int) -> None:
        nonlocal block, start
        if block:
            found.append((start, "\n".join(block)))
        block, start = [], number

    for number, line in enumerate(text.splitlines()):
        stripped = line.strip()
        if fence:
            block.append(line)
            if stripped.startswith(fence):
                fence = ""
                close(number + 1)
        elif stripped.startswith(("```", "~~~")):
            close(number)
            fence = stripped[:3]
            block.append(line)
        elif not stripped:
            close(number + 1)
        elif line.startswith("#") and line.lstrip("#").startswith(" "):
            close(number)
            block.append(line)
            close(number + 1)
        else:
            if not block:
                start = number
            block.append(line)
            if len(block) == 2 and _HEADING_RULE.match(stripped):
                close(number + 1)
    close(0)
    return found


def heading_of(paragraph: str) -> str:
    """The heading that a paragraph of `paragraphs` is, or an empty string when it is text."""
    lines = paragraph.splitlines()
    if len(lines) == 1 and lines[0].startswith("#"):
        return lines[0].strip("# \t")
    if (
        len(lines) == 2
        and _HEADING_RULE.match(lines[1].strip())
        and not _HEADING_RULE.match(lines[0].strip())
    ):
        return lines[0].strip()
    return ""


def sentences(paragraph: str) -> list[str]:
    """The sentences of one paragraph of prose, its lines joined; abbreviations do not end one.

    In a list each item begins a sentence: `- first`, `2. second`, `name: what it is`.
    """
    items: list[list[str]] = []
    for line in paragraph.splitlines():
        if not items or _ITEM.match(line):
            items.append([])
        items[-1].append(line)
    return [sentence for item in items for sentence in _sentences_of(" ".join(" ".join(item).split()))]


def is_item(sentence: str) -> bool:
    """Whether a sentence begins an item of a list."""
    return bool(_ITEM.match(sentence))


def _sentences_of(text: str) -> list[str]:
    found: list[str] = []
    for piece in _split_at_ends(text):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return found


def _split_at_ends(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield text[start : end.end()].strip()
        start = end.end()
    if text[start:].strip():
        yield text[start:].strip()
