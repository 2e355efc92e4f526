"""What goes wrong on the way, and what the trio makes of it.

The agents run as they are; what they send and receive is lost, late, doubled or cut in front of the bridge.
"""

from __future__ import annotations

import asyncio

import pytest

from examples.research.events import SEARCH, SURVEY
from examples.research.tests.conftest import Trio
from loom import AgentGone, BridgeUnavailable, DeadlineExceeded, HandlerError
from loom_testing import LoomBridge, Probe


def surveys(probe: Probe) -> int:
    """How often the planner has begun."""
    return len([event for event in probe.events if event.topic == SURVEY])


@pytest.mark.loom(clock="auto")
async def test_a_lost_reply_of_the_only_researcher_is_told(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        with (
            loom_bridge.faults.drop(agent="researcher", type="reply", times=1) as lost,
            pytest.raises(HandlerError, match="no researcher answered the survey in time"),
        ):
            await trio.ask(probe)
        assert lost.fired == 1
        assert (await trio.ask(probe)).losses == []


@pytest.mark.loom(clock="auto")
async def test_a_lost_answer_ends_with_the_deadline(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        before = await loom_bridge.clock.now()
        with (
            loom_bridge.faults.drop(agent="planner", type="reply", times=1),
            pytest.raises(DeadlineExceeded),
        ):
            await trio.ask(probe, timeout=1800)
        assert await loom_bridge.clock.now() - before == pytest.approx(1800, abs=1)
        assert trio.report.exists()  # it was written all the same


@pytest.mark.loom(clock="auto")
async def test_a_slow_researcher_is_left_out_of_the_report(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        with loom_bridge.faults.delay(30, agent="researcher", topic=SEARCH, direction="to_agent"):
            answer = await trio.ask(probe)
    assert [(loss.researcher, loss.stage) for loss in answer.losses] == [("researcher", "search")]
    assert "its share was not searched" in trio.report.read_text("utf-8")


@pytest.mark.loom(clock="auto")
async def test_a_crashed_writer_is_told_at_once_and_found_again(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        before = await loom_bridge.clock.now()
        with (
            loom_bridge.faults.disconnect(agent="writer", kind="action_call"),
            pytest.raises(AgentGone, match="writer"),
        ):
            await trio.ask(probe, timeout=3600)
        assert await loom_bridge.clock.now() - before < 60
        assert not trio.report.exists()
        await loom_bridge.joined("writer")
        assert (await trio.ask(probe)).losses == []


async def test_the_bridge_restarts_between_two_questions(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        first = await trio.ask(probe)
        await loom_bridge.process.restart()
        await loom_bridge.advance(60)  # they come back by themselves
        await loom_bridge.joined("planner", "researcher", "writer", "probe")
        assert (await trio.ask(probe)).sources == first.sources == ["kiln.md"]


@pytest.mark.loom(clock="auto")
async def test_the_bridge_restarts_under_a_question(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        survey = loom_bridge.faults.delay(10, agent="researcher", topic=SURVEY, direction="to_agent")
        with survey:
            asking = asyncio.create_task(trio.ask(probe, timeout=3600))
            await survey.happened()
            await loom_bridge.process.restart()
            with pytest.raises(BridgeUnavailable):  # at once, and not in an hour
                await asking
        await loom_bridge.joined("planner", "researcher", "writer", "probe")
        assert (await trio.ask(probe)).losses == []


async def test_what_is_sent_twice_is_accepted_once(loom_bridge: LoomBridge, trio: Trio) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        with (
            loom_bridge.faults.duplicate(topic="research.question"),
            loom_bridge.faults.duplicate(agent="researcher", type="reply"),
        ):
            answer = await trio.ask(probe)
            await loom_bridge.settle()
        assert (answer.losses, surveys(probe)) == ([], 1)


async def test_a_question_that_is_delivered_twice_is_worked_on_twice_and_answered(
    loom_bridge: LoomBridge, trio: Trio
) -> None:
    async with loom_bridge.run(*trio.everybody), loom_bridge.probe() as probe:
        with loom_bridge.faults.duplicate(agent="planner", topic="research.question", direction="to_agent"):
            answer = await trio.ask(probe)
            await loom_bridge.settle()
        assert (answer.losses, surveys(probe)) == ([], 2)
        assert trio.report.read_text("utf-8").count("Let the kiln cool to 80 degrees") >= 1
