"""Asking: what is a question, and which of the answers counts."""

import asyncio

import pytest

from loom.asking import check_heard, check_topic, first_good, milliseconds
from loom.envelope import Envelope
from loom.errors import HandlerError, InvalidInput, NoSubscribers, PublishRefused
from loom.event import Event, make_event
from loom.replies import ERROR_KEY, Replies, Reply, error_payload


def reply(payload=b"1", **extra):
    envelope = Envelope(sender="a", extra=extra)
    return Reply(Event.from_message("agent.me.replies", make_event("reply", payload, envelope)))


def failure(text):
    error = HandlerError(text)
    return reply(error_payload(error), **{ERROR_KEY: error.code})


async def test_a_good_reply_wins_over_errors():
    with Replies().expect() as pending:
        for item in (failure("first"), reply(b'"yes"')):
            pending.put(item)
        assert (await first_good(pending, 2)).json() == "yes"


async def test_an_error_counts_once_nobody_is_left():
    with Replies().expect() as pending:
        pending.put(failure("first"))
        waiting = asyncio.create_task(first_good(pending, 2))
        await asyncio.sleep(0)
        assert not waiting.done()
        pending.put(failure("last"))
        with pytest.raises(HandlerError, match="last"):
            await waiting


def test_what_nobody_hears_is_not_waited_for():
    check_heard("t", 1)
    check_heard("t", -1)
    with pytest.raises(NoSubscribers, match="nobody hears t"):
        check_heard("t", 0)


def test_a_question_has_a_concrete_topic():
    check_topic("a.b")
    with pytest.raises(PublishRefused, match="is not a topic"):
        check_topic("a.*")


@pytest.mark.parametrize(("seconds", "expected"), [(1, 1000), (0.0004, 1), (1.2346, 1235)])
def test_seconds_become_milliseconds(seconds, expected):
    assert milliseconds(seconds, "ttl") == expected


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(seconds):
    with pytest.raises(InvalidInput, match="ttl is"):
        milliseconds(seconds, "ttl")
