"""The whole trio, over a bridge and in processes of its own, on the manual of a kiln."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from examples.research.crew import Crew, Member, crew
from examples.research.events import (
    HELLO,
    QUESTION,
    SEARCH,
    SURVEY,
    Answer,
    Hello,
    Question,
    Search,
    Share,
    Survey,
    Surveyed,
)
from examples.research.plan import Statistics
from loom import Agent, Context, Endpoint, HandlerError, NoSubscribers
from loom_testing import FakeBridge
from tests.examples.research.conftest import write_manual

PATIENCE = 60.0  # seconds; a busy machine takes long to start five processes
PINHOLES = "Where do pinholes in a glaze come from, and how are they avoided?"


pytestmark = pytest.mark.asyncio(loop_scope="module")  # one bridge and one desk serve all tests here


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bridge() -> AsyncIterator[FakeBridge]:
    async with FakeBridge() as running:
        yield running


@dataclass
class Run:
    """One run of the command line."""

    code: int
    out: str
    told: list[str] = field(default_factory=list)

    @property
    def processes(self) -> list[int]:
        return [int(found[1]) for line in self.told if (found := re.search(r"process (\d+)$", line))]


async def run(
    bridge: FakeBridge, home: Path, *arguments: str, on_line: Callable[[str, int], None] | None = None
) -> Run:
    """Run the command line; `on_line` hears each line of its progress, and its process id."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.research", *arguments),
        env={**os.environ, "LOOM_BRIDGE_ADDR": bridge.address, "RESEARCH_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    told: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            async for raw in process.stderr:
                told.append(raw.decode().rstrip())
                if on_line:
                    on_line(told[-1], process.pid)
            out = (await process.stdout.read()).decode()
            return Run(await process.wait(), out, told)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_question_is_answered_from_a_folder_with_citations(
    bridge: FakeBridge, manual: Path, tmp_path: Path
):
    done = await run(
        bridge, tmp_path, PINHOLES, "--folder", str(manual), "--out", str(tmp_path / "answer.md")
    )
    told = "\n".join(done.told)
    assert done.code == 0, told
    assert done.out == f"{tmp_path / 'answer.md'}\n"
    report = (tmp_path / "answer.md").read_text("utf-8")
    assert report.startswith(f"# {PINHOLES}\n")
    assert "Pinholes in a glaze come from gas that leaves the clay late." in report
    assert re.search(r"^\d\. glaze\.md, Faults: glaze\.md, lines 7-8$", report, re.MULTILINE)
    assert "in 4 documents" in report
    assert "researcher-1  read" in told
    assert "researcher-2  read" in told
    assert re.search(r"5 agents, \d+ events, \d+ calls", told)
    assert re.search(r"call source\.read: \d+, p50 [\d.]+ ms, max [\d.]+ ms", told)
    assert len(done.processes) == 4
    assert all(map(is_gone, done.processes))


async def test_a_researcher_that_dies_is_missing_and_the_report_says_so(
    bridge: FakeBridge, manual: Path, tmp_path: Path
):
    def kill(line: str, _: int) -> None:
        if found := re.search(r"researcher-2 +process (\d+)$", line):
            os.kill(int(found[1]), signal.SIGKILL)

    done = await run(
        bridge,
        tmp_path,
        PINHOLES,
        "--folder",
        str(manual),
        "--out",
        str(tmp_path / "answer.md"),
        "--no-keep-going",
        on_line=kill,
    )
    told = "\n".join(done.told)
    assert done.code == 3, told
    report = (tmp_path / "answer.md").read_text("utf-8")
    assert "> **Mind:** researcher-2 did not answer within" in report
    assert "1 of 2 shares of the corpus were not searched" in report
    assert "researcher-2 ended with exit code -9" in told
    assert all(map(is_gone, done.processes))


async def test_ctrl_c_ends_everything_in_order(bridge: FakeBridge, manual: Path, tmp_path: Path):
    def interrupt(line: str, process: int) -> None:
        if re.search(r"researcher-2 +process", line):
            os.kill(process, signal.SIGINT)

    done = await run(bridge, tmp_path, PINHOLES, "--folder", str(manual), on_line=interrupt)
    assert done.code == 130
    assert done.told[-1] == "stopped"
    assert "Traceback" not in "\n".join(done.told)
    assert len(done.processes) == 4
    assert all(map(is_gone, done.processes))


@dataclass
class Desk:
    """A planner, a writer and one real researcher, asked by a test."""

    asker: Context
    endpoint: Endpoint
    out: Path

    async def ask(self, text: str, *researchers: str, timeout: float = PATIENCE) -> Answer:
        question = Question(text=text, researchers=list(researchers), out=str(self.out))
        answer: Answer = await self.asker.request(QUESTION, question, timeout=timeout, into=Answer)
        return answer

    def report(self) -> str:
        return self.out.read_text("utf-8")


@pytest.fixture
def desk(staff: tuple[Agent, Endpoint], tmp_path: Path) -> Desk:
    """The staff, in a thread of work of this test alone."""
    asker, endpoint = staff
    return Desk(asker.context(tmp_path.name), endpoint, tmp_path / "answer.md")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def staff(
    bridge: FakeBridge, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Agent, Endpoint]]:
    home = tmp_path_factory.mktemp("home")
    manual = write_manual(home / "manual")
    environment = {
        "LOOM_BRIDGE_ADDR": bridge.address,
        "LOOM_NAMESPACE": "desk",
        "RESEARCH_HOME": str(home),
        "RESEARCH_FOLDER": str(manual),
    }
    members = [
        Member("planner", "examples.research.planner", environment),
        Member("writer", "examples.research.writer", environment),
        Member("researcher-1", "examples.research.researcher", {**environment, "RESEARCH_SHARE": "1/1"}),
    ]
    endpoint = Endpoint(bridge.address, "desk")
    async with Agent("asker", endpoint=endpoint) as asker, crew(members, home / "logs") as running:
        await everybody(asker.context(), running)
        yield asker, endpoint


