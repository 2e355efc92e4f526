"""The planner: takes a question, asks the researchers twice, has the report written, and remembers it.

    python -m examples.research.planner

The question's deadline is the budget of everything done for it: each barrier gets a part of what is left, and
calls made inside inherit the rest. A researcher that does not answer in its part is named as missing, and the
report is made without it.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from examples.research import settings
from examples.research.events import (
    HELLO,
    PROGRESS,
    QUESTION,
    SEARCH,
    SURVEY,
    WRITE_REPORT,
    Answer,
    Draft,
    Earlier,
    Findings,
    Hello,
    Loss,
    Progress,
    Question,
    Search,
    Stage,
    Survey,
    Surveyed,
)
from examples.research.extract import Quote
from examples.research.plan import Plan, Related, Statistics, plan, refine
from examples.research.recall import alike, is_same
from examples.research.timing import Stopwatch
from loom import Agent, Barrier, Context, Memory, SQLiteMemory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The part of what is left of the deadline that a barrier gets, and the most of it, in seconds.
SURVEY_PART, SURVEY_MOST = 0.5, 20.0  # reading a share takes a few seconds
SEARCH_PART, SEARCH_MOST = 0.5, 5.0  # a search takes well under one
MOST_REMEMBERED = 200
REMEMBERED = "questions"


def new(memory: Memory) -> Agent:
    """A planner.

    Args:
        memory: where it keeps earlier questions.
    """
    planner = Agent("planner", memory=memory)
    planner.on(HELLO)(hello)
    planner.on(QUESTION)(answer)
    return planner


async def hello(ctx: Context) -> None:
    """Say that the planner is there."""
    await ctx.reply(Hello(agent=ctx.agent_id, process=os.getpid()))


async def answer(ctx: Context, question: Question) -> None:
    """Have a question answered by a report."""
    watch = Stopwatch()
    first = plan(question.text)
    earlier = await _recall(ctx)
    if before := [one for one in earlier if is_same(one.text, question.text)]:
        await _tell(ctx, f"asked before, {before[-1].asked[:16].replace('T', ' ')} UTC; looking again")
    surveyed, lost_early = await _survey(ctx, question.researchers, first, watch)
    if not surveyed:
        raise RuntimeError(
            "no researcher answered the survey in time; give it more time or start researchers"
        )
    statistics = Statistics.merge(one.statistics for one in surveyed.values())
    planned = refine(
        first, statistics, Related.merge(near for one in surveyed.values() for near in one.related)
    )
    await _tell(ctx, "looking for " + "; ".join(aspect.title for aspect in planned.in_order))
    found, lost_late = await _search(ctx, list(surveyed), planned, statistics, watch)
    draft = Draft(
        plan=planned,
        statistics=statistics,
        findings=_by_aspect(planned, found),
        shares=[one.share for one in surveyed.values()],
        losses=[*lost_early, *lost_late],
        earlier=alike(question.text, earlier),
        asked_before=before[-1].asked if before else "",
        out=question.out,
    )
    with watch.time("call", WRITE_REPORT):
        written: Answer = await ctx.tool(WRITE_REPORT, draft=draft, into=Answer)
    await _remember(ctx, question, written)
    timings = [*watch.timings, *written.timings]
    await ctx.reply(written.model_copy(update={"losses": draft.losses, "timings": timings}))


async def _recall(ctx: Context) -> list[Earlier]:
    """What was asked before in this thread, oldest first."""
    remembered: list[Earlier] = await ctx.memory.get(REMEMBERED, [], into=list[Earlier])
    return remembered


async def _remember(ctx: Context, question: Question, written: Answer) -> None:
    asked = datetime.now(UTC).isoformat(timespec="seconds")
    entry = Earlier(text=question.text, asked=asked, report=written.report, sources=written.sources)
    await ctx.memory.append(REMEMBERED, entry, keep=MOST_REMEMBERED)


async def _survey(
    ctx: Context, researchers: Sequence[str], first: Plan, watch: Stopwatch
) -> tuple[dict[str, Surveyed], list[Loss]]:
    patience, before = _part(ctx, SURVEY_PART, SURVEY_MOST), ctx.remaining
    with watch.time("barrier", SURVEY):
        gathered = await ctx.barrier(
            SURVEY,
            Survey(terms=first.terms, whole=first.whole),
            of=researchers,
            timeout=patience,
            into=Surveyed,
        )
    waited = _waited(ctx, before, patience)
    return _asked(gathered, researchers), await _losses(ctx, gathered, "survey", waited)


async def _search(
    ctx: Context, researchers: Sequence[str], planned: Plan, statistics: Statistics, watch: Stopwatch
) -> tuple[dict[str, Findings], list[Loss]]:
    patience, before = _part(ctx, SEARCH_PART, SEARCH_MOST), ctx.remaining
    wanted = Search(aspects=list(planned.in_order), statistics=statistics)
    with watch.time("barrier", SEARCH):
        gathered = await ctx.barrier(SEARCH, wanted, of=researchers, timeout=patience, into=Findings)
    waited = _waited(ctx, before, patience)
    return _asked(gathered, researchers), await _losses(ctx, gathered, "search", waited)


def _asked(gathered: Barrier, researchers: Sequence[str]) -> dict[str, Any]:
    """The answers of those who were asked, in a fixed order; others on the bridge may hear the topic too."""
    return {name: gathered.replies[name] for name in researchers if name in gathered.replies}


def _part(ctx: Context, part: float, most: float) -> float:
    """So many seconds of what is left of the question's deadline."""
    return most if ctx.remaining is None else min(most, part * ctx.remaining)


def _waited(ctx: Context, before: float | None, patience: float) -> float:
    """How long a barrier took, seconds, by the agent's own clock: in a test that is not the computer's."""
    return patience if before is None or ctx.remaining is None else before - ctx.remaining


def _by_aspect(planned: Plan, found: Mapping[str, Findings]) -> list[list[Quote]]:
    """The quotes of all researchers for each aspect."""
    return [
        [quote for findings in found.values() for quote in findings.quotes[number]]
        for number in range(len(planned.in_order))
    ]


async def _losses(ctx: Context, gathered: Barrier, stage: Stage, waited: float) -> list[Loss]:
    """Those who did not answer a barrier, and those who failed."""
    why = dict.fromkeys(gathered.missing, f"did not answer within {waited:.1f} s")
    why |= {name: f"failed: {error}" for name, error in gathered.errors.items()}
    for researcher, reason in why.items():
        await _tell(ctx, f"{researcher} {reason}; going on without it")
    return [Loss(researcher=researcher, stage=stage, why=reason) for researcher, reason in why.items()]


async def _tell(ctx: Context, text: str) -> None:
    await ctx.emit(PROGRESS, Progress(agent=ctx.agent_id, text=text))


agent = new(SQLiteMemory(settings.home() / "memory.db"))

if __name__ == "__main__":
    settings.end_with_parent()
    agent.run()
