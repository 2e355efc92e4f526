"""An agent's clock: real at no cost, or a test's, whose time passes only as it is told."""

from __future__ import annotations

import asyncio
import time

import pytest

from loom.clock import Clock
from tests.loom.standing import Standing, quiet

# Real time.


async def test_a_real_clock_is_the_computer_s():
    clock = Clock("me")
    before = time.monotonic()
    assert before <= clock.now() <= time.monotonic()
    assert not clock.is_virtual
    assert clock.has_heartbeats
    assert isinstance(clock.timeout(5), asyncio.Timeout)
    assert isinstance(clock.timeout(None), asyncio.Timeout)


async def test_a_real_clock_s_waits_are_asyncio_s():
    clock = Clock()
    await clock.sleep(0)
    await clock.sleep(0.001)
    with pytest.raises(TimeoutError):
        async with clock.timeout(0.001):
            await asyncio.Event().wait()
    done = asyncio.get_running_loop().create_future()
    done.set_result(1)
    never = asyncio.get_running_loop().create_future()
    assert await clock.wait([done, never], 0.001) == ({done}, {never})
    assert 0 <= clock.jitter() <= 1


async def test_a_call_on_a_real_clock_tells_the_bridge_nothing():
    traffic = Clock().begin_call()
    assert traffic.metadata == ()
    traffic.end()


# A test's.


async def test_a_test_s_clock_stands_until_it_is_told():
    standing = Standing()
    clock = standing.clock
    before = clock.now()
    assert clock.is_virtual
    assert before == int(before)
    await standing.advance(0.25)
    assert clock.now() == before + 0.25


async def test_joining_and_leaving_never_turns_it_back():
    standing = Standing()
    clock = Clock("me")
    real = clock.now()
    clock.join(standing.participant)
    joined = clock.now()
    assert real <= joined <= real + 2
    await standing.advance(1000)
    clock.leave()
    assert not clock.is_virtual
    assert clock.now() >= joined + 1000
    left = clock.now()
    clock.join(standing.participant)
    assert clock.now() >= left


async def test_sleep_ends_at_its_time():
    standing = Standing()
    sleeping = asyncio.create_task(standing.clock.sleep(1800))
    assert await standing.advance(1799.999999) == 0
    assert not sleeping.done()
    assert await standing.advance(0.000001) == 1
    await sleeping


async def test_a_sleep_that_is_cancelled_leaves_no_timer():
    standing = Standing()
    sleeping = asyncio.create_task(standing.clock.sleep(10))
    await quiet()
    sleeping.cancel()
    await asyncio.wait([sleeping])
    assert standing.participant.next_timer() is None


async def test_sleeping_no_time_is_a_turn_of_the_loop():
    standing = Standing()
    await asyncio.gather(standing.clock.sleep(0), standing.clock.sleep(-1))
    assert standing.participant.next_timer() is None


async def test_a_timeout_ends_what_takes_longer():
    standing = Standing()

    async def work():
        with pytest.raises(TimeoutError):
            async with standing.clock.timeout(30):
                await standing.clock.sleep(31)
        return "told"

    working = asyncio.create_task(work())
    assert await standing.advance(29) == 0
    assert await standing.advance(1) == 1
    assert await working == "told"
    assert standing.participant.next_timer() is None


async def test_a_timeout_that_is_not_needed_leaves_no_timer():
    standing = Standing()
    async with standing.clock.timeout(30):
        assert standing.participant.next_timer() is not None
    assert standing.participant.next_timer() is None
    with pytest.raises(ValueError, match="planted"):
        async with standing.clock.timeout(30):
            raise ValueError("planted")
    assert standing.participant.next_timer() is None


async def test_a_timeout_of_nothing_is_over_at_once():
    clock = Standing().clock
    for seconds in (0, -1):
        with pytest.raises(TimeoutError):
            async with clock.timeout(seconds):
                await asyncio.Event().wait()


async def test_timeouts_within_each_other_end_the_right_one():
    standing = Standing()
    ended = []

    async def work():
        try:
            async with standing.clock.timeout(20):
                try:
                    async with standing.clock.timeout(10):
                        await standing.clock.sleep(100)
                except TimeoutError:
                    ended.append("inner")
                await standing.clock.sleep(100)
        except TimeoutError:
            ended.append("outer")

    working = asyncio.create_task(work())
    await standing.advance(10)
    assert ended == ["inner"]
    await standing.advance(10)
    assert ended == ["inner", "outer"]
    await working


async def test_who_is_cancelled_inside_a_timeout_is_cancelled():
    standing = Standing()

    async def work():
        async with standing.clock.timeout(30):
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await quiet()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_waiting_for_several_ends_with_time():
    standing = Standing()
    loop = asyncio.get_running_loop()
    early, late = loop.create_future(), loop.create_future()
    waiting = asyncio.create_task(standing.clock.wait([early, late], 60))
    early.set_result(1)
    await standing.advance(59)
    assert not waiting.done()
    await standing.advance(1)
    assert await waiting == ({early}, {late})
    assert not late.cancelled()
    first = asyncio.create_task(standing.clock.wait([early, late], 60, asyncio.FIRST_COMPLETED))
    assert await first == ({early}, {late})


async def test_its_jitter_is_the_same_each_time():
    numbers = [[Standing(name).clock.jitter() for _ in range(2)] for name in ("a", "a", "b")]
    assert numbers[0] == numbers[1] != numbers[2]


async def test_heartbeats_are_only_where_they_were_asked_for():
    assert not Standing().clock.has_heartbeats
    assert Standing(liveness=True).clock.has_heartbeats


async def test_a_call_names_the_participant_and_its_number():
    standing = Standing()
    first, second = standing.clock.begin_call(), standing.clock.begin_call()
    assert first.metadata == (("loom-participant", f"{standing.participant.id}/1"),)
    assert second.number == 2
