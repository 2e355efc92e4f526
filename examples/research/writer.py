"""The writer: chooses among the quotes, checks each against its source, and writes the report.

    python -m examples.research.writer

Checking goes through `source.read`, which every researcher offers: the bridge gives each call to whoever is
free, and the writer asks again when a researcher is lost in the middle of one.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from examples.research import settings
from examples.research.events import (
    HELLO,
    PROGRESS,
    READ_SOURCE,
    WRITE_REPORT,
    Answer,
    Draft,
    Hello,
    Loss,
    Progress,
)
from examples.research.extract import Quote, Selection, holds, select
from examples.research.narrator import Extractive, Narrator, load, uncited
from examples.research.passage import Passage
from examples.research.plan import missing_words
from examples.research.report import Colophon, Gap, Section, Sources, gaps, render, sections
from examples.research.timing import Stopwatch
from loom import Agent, AgentGone, Context

if TYPE_CHECKING:
    from collections.abc import Sequence

agent = Agent("writer")

MOST_MORE = 12  # quotes for further reading that are checked; fewer are shown
AT_ONCE = 4  # sources that are read at the same time
CHECK_PART = 0.7  # of what is left of the deadline; what is not checked by then is told so
TRIES = 2  # how often a source is asked for when the researcher that reads it is lost


@agent.on(HELLO)
async def hello(ctx: Context) -> None:
    """Say that the writer is there."""
    await ctx.reply(Hello(agent=ctx.agent_id, process=os.getpid()))


@cache
def _narrator() -> Narrator:
    return load(settings.narrator())


@agent.capability(WRITE_REPORT, version="1.0", max_concurrency=1)
async def write_report(ctx: Context, draft: Draft) -> Answer:
    """Write the report of a draft into its file."""
    watch = Stopwatch()
    titles = [aspect.title for aspect in draft.plan.in_order]
    chosen = select(list(zip(titles, draft.findings, strict=True)))
    more = sorted((one for selection in chosen for one in selection.more), key=lambda one: -one.score)[
        :MOST_MORE
    ]
    checked = await _Checker(ctx, watch).check(chosen, more)
    sources = Sources()
    told = [
        (section, await _tell_section(draft.plan.question, section))
        for section in sections(checked.chosen, sources)
    ]
    lost = _losses(draft)
    holes = gaps(checked.chosen, missing_words(draft.plan, draft.statistics), lost, draft.plan.is_comparison)
    holes += checked.gaps
    text = render(draft.plan.question, told, checked.more, holes, sources, _colophon(draft, checked))
    path = await asyncio.to_thread(_save, Path(draft.out), text)
    await _tell(ctx, f"wrote {len(sources)} sources into {path.name}")
    return Answer(
        report=str(path),
        statements=sum(len(section.statements) for section, _ in told),
        sources=sources.names(),
        gaps=[hole.what for hole in holes],
        timings=watch.timings,
    )


class _Checker:
    """Reads the source of every quote again, and drops the quotes that it does not hold.

    Attributes:
        chosen: what is left of what was chosen.
        more: what is left of the further reading.
        gaps: what was dropped, or could not be checked.
        read: how many passages were read again.
    """

    def __init__(self, ctx: Context, watch: Stopwatch) -> None:
        self._ctx = ctx
        self._watch = watch
        self._free = asyncio.Semaphore(AT_ONCE)
        self.chosen: list[Selection] = []
        self.more: list[Quote] = []
        self.gaps: list[Gap] = []
        self.read = 0

    async def check(self, chosen: Sequence[Selection], more: Sequence[Quote]) -> _Checker:
        quotes = [*(quote for selection in chosen for quote in selection.quotes), *more]
        quoted = list(dict.fromkeys(quote.passage.key for quote in quotes))
        await _tell(self._ctx, f"checking {len(quoted)} passages against their sources")
        patience = None if self._ctx.remaining is None else CHECK_PART * self._ctx.remaining
        read = await self._ctx.gather(*map(self._text, quoted), timeout=patience)
        texts = {key: read.replies.get(number) for number, key in enumerate(quoted)}
        self.chosen = [
            replace(selection, quotes=tuple(one for one in selection.quotes if self._holds(one, texts)))
            for selection in chosen
        ]
        self.more = [one for one in more if self._holds(one, texts)]
        self.read = sum(text is not None for text in texts.values())
        if unread := len(texts) - self.read:
            self.gaps.append(
                Gap(f"{unread} of {len(texts)} passages could not be checked against their sources.")
            )
        return self

    async def _text(self, key: str, tries: int = TRIES) -> str:
        """The passage's text as its source has it now; empty where it is gone.

        Raises:
            LoomError: nobody could read it.
        """
        try:
            async with self._free:
                with self._watch.time("call", READ_SOURCE):
                    passage = await self._ctx.tool(READ_SOURCE, key=key, into=Passage | None)
        except AgentGone:  # the researcher was lost in the middle of it; another one may read it
            if tries == 1:
                raise
            return await self._text(key, tries - 1)
        return passage.text if passage else ""

    def _holds(self, quote: Quote, texts: dict[str, str | None]) -> bool:
        text = texts[quote.passage.key]
        if text is None or holds(text, quote):
            return True
        self.gaps.append(Gap(f"A quote of {quote.passage.source} was dropped: its source no longer says so."))
        return False


async def _tell_section(question: str, section: Section) -> str:
    """The section in the narrator's words; in quotes alone when it fails, or says what no source says."""
    plain = await Extractive().tell(question, section.title, section.statements)
    narrator = _narrator()
    if isinstance(narrator, Extractive) or not section.statements:
        return plain
    try:
        text = await narrator.tell(question, section.title, section.statements)
    except Exception as error:  # whatever a foreign narrator raises, the quotes are there
        return f"{plain}\n\n<!-- {narrator.name} failed: {type(error).__name__} -->"
    return (
        f"{plain}\n\n<!-- {narrator.name} said something without a source -->"
        if uncited(text, section.statements)
        else text
    )


