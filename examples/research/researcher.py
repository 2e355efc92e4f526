"""A researcher: reads its share of the corpus, says what it holds, searches it, and reads out sources.

RESEARCH_SHARE=1/2 python -m examples.research.researcher
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import cache

from examples.research import corpus, settings
from examples.research.corpus import Library
from examples.research.events import (
    HELLO,
    PROGRESS,
    READ_SOURCE,
    SEARCH,
    SURVEY,
    Findings,
    Hello,
    Progress,
    Search,
    Share,
    Survey,
    Surveyed,
)
from examples.research.extract import Quote, quote
from examples.research.passage import Passage
from examples.research.search import Index
from loom import Agent, Context

agent = Agent(settings.name("researcher"))

PER_ASPECT = 10  # quotes that each researcher offers for an aspect


class Desk:
    """A researcher's share, read and indexed."""

    def __init__(self) -> None:
        started = time.perf_counter()
        index, count = settings.share()
        library = Library.load(settings.folder(), index, count)
        self.index = Index(library.passages)
        self.share = Share(
            corpus=settings.corpus_name(settings.folder()),
            index=index,
            count=count,
            documents=library.documents,
            passages=len(library.passages),
            characters=library.characters,
            seconds=time.perf_counter() - started,
        )


@cache
def _reading() -> asyncio.Task[Desk]:
    """The share is read once, beside the event loop, which goes on answering."""
    return asyncio.create_task(asyncio.to_thread(Desk))


@agent.on(HELLO)
async def hello(ctx: Context) -> None:
    """Say that this researcher is there, and begin to read."""
    _reading()
    await ctx.reply(Hello(agent=ctx.agent_id, process=os.getpid()))


@agent.on(SURVEY)
async def survey(ctx: Context, wanted: Survey) -> None:
    """Say how much was read, how common the question's words are in it, and what stands near them."""
    desk = await _reading()
    await _tell(ctx, f"read {desk.share.passages} passages in {desk.share.seconds:.1f} s")
    related = desk.index.related(wanted.whole)
    stems = dict.fromkeys([*wanted.terms, *(stem for one in related for stem in one.stems)])
    await ctx.reply(
        Surveyed(share=desk.share, statistics=desk.index.statistics(list(stems)), related=related)
    )


@agent.on(SEARCH)
async def search(ctx: Context, wanted: Search) -> None:
    """Offer the best quotes for each aspect."""
    desk = await _reading()
    started = time.perf_counter()
    quotes = await asyncio.to_thread(_quotes, desk.index, wanted)
    took = time.perf_counter() - started
    await _tell(
        ctx, f"found {sum(map(len, quotes))} quotes for {len(wanted.aspects)} aspects in {took * 1000:.0f} ms"
    )
    await ctx.reply(Findings(quotes=quotes, seconds=took))


@agent.capability(READ_SOURCE, version="1.0", max_concurrency=4)
def read_source(key: str) -> Passage | None:
    """A passage, read from its source again; any researcher reads any source, not only its own share's."""
    return corpus.find(key, settings.folder())


def _quotes(index: Index, wanted: Search) -> list[list[Quote]]:
    found: list[list[Quote]] = []
    for aspect in wanted.aspects:
        hits = index.search(aspect, wanted.statistics, PER_ASPECT)
        found.append([one for hit in hits if (one := quote(hit, aspect, wanted.statistics))])
    return found


async def _tell(ctx: Context, text: str) -> None:
    await ctx.emit(PROGRESS, Progress(agent=ctx.agent_id, text=text))


if __name__ == "__main__":
    settings.end_with_parent()
    agent.run()