async def everybody(context: Context, running: Crew) -> None:
    missing = list(running.process_ids())
    async with asyncio.timeout(PATIENCE):
        while missing:
            with contextlib.suppress(NoSubscribers):
                missing = (await context.barrier(HELLO, of=missing, timeout=1.0, into=Hello)).missing
            assert not running.ended(), running.epitaph(running.ended()[0])


def surveyor(endpoint: Endpoint) -> Agent:
    """A second researcher that answers the survey, and then fails at the search."""
    agent = Agent("researcher-2", endpoint=endpoint)

    @agent.on(SURVEY)
    async def survey(ctx: Context, wanted: Survey) -> None:
        share = Share(corpus="x", index=2, count=2, documents=1, passages=1, characters=9, seconds=0.0)
        await ctx.reply(Surveyed(share=share, statistics=Statistics(1, {}), related=[]))

    @agent.on(SEARCH)
    async def search(ctx: Context, wanted: Search) -> None:
        raise RuntimeError("the shelf fell down")

    return agent


async def test_a_researcher_lost_between_survey_and_search_is_named(desk: Desk):
    async with surveyor(desk.endpoint):
        answer = await desk.ask(PINHOLES, "researcher-1", "researcher-2")
    assert [(loss.researcher, loss.stage) for loss in answer.losses] == [("researcher-2", "search")]
    report = desk.report()
    assert "> **Mind:** researcher-2 failed: " in report
    assert "the shelf fell down" in report
    assert "its share was not searched" in report
    assert "Pinholes in a glaze come from gas" in report


async def test_the_planner_remembers_what_was_asked(desk: Desk):
    await desk.ask(PINHOLES, "researcher-1")
    await desk.ask("How is the glaze stirred?", "researcher-1")
    assert f"- {PINHOLES} (" in desk.report()
    await desk.ask("where do PINHOLES in the glaze come from and how are they avoided", "researcher-1")
    assert "The same question was asked before, at 20" in desk.report()


async def test_what_is_not_in_the_corpus_is_said(desk: Desk):
    answer = await desk.ask("How do I frobnicate the vents?", "researcher-1")
    assert 'The word "frobnicate" stands nowhere in what was searched.' in answer.gaps


async def test_the_deadline_bounds_everything_that_is_done_for_a_question(desk: Desk):
    silent = Agent("researcher-9", endpoint=desk.endpoint)

    @silent.on(SURVEY)
    async def survey(ctx: Context, wanted: Survey) -> None:
        await asyncio.Event().wait()

    await silent.start()
    try:
        with pytest.raises(HandlerError, match="no researcher answered the survey in time"):
            await desk.ask(PINHOLES, "researcher-9", timeout=1.0)
    finally:
        await silent.stop(0)
