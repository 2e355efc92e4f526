"""Looking for events in what a probe has received, and waiting for them."""

from __future__ import annotations

import asyncio

import pytest

from loom_testing.harness.errors import ExpectationError
from loom_testing.harness.expected import Expected
from loom_testing.harness.record import Record
from tests.loom_testing.harness.agents import event

LONG = 10.0


async def test_what_has_come_is_given_out_in_order_and_once():
    record = Record("probe")
    first, other, second = event("a", 1), event("b"), event("a", 2)
    for one in (first, other, second):
        record.add(one)
    assert await record.wait_for(Expected("a"), LONG) is first
    assert await record.wait_for(Expected("a"), LONG) is second
    assert await record.wait_for(Expected("b"), LONG) is other
    assert record.events == [first, other, second]
    with pytest.raises(ExpectationError, match=r"(?s)no such event came within 0 s.*3 more events given out"):
        await record.wait_for(Expected("a"), 0)


async def test_what_comes_later_wakes_who_waits_for_it():
    record = Record("probe")
    async with asyncio.TaskGroup() as tasks:
        wanted = tasks.create_task(record.wait_for(Expected("a", payload=2), LONG))
        other = tasks.create_task(record.wait_for(Expected("b"), LONG))
        await asyncio.sleep(0)
        for one in (event("a", 1), event("b"), event("a", 2)):
            record.add(one)
    assert wanted.result().json() == 2
    assert other.result().topic == "b"


async def test_a_failure_is_told_at_once_but_not_before_what_came():
    record = Record("probe")
    record.add(event("a"))
    waiting = asyncio.create_task(record.wait_for(Expected("b"), LONG))
    await asyncio.sleep(0)
    record.fail(RuntimeError("the bridge is gone"))
    record.fail(RuntimeError("a later one"))
    with pytest.raises(RuntimeError, match="the bridge is gone"):
        await waiting
    assert (await record.wait_for(Expected("a"), LONG)).topic == "a"
    with pytest.raises(RuntimeError, match="the bridge is gone"):
        await record.none_within(Expected("a"), 0)


async def test_none_is_fine_when_none_came():
    record = Record("probe")
    record.add(event("a"))
    await record.none_within(Expected("b"), 0)


async def test_none_names_the_one_that_came_and_leaves_it_there():
    record = Record("probe")
    record.add(event("a", 1))
    with pytest.raises(ExpectationError, match=r"probe expected no a, and one came\n  a from writer: 1"):
        await record.none_within(Expected("a"), 0)
    assert (await record.wait_for(Expected("a"), LONG)).json() == 1
