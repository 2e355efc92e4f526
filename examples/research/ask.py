"""Asking the trio: starts its processes, waits until they are there, asks, and shows what happens."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from examples.research.crew import Crew, Member, crew
from examples.research.events import HELLO, PROGRESS, QUESTION, Answer, Hello, Progress, Question
from examples.research.timing import Stopwatch
from loom import Agent, Context, DeadlineExceeded, Event, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from examples.research.events import Timing

__all__ = ["Failure", "Order", "Outcome", "ask"]

T = TypeVar("T")

_START = 20.0  # seconds that the agents have to appear
_PATIENCE = 2.0  # seconds that those who hear the call have to answer
_AGAIN = 0.1  # seconds after which those who are missing are called again


class Failure(Exception):  # noqa: N818 - what went wrong is in the message, and the command line shows it
    """The question could not be answered; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked, of whom, and for how long.

    Attributes:
        question: the question.
        out: the file that the report goes to.
        home: where memory and logs are kept.
        folder: what is searched; None for the documentation of Python.
        researchers: how many share the work.
        timeout: seconds for the whole question, once the agents are there.
        narrator: who tells the report; empty for quotes alone.
    """

    question: str
    out: Path
    home: Path
    folder: Path | None = None
    researchers: int = 2
    timeout: float = 60.0
    narrator: str = ""


@dataclass(slots=True)
class Outcome:
    """An answer, and what it took.

    Attributes:
        answer: where the report is, and what it holds.
        agents: how many agents took part, the asker included.
        events: how many events were seen, by topic.
        started: seconds until every agent was there.
        took: seconds from the question to the answer.
        timings: of every exchange.
        lost: agents whose processes ended on their own.
    """

    answer: Answer
    agents: int
    started: float
    took: float
    events: Counter[str] = field(default_factory=Counter)
    timings: list[Timing] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


async def ask(order: Order, show: Callable[[str, str], None]) -> Outcome:
    """Have a question answered.

    Args:
        order: what is asked.
        show: told what happens as it happens: the agent's name and a few words.

    Raises:
        Failure: an agent did not appear or was lost, or time ran out.
        loom.LoomError: no bridge could be found or started, or the planner could not answer.
    """
    begun = time.perf_counter()
    namespace = f"research-{uuid.uuid4().hex[:12]}"  # apart from whatever else runs on this bridge
    events: Counter[str] = Counter()
    asker = _asker(namespace, events, show)
    members = _members(order, namespace)
    async with asker, crew(members, order.home / "logs") as running:
        for name, process in running.process_ids().items():
            show(name, f"process {process}")
        context = asker.context(thread_id="research")
        lost = await _or_death(_everybody(context, running), running)
        for name in lost:
            show(name, f"is lost: {running.epitaph(name)}")
        started = time.perf_counter() - begun
        watch = Stopwatch()
        answer = await _or_death(_answer(context, order, watch), running)
        return Outcome(
            answer=answer,
            agents=len(members) + 1,
            started=started,
            took=watch.timings[0].milliseconds / 1000,
            events=events,
            timings=[*watch.timings, *answer.timings],
            lost=running.ended(),
        )


def _asker(namespace: str, events: Counter[str], show: Callable[[str, str], None]) -> Agent:
    """The agent that asks, counts every event, and shows progress."""
    asker = Agent("asker", settings=Settings.load(namespace=namespace))

    @asker.on(">", observer=True)
    async def count(event: Event) -> None:
        events[event.topic] += 1

    @asker.on(PROGRESS, observer=True)
    async def progress(ctx: Context, done: Progress) -> None:
        show(done.agent, done.text)

    return asker


def _members(order: Order, namespace: str) -> list[Member]:
    common = {"LOOM_NAMESPACE": namespace, "RESEARCH_HOME": str(order.home)}
    if order.folder:
        common["RESEARCH_FOLDER"] = str(order.folder.resolve())
    researchers = [
        Member(
            f"researcher-{number}",
            "examples.research.researcher",
            {**common, "RESEARCH_SHARE": f"{number}/{order.researchers}"},
            is_needed=False,
        )
        for number in range(1, order.researchers + 1)
    ]
    return [
        Member("planner", "examples.research.planner", common),
        Member("writer", "examples.research.writer", {**common, "RESEARCH_NARRATOR": order.narrator}),
        *researchers,
    ]


async def _everybody(context: Context, running: Crew) -> list[str]:
    """Wait until every agent answers: a barrier, again and again until nobody is missing.

    Returns:
        The agents that ended instead, and can be done without.
    """
    waited_until = time.monotonic() + _START
    missing, lost = list(running.process_ids()), list[str]()
    while missing and time.monotonic() < waited_until:
        missing = (await context.barrier(HELLO, of=missing, timeout=_PATIENCE, into=Hello)).missing
        lost = [name for name in missing if name in running.ended()]
        if set(missing) == set(lost):
            return lost
        await asyncio.sleep(_AGAIN)
    raise Failure(f"{', '.join(missing)} did not appear within {_START:.0f} s; see {running.logs}")


async def _answer(context: Context, order: Order, watch: Stopwatch) -> Answer:
    question = Question(
        text=order.question,
        researchers=[f"researcher-{number}" for number in range(1, order.researchers + 1)],
        out=str(order.out),
    )
    try:
        with watch.time("request", QUESTION):
            answer: Answer = await context.request(QUESTION, question, timeout=order.timeout, into=Answer)
    except DeadlineExceeded as error:
        raise Failure(f"no answer within {order.timeout:g} s; give more time with --timeout") from error
    return answer


async def _or_death(work: Coroutine[None, None, T], running: Crew) -> T:
    """Do the work, but not longer than the agents live that it needs.

    Raises:
        Failure: one of them ended.
    """
    working = asyncio.create_task(work)
    watching = asyncio.create_task(running.watch())
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Failure(watching.result())
        return working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
