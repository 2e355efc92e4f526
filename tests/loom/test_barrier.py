"""Barriers and gatherings: what came, and who is missing."""

import asyncio

import pytest

from loom.barrier import Collector, Gathered, gather
from loom.clock import Clock
from loom.deadline import inherit
from loom.envelope import Envelope
from loom.errors import HandlerError, InvalidInput, InvalidOutput
from loom.event import Event, make_event
from loom.happenings import UNKNOWN
from loom.replies import ERROR_KEY, Reply, error_payload
from tests.loom.standing import Standing


def reply(agent, payload=b"1", **extra):
    envelope = Envelope(sender=agent, extra=extra)
    return Reply(Event.from_message("agent.me.replies", make_event("reply", payload, envelope)))


def failure(agent):
    error = HandlerError("it broke")
    return reply(agent, error_payload(error), **{ERROR_KEY: error.code})


def collect(of, matched, *replies, into=None):
    collector = Collector(of, into)
    collector.matched = matched
    for item in replies:
        collector.add(item)
    return collector


def test_named_agents_are_waited_for_and_named_when_missing():
    collector = collect(["a", "b"], 5, reply("a"))
    assert not collector.done
    barrier = collector.barrier()
    assert (barrier.replies, barrier.missing, barrier.missing_count, barrier.complete) == (
        {"a": 1},
        ["b"],
        1,
        False,
    )
    collector.add(reply("b"))
    assert collector.done
    assert collector.barrier().complete


def test_nobody_left_who_could_answer_ends_it():
    assert collect(["a", "b", "c"], 2, reply("a"), reply("b")).done
    assert collect(3, 1, reply("a")).done


def test_a_number_is_waited_for():
    collector = collect(2, 3, reply("a"))
    assert not collector.done
    assert collector.barrier().missing_count == 1
    collector.add(reply("b"))
    assert collector.done


def test_without_a_word_everyone_who_received_it_is_waited_for():
    collector = collect(None, 2, reply("a"))
    assert not collector.done
    assert collector.barrier().missing_count == 1
    assert collect(None, 2, reply("a"), reply("b")).done


def test_where_the_bridge_does_not_tell_how_many_time_decides():
    collector = collect(None, UNKNOWN, reply("a"))
    assert not collector.done
    assert collector.barrier().missing_count == 0


def test_an_agent_answers_once():
    collector = collect(2, 3, reply("a", b"1"), reply("a", b"2"), failure("a"))
    assert not collector.done
    assert collector.barrier().replies == {"a": 1}


def test_an_error_is_an_answer_and_not_complete():
    collector = collect(["a", "b"], 2, reply("a"), failure("b"))
    assert collector.done
    barrier = collector.barrier()
    assert isinstance(barrier.errors["b"], HandlerError)
    assert (barrier.missing, barrier.complete) == ([], False)


def test_a_reply_that_does_not_fit_is_an_error():
    barrier = collect(1, 1, reply("a", b'"x"'), into=int).barrier()
    assert isinstance(barrier.errors["a"], InvalidOutput)


def test_strangers_without_a_name_are_counted_each():
    assert collect(2, 2, reply(""), reply("")).barrier().complete


async def value(result, event=None):
    if event is not None:
        await event.wait()
    if isinstance(result, BaseException):
        raise result
    return result


async def test_a_gathering_keeps_apart_what_came_what_broke_and_what_is_missing():
    time = Standing()
    calls = {"good": value(1), "bad": value(HandlerError("no")), "late": value(2, asyncio.Event())}
    gathering = asyncio.create_task(gather(calls, 1800, time.clock))
    await time.advance(1799)
    assert not gathering.done()
    await time.advance(1)
    gathered = await gathering
    assert gathered.replies == {"good": 1}
    assert isinstance(gathered.errors["bad"], HandlerError)
    assert gathered.missing == ["late"]
    assert not gathered.complete


async def test_a_gathering_of_nothing_is_complete():
    assert await gather({}, None, Clock()) == Gathered({}, {}, [])
    assert (await gather({0: value(1)}, None, Clock())).complete


async def test_a_gathering_keeps_the_inherited_budget():
    time = Standing()
    with inherit(5, time.clock):
        gathering = asyncio.create_task(gather({0: value(1, asyncio.Event())}, None, time.clock))
    await time.advance(5)
    assert (await gathering).missing == [0]


async def test_cancelling_a_gathering_cancels_what_it_gathers():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(gather({0: work()}, None, Clock()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_replies_of_agents_that_were_not_named_are_left_out():
    collector = collect(["a", "b"], 3, reply("stranger"), reply("a"))
    assert not collector.done
    barrier = collector.barrier()
    assert list(barrier.replies) == ["a"]
    assert barrier.missing == ["b"]
    collector.add(reply("another"))
    assert collector.done, "three received the question, and three have answered"


@pytest.mark.parametrize("of", ["", [], (), 0, -1, True, ["a", "b..c"], ["a.*"], [3]])
def test_a_barrier_of_nobody_is_refused(of):
    with pytest.raises(InvalidInput, match=r"a barrier (of|waits for)"):
        Collector(of, None)
