"""All three together: a question and its answer, and who is missing."""

from __future__ import annotations

import pytest

from examples.research.events import QUESTION, SURVEY, Question, Survey
from examples.research.tests.conftest import ASKED, Trio
from loom import Agent, Context, HandlerError, NoSubscribers
from loom_testing import LoomBridge


async def test_a_question_is_answered_from_the_corpus(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        answer = await trio.ask(probe)
        await probe.expect_in_order(
            ("research.survey", {"terms": ["kiln", "cool"]}),
            ("research.progress", {"agent": "planner"}),
            "research.search",
            ("research.progress", {"agent": "writer", "text": "wrote 1 sources into report.md"}),
        )
    assert (answer.report, answer.losses) == (str(trio.report), [])
    assert "Let the kiln cool to 80 degrees" in trio.report.read_text("utf-8")


async def test_a_question_that_nobody_hears_fails_at_once(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(trio.researcher, trio.writer), loom_bridge.probe() as probe:
        question = Question(text=ASKED, researchers=["researcher"], out=str(trio.report))
        with pytest.raises(NoSubscribers):
            await probe.request(QUESTION, question, timeout=3600)


async def test_without_a_researcher_the_planner_says_what_is_missing(
    loom_bridge: LoomBridge, trio: Trio
) -> None:
    async with loom_bridge.run(trio.planner, trio.writer), loom_bridge.probe() as probe:
        with pytest.raises(HandlerError, match="no researcher answered the survey in time"):
            await trio.ask(probe)


def slow(seconds: float) -> Agent:
    """A researcher that takes its time for the survey, and then has nothing to say."""
    researcher = Agent("slow")

    @researcher.on(SURVEY)
    async def survey(ctx: Context, wanted: Survey) -> None:
        await ctx.sleep(seconds)

    return researcher


@pytest.mark.loom(clock="auto")
async def test_a_slow_researcher_is_left_out_and_named(loom_bridge: LoomBridge, trio: Trio) -> None:
    before = await loom_bridge.clock.now()
    async with loom_bridge.run(*trio.everybody, slow(25), grace=0), loom_bridge.probe() as probe:
        answer = await trio.ask(probe, "researcher", "slow")
        waited = await loom_bridge.clock.now() - before
    assert [(loss.researcher, loss.stage) for loss in answer.losses] == [("slow", "survey")]
    assert waited == pytest.approx(20, abs=0.1)  # what the planner gives a survey; it took no such time
    assert "slow did not answer within 20.0 s" in trio.report.read_text("utf-8")
