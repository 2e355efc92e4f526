"""The budget of time: bounded, inherited, used up."""

import asyncio

import pytest

from loom.clock import Clock
from loom.deadline import budget, inherit, remaining
from loom.errors import DeadlineExceeded, InvalidInput
from loom.threads import run_in_thread
from tests.loom.standing import Standing


def test_without_a_budget_the_timeout_holds_and_30_seconds_where_none_is_said():
    assert remaining() is None
    assert budget(None, "it") == 30
    assert budget(2.5, "it") == 2.5


def test_what_is_left_bounds_every_call():
    with inherit(10, Clock()):
        assert 9 < budget(None, "it") <= 10
        assert budget(1, "it") == 1
        with inherit(None, Clock()):
            assert budget(None, "it") == 30
    assert remaining() is None


def test_nothing_left_is_an_error_at_once():
    with inherit(0, Clock()):
        assert remaining() == 0
        with pytest.raises(DeadlineExceeded, match="no time is left for the call of x"):
            budget(5, "the call of x")


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_timeout_is_seconds_above_0(timeout):
    with pytest.raises(InvalidInput, match="give seconds above 0"):
        budget(timeout, "it")


async def test_tasks_and_threads_inherit_it():
    async def inside():
        return remaining()

    with inherit(10, Clock()):
        assert 9 < await asyncio.create_task(inside()) <= 10
        assert 9 < (await run_in_thread(remaining) or 0) <= 10


@pytest.mark.parametrize("timeout", ["5", True, [1]])
def test_a_timeout_that_is_no_number_is_refused(timeout):
    with pytest.raises(InvalidInput, match="give seconds above 0"):
        budget(timeout, "the test")


async def test_it_is_counted_by_the_clock_that_it_was_given():
    time = Standing()
    with inherit(10, time.clock):
        await time.advance(4)
        assert remaining() == 6
        with inherit(2, time.clock):
            await time.advance(3)
            assert remaining() == 0
        assert remaining() == 3