def _losses(draft: Draft) -> list[str]:
    count = draft.shares[0].count
    return [_loss(loss, len(draft.shares), count) for loss in draft.losses]


def _loss(loss: Loss, answered: int, count: int) -> str:
    without = (
        f"{count - answered} of {count} shares of the corpus were"
        if loss.stage == "survey"
        else "its share was"
    )
    return (
        f"{loss.researcher} {loss.why}, when it was asked to {loss.stage} its share; "
        f"{without} not searched, and something may be missing."
    )


def _colophon(draft: Draft, checked: _Checker) -> Colophon:
    shares = draft.shares
    characters = sum(share.characters for share in shares)
    passages, documents = sum(share.passages for share in shares), sum(share.documents for share in shares)
    corpus = (
        f"From {passages:,} passages in {documents:,} documents "
        f"({characters / 1e6:.1f} million characters) of {shares[0].corpus}."
    )
    plan = draft.plan
    lines = [
        f"Looked for: {'; '.join(['the whole question', *(aspect.title for aspect in plan.aspects)])}.",
        f"Also searched for what stands near the question's words: {', '.join(plan.hints) or 'nothing'}.",
        *(
            f"Share {share.index}/{share.count}: {share.passages:,} passages read in {share.seconds:.1f} s."
            for share in sorted(shares, key=lambda share: share.index)
        ),
        f"{checked.read} passages were read again from their sources; what is quoted of them stands there.",
        f"Told by: {_narrator().name}.",
    ]
    if draft.asked_before:
        lines.append(f"The same question was asked before, at {draft.asked_before}.")
    earlier = tuple(f"{one.text} ({one.asked[:10]}): {one.report}" for one in draft.earlier)
    return Colophon(corpus, tuple(lines), earlier)


def _save(path: Path, text: str) -> Path:
    """Write the report as a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, "utf-8")
    return fresh.replace(path)


async def _tell(ctx: Context, text: str) -> None:
    await ctx.emit(PROGRESS, Progress(agent=ctx.agent_id, text=text))


if __name__ == "__main__":
    settings.end_with_parent()
    agent.run()
