"""A researcher: reads its share of the corpus, says what it holds, searches it, and reads out sources.

RESEARCH_SHARE=1/2 python -m examples.research.researcher
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from pathlib import Path

PER_ASPECT = 10  # quotes that each researcher offers for an aspect


class Desk:
    """A researcher's share, read and indexed."""

    def __init__(self, folder: Path | None, index: int, count: int) -> None:
        started = time.perf_counter()
        library = Library.load(folder, index, count)
        self.index = Index(library.passages)
        self.share = Share(
            corpus=settings.corpus_name(folder),
            index=index,
            count=count,
            documents=library.documents,
            passages=len(library.passages),
            characters=library.characters,
            seconds=time.perf_counter() - started,
        )


class Researcher:
    """A researcher.

    Attributes:
        agent: what is run.

    Args:
        name: its agent id.
        folder: what is searched; None for the documentation of Python.
        share: which share of how many it reads.
    """

    def __init__(self, name: str, folder: Path | None, share: tuple[int, int] = (1, 1)) -> None:
        self.agent = Agent(name)
        self._folder = folder
        self._share = share
        self._reading: asyncio.Task[Desk] | None = None
        self.agent.on(HELLO)(self.hello)
        self.agent.on(SURVEY)(self.survey)
        self.agent.on(SEARCH)(self.search)
        self.agent.capability(READ_SOURCE, version="1.0", max_concurrency=4)(self.read_source)

    async def hello(self, ctx: Context) -> None:
        """Say that this researcher is there, and begin to read."""
        self._desk()
        await ctx.reply(Hello(agent=ctx.agent_id, process=os.getpid()))

    async def survey(self, ctx: Context, wanted: Survey) -> None:
        """Say how much was read, how common the question's words are in it, and what stands near them."""
        desk = await self._desk()
        await _tell(ctx, f"read {desk.share.passages} passages in {desk.share.seconds:.1f} s")
        related = desk.index.related(wanted.whole)
        stems = dict.fromkeys([*wanted.terms, *(stem for one in related for stem in one.stems)])
        await ctx.reply(
            Surveyed(share=desk.share, statistics=desk.index.statistics(list(stems)), related=related)
        )

    async def search(self, ctx: Context, wanted: Search) -> None:
        """Offer the best quotes for each aspect."""
        desk = await self._desk()
        started = time.perf_counter()
        quotes = await asyncio.to_thread(_quotes, desk.index, wanted)
        took = (time.perf_counter() - started) * 1000
        await _tell(
            ctx, f"found {sum(map(len, quotes))} quotes for {len(wanted.aspects)} aspects in {took:.0f} ms"
        )
        await ctx.reply(Findings(quotes=quotes, seconds=took / 1000))

    def read_source(self, key: str) -> Passage | None:
        """A passage, read from its source again; any researcher reads any source, not only its share's."""
        return corpus.find(key, self._folder)

    def _desk(self) -> asyncio.Task[Desk]:
        """The share is read once, beside the event loop, which goes on answering."""
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(Desk, self._folder, *self._share))
        return self._reading


def _quotes(index: Index, wanted: Search) -> list[list[Quote]]:
    found: list[list[Quote]] = []
    for aspect in wanted.aspects:
        hits = index.search(aspect, wanted.statistics, PER_ASPECT)
        found.append([one for hit in hits if (one := quote(hit, aspect, wanted.statistics))])
    return found


async def _tell(ctx: Context, text: str) -> None:
    await ctx.emit(PROGRESS, Progress(agent=ctx.agent_id, text=text))


agent = Researcher(settings.name("researcher"), settings.folder(), settings.share()).agent

if __name__ == "__main__":
    settings.end_with_parent()
    agent.run()
