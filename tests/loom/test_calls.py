"""Calls: what goes out, and which exception each unhappy end is."""

from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from loom.calls import encode_arguments, error_result, make_call, read_envelope, read_result
from loom.envelope import Envelope
from loom.errors import (
    AgentGone,
    CallCancelled,
    CapabilityError,
    CapabilityNotFound,
    CapabilityUnavailable,
    DeadlineExceeded,
    IdReused,
    InvalidInput,
    InvalidOutput,
    Overloaded,
    PayloadError,
)
from loom.v1 import action_pb2
from loom.v1.action_pb2 import ACTION_ERROR, ACTION_OK, ACTION_RETRYABLE, ACTION_TIMEOUT


class Query(BaseModel):
    text: str


@dataclass
class Point:
    x: int


def failed(status, code="", message="", **details):
    error = action_pb2.ActionError(code=code, message=message, details=details)
    return action_pb2.ActionResult(status=status, error=error)


def test_a_call_carries_who_calls_in_which_thread_and_trace():
    envelope = Envelope(thread_id="th", sender="me", traceparent="00-1", tracestate="x=1")
    call = make_call("web.search", b"{}", envelope, version="1", call_id="key")
    assert (call.id, call.capability, call.version, call.correlation_id) == ("key", "web.search", "1", "th")
    assert read_envelope(call) == Envelope(
        thread_id="th", correlation_id="th", sender="me", traceparent="00-1", tracestate="x=1"
    )


def test_every_call_has_an_id_and_a_thread():
    first, second = make_call("c", b"", Envelope()), make_call("c", b"", Envelope())
    assert first.id != second.id
    assert read_envelope(first).thread_id == first.id
    assert not first.headers


@pytest.mark.parametrize(
    ("arguments", "more", "payload"),
    [
        (None, {}, b"{}"),
        (None, {"a": 1}, b'{"a":1}'),
        ({"a": 1}, {"b": 2}, b'{"a":1,"b":2}'),
        ({"a": 1}, {"a": 2}, b'{"a":2}'),
        (Query(text="x"), {}, b'{"text":"x"}'),
        (Query(text="x"), {"limit": 2}, b'{"text":"x","limit":2}'),
        (Point(1), {"y": 2}, b'{"x":1,"y":2}'),
        (b"raw", {}, b"raw"),
    ],
)
def test_arguments(arguments, more, payload):
    assert encode_arguments(arguments, more) == payload


@pytest.mark.parametrize("arguments", [b"raw", [1], "text", 3])
def test_keyword_arguments_need_something_they_can_be_added_to(arguments):
    with pytest.raises(InvalidInput, match=r"keyword arguments \(a\) cannot be added to a"):
        encode_arguments(arguments, {"a": 1})


def test_answers():
    good = action_pb2.ActionResult(status=ACTION_OK, output=b'{"text": "x"}')
    assert read_result(good, "c") == {"text": "x"}
    assert read_result(good, "c", raw=True) == b'{"text": "x"}'
    assert read_result(good, "c", into=Query) == Query(text="x")
    assert read_result(action_pb2.ActionResult(), "c") is None
    with pytest.raises(InvalidOutput, match="the answer of c does not fit"):
        read_result(good, "c", into=int)
    with pytest.raises(PayloadError):
        read_result(action_pb2.ActionResult(output=b"{"), "c")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (ACTION_ERROR, "NOT_FOUND", CapabilityNotFound),
        (ACTION_RETRYABLE, "UNAVAILABLE", CapabilityUnavailable),
        (ACTION_RETRYABLE, "PROVIDER_LOST", AgentGone),
        (ACTION_RETRYABLE, "OVERLOADED", Overloaded),
        (ACTION_TIMEOUT, "TIMEOUT", DeadlineExceeded),
        (ACTION_ERROR, "INVALID_INPUT", InvalidInput),
        (ACTION_ERROR, "INVALID_OUTPUT", InvalidOutput),
        (ACTION_ERROR, "CAPABILITY_ERROR", CapabilityError),
        (ACTION_ERROR, "ID_REUSED", IdReused),
        (ACTION_ERROR, "CANCELLED", CallCancelled),
        (ACTION_ERROR, "QUOTA", CapabilityError),
        (ACTION_ERROR, "", CapabilityError),
        (ACTION_TIMEOUT, "", DeadlineExceeded),
        (ACTION_RETRYABLE, "", CapabilityUnavailable),
        (99, "", CapabilityError),
    ],
)
def test_unhappy_ends(status, code, error):
    with pytest.raises(error) as caught:
        read_result(failed(status, code, "so it ended", field="bad"), "web.search")
    assert type(caught.value) is error
    assert "web.search: so it ended" in caught.value.message
    assert caught.value.details == {"field": "bad"}


def test_an_error_travels_there_and_back():
    result = error_result("id", InvalidInput("field 'a' is bad", details={"a": "bad"}))
    assert (result.id, result.status) == ("id", ACTION_ERROR)
    with pytest.raises(InvalidInput) as caught:
        read_result(result, "c")
    assert caught.value.path == "a"
    assert error_result("id", DeadlineExceeded("late")).status == ACTION_TIMEOUT
