"""Replies: to whom they go, and what an error reply becomes."""

import pytest
from pydantic import BaseModel

from loom.envelope import Envelope
from loom.errors import (
    BridgeUnavailable,
    CapabilityNotFound,
    HandlerError,
    InvalidInput,
    InvalidOutput,
)
from loom.event import Event, make_event
from loom.replies import ERROR_KEY, Replies, Reply, error_payload


class Paper(BaseModel):
    title: str


def reply_event(correlation_id="c", payload=b"1", **extra):
    envelope = Envelope(correlation_id=correlation_id, sender="other", extra=extra)
    return Event.from_message("agent.me.replies", make_event("reply", payload, envelope))


def error_of(error):
    return Reply(reply_event(payload=error_payload(error), **{ERROR_KEY: error.code})).error


async def test_a_reply_goes_to_who_waits_for_it_and_only_while_they_wait():
    replies = Replies()
    with replies.expect() as first, replies.expect() as second:
        assert replies.take(reply_event(second.correlation_id, b"2"))
        assert replies.take(reply_event(first.correlation_id, b"1"))
        assert not replies.take(reply_event("stranger"))
        assert (await first.next()).json() == 1
        assert (await second.next()).json() == 2
        late = reply_event(first.correlation_id)
    assert not replies.take(late)


async def test_a_lost_connection_tells_everyone_who_waits():
    replies = Replies()
    with replies.expect() as one, replies.expect() as other:
        replies.fail(BridgeUnavailable("gone"))
        for pending in (one, other):
            with pytest.raises(BridgeUnavailable):
                await pending.next()


def test_the_value_of_a_reply():
    reply = Reply(reply_event(payload=b'{"title": "x"}'))
    assert (reply.agent_id, reply.type, reply.error) == ("other", "reply", None)
    assert reply.value() == {"title": "x"}
    assert reply.value(Paper) == Paper(title="x")
    assert reply.value(raw=True) == b'{"title": "x"}'
    assert reply.value(Reply) is reply
    with pytest.raises(InvalidOutput, match="the reply of other does not fit Paper"):
        Reply(reply_event(payload=b"{}")).into(Paper)


def test_an_error_reply_becomes_its_exception():
    sent = InvalidInput("field 'x' is bad", details={"x": "bad"})
    error = error_of(sent)
    assert isinstance(error, InvalidInput)
    assert error.details == {"x": "bad"}
    assert error.message.startswith("field 'x' is bad")
    assert isinstance(error_of(CapabilityNotFound("none")), CapabilityNotFound)


def test_an_error_reply_with_a_code_of_its_own_is_the_handlers():
    error = error_of(HandlerError("too many", code="QUOTA"))
    assert (type(error), error.code, error.message) == (HandlerError, "QUOTA", "too many")


@pytest.mark.parametrize("payload", [b"", b"{", b"[1]", b'{"message": 3, "details": 4}'])
def test_whatever_an_error_reply_holds_it_is_an_error(payload):
    assert isinstance(Reply(reply_event(payload=payload, **{ERROR_KEY: "NEWS"})).error, HandlerError)
