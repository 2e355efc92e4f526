"""Agents under test: started in order, stopped in reverse, whatever happens in between."""

from __future__ import annotations

import asyncio

import pytest

from loom import Agent
from loom.errors import RegistrationRefused
from loom_testing.harness.errors import HarnessError, WrongPlaceError
from loom_testing.harness.running import check_loop


async def test_one_agent_is_given_as_it_is_and_several_as_a_tuple(loom_bridge):
    one, two = Agent("one"), Agent("two")
    async with loom_bridge.run(one) as agent:
        assert agent is one
        assert one.is_running
    async with loom_bridge.run(two, one) as agents:
        assert agents == (two, one)
        assert list((await loom_bridge.snapshot()).agents) == ["two", "one"]
    assert not one.is_running
    assert not two.is_running
    assert (await loom_bridge.snapshot()).agents == {}


async def test_when_one_cannot_start_those_before_it_are_stopped(loom_bridge):
    one = Agent("one")
    refused = Agent("two")
    for topic in range(100_001):
        refused.subscribe(f"t.{topic}")
    with pytest.raises(RegistrationRefused):
        async with loom_bridge.run(one, refused):
            pass
    assert not one.is_running


async def test_an_error_of_the_test_stops_them_and_is_the_one_that_is_seen(loom_bridge):
    one, two = Agent("one"), Agent("two")
    with pytest.raises(LookupError, match="the test's own"):
        async with loom_bridge.run(one, two):
            raise LookupError("the test's own")
    assert not one.is_running
    assert not two.is_running


async def test_open_work_has_the_grace_to_finish(loom_bridge):
    agent, begun, finished = Agent("worker"), asyncio.Event(), []

    @agent.on("work")
    async def work() -> None:
        begun.set()
        await asyncio.sleep(0)
        finished.append("work")

    async with loom_bridge.probe() as probe:
        async with loom_bridge.run(agent):
            await probe.emit("work")
            await begun.wait()
        assert finished == ["work"]


async def test_a_plain_with_is_told_what_to_write(loom_bridge):
    with pytest.raises(WrongPlaceError, match=r"with loom_bridge\.sync\.run"), loom_bridge.run(Agent("one")):
        pass


def test_without_an_event_loop_it_says_what_to_do():
    with pytest.raises(WrongPlaceError, match=r"in a plain test use loom_bridge\.sync"):
        check_loop("loom_bridge.run")


@pytest.mark.parametrize("given", ["desk", asyncio, Agent, None])
def test_what_is_no_agent_is_refused(loom_bridge, given):
    with pytest.raises(HarnessError, match=r"run\(\) was given .*, which is no Agent"):
        loom_bridge.run(given)


def test_two_agents_with_one_id_are_refused(loom_bridge):
    with pytest.raises(HarnessError, match="two agents with the id 'g'"):
        loom_bridge.run(Agent("g"), Agent("g"))
