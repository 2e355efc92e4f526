"""The report: which source has which number, what was not found, and all of it as Markdown. Pure.

Every statement cites its source by number; the sources stand at the end with their places. A report says what
it did not find, and what was not searched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from examples.research.narrator import Statement
from examples.research.plan import WHOLE
from examples.research.text import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.research.extract import Quote, Selection
    from examples.research.passage import Passage

__all__ = ["Colophon", "Gap", "Section", "Sources", "gaps", "render", "sections"]

_WEAK = 0.5  # an aspect whose best quote covers less of it was hardly found
_MOST_MORE = 6
_CODE_SPAN = re.compile(r"(`+[^`]+`+)")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?=\S)([^*]+?)(?<=\S)\1(?![\w*])")
_SPECIAL = re.compile(r"([\\_<\[\]#|])")


class Sources:
    """The numbered list of sources: a passage gets a number when it is first cited."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._passages: list[Passage] = []

    def __len__(self) -> int:
        return len(self._passages)

    def number(self, passage: Passage) -> int:
        """The passage's number, from 1."""
        if passage.key not in self._numbers:
            self._passages.append(passage)
            self._numbers[passage.key] = len(self._passages)
        return self._numbers[passage.key]

    def cites(self, source: str) -> bool:
        """Whether anything of this name is cited already."""
        return any(passage.source == source for passage in self._passages)

    def names(self) -> list[str]:
        """What is cited, in the order of the numbers."""
        return [passage.source for passage in self._passages]

    def listed(self) -> str:
        """The list, as Markdown."""
        return "\n".join(
            f"{number}. {_title(passage)}: {passage.place}"
            for number, passage in enumerate(self._passages, 1)
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the report cannot tell.

    Attributes:
        what: one sentence.
        is_serious: whether the whole answer may be wrong for it.
    """

    what: str
    is_serious: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One aspect, with its sources numbered.

    Attributes:
        title: its heading.
        statements: what is told; may be empty.
        above: numbers of sources that say it and were quoted before.
    """

    title: str
    statements: tuple[Statement, ...]
    above: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Colophon:
    """How a report was made.

    Attributes:
        corpus: what was searched, in a few words.
        lines: facts of the making, one each.
        earlier: earlier questions and where their reports are, one line each.
    """

    corpus: str
    lines: tuple[str, ...] = ()
    earlier: tuple[str, ...] = field(default_factory=tuple)


def sections(chosen: Sequence[Selection], sources: Sources) -> list[Section]:
    """Number what was chosen. An aspect whose passages were all quoted before points to them."""
    made: list[Section] = []
    for selection in chosen:
        statements = tuple(_statement(quote, sources) for quote in selection.quotes)
        above = (
            ()
            if statements
            else tuple(sorted({sources.number(quote.passage) for quote in selection.repeated}))
        )
        if statements or above:
            made.append(Section(_heading(selection.title), statements, above))
    return made


def gaps(
    chosen: Sequence[Selection], absent: Sequence[str], missing: Sequence[str], is_comparison: bool = False
) -> list[Gap]:
    """What the report cannot tell.

    Args:
        chosen: what was selected for each aspect; the last one of a comparison is about both sides together.
        absent: words of the question that stand nowhere in the corpus.
        missing: researchers that did not answer, each with what was lost, one sentence each.
        is_comparison: whether two things are set side by side.
    """
    found = [Gap(sentence, is_serious=True) for sentence in missing]
    found += [Gap(f'The word "{word}" stands nowhere in what was searched.') for word in absent]
    best = [max((quote.coverage for quote in (*one.quotes, *one.repeated)), default=0.0) for one in chosen]
    if not any(best):
        return [*found, Gap("Nothing that was searched speaks of this question.", is_serious=True)]
    if is_comparison and best[-1] <= _WEAK:
        found.append(Gap("No passage was found that speaks of both together; compare what is said of each."))
        chosen, best = chosen[:-1], best[:-1]
    if max(best) < _WEAK:
        found.append(
            Gap("No passage speaks of more than half of the question; what follows is only near it.", True)
        )
    parts = [(one, value) for one, value in zip(chosen, best, strict=True) if one.title != WHOLE]
    for selection, coverage in parts:
        if coverage == 0.0:
            found.append(Gap(f'Nothing was found about "{selection.title}".'))
        elif coverage < _WEAK:
            found.append(
                Gap(f'Little was found about "{selection.title}": no passage holds all of its words.')
            )
    return found


def render(
    question: str,
    told: Sequence[tuple[Section, str]],
    more: Sequence[Quote],
    holes: Sequence[Gap],
    sources: Sources,
    colophon: Colophon,
) -> str:
    """The report as Markdown.

    Args:
        question: as it was asked.
        told: each section with its text, from a narrator.
        more: quotes for further reading, best first.
        holes: what was not found.
        sources: the numbers; further reading is numbered here.
        colophon: how it was made.
    """
    parts = [
        f"# {question}",
        f"*{colophon.corpus} Every statement is quoted word for word; its number leads to its source.*",
    ]
    parts += [f"> **Mind:** {gap.what}" for gap in holes if gap.is_serious]
    for section, text in told:
        body = (
            text
            if section.statements
            else f"Said above: {', '.join(f'[{number}]' for number in section.above)}."
        )
        parts += [f"## {section.title}", body]
    if further := _further(more, sources):
        parts += ["## Read on", "\n".join(further)]
    parts.append("## What was not found")
    parts.append("\n".join(f"- {gap.what}" for gap in holes) or "Every part of the question was found.")
    parts += ["## Sources", sources.listed() or "None."]
    parts.append("## How this was made")
    parts.append("\n".join(f"- {line}" for line in colophon.lines))
    if colophon.earlier:
        parts += ["### Asked before", "\n".join(f"- {line}" for line in colophon.earlier)]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Plain text as Markdown: what is not meant as Markdown is shown as written; emphasis and code stay."""
    pieces = _CODE_SPAN.split(text)
    return "".join(piece if number % 2 else _escape_prose(piece) for number, piece in enumerate(pieces))


def _escape_prose(text: str) -> str:
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(f"{found[1]}{_SPECIAL.sub(_BACKSLASH, found[2])}{found[1]}")
        return f"\0{len(kept) - 1}\0"

    text = _EMPHASIS.sub(keep, text)
    text = _SPECIAL.sub(_BACKSLASH, text).replace("*", "\\*")
    return re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], text)


_BACKSLASH = r"\\\1"


def _statement(quote: Quote, sources: Sources) -> Statement:
    passage = quote.passage
    name = f"{passage.source}{passage.signature}" if passage.kind == "docstring" else ""
    text = " […] ".join(_listed(run, is_markdown=passage.kind == "text") for run in quote.runs)
    return Statement(
        sources.number(passage), name, escape(passage.heading or passage.source), text, quote.example
    )


def _listed(run: str, is_markdown: bool) -> str:
    """A run with the items of a list as a Markdown list."""
    first, *items = (line if is_markdown else escape(line) for line in run.split("\n"))
    if not items:
        return first
    return "\n".join([first, *(item if item.startswith(("- ", "* ")) else f"- {item}" for item in items)])


def _further(more: Sequence[Quote], sources: Sources) -> list[str]:
    lines: list[str] = []
    for quote in more:
        passage = quote.passage
        if len(lines) < _MOST_MORE and not sources.cites(passage.source):
            first = sentences(quote.runs[0])[0]
            said = f" {escape(first)}" if len(first) <= 160 else ""
            lines.append(f"- {_title(passage)}:{said} [{sources.number(passage)}]")
    return lines


def _title(passage: Passage) -> str:
    if passage.kind == "docstring":
        return f"`{passage.source}`"
    return f"{passage.source}, {escape(passage.heading)}" if passage.heading else passage.source


def _heading(title: str) -> str:
    return title if title[:1].isupper() else f"{title[:1].upper()}{title[1:]}"
