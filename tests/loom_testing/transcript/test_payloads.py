"""Payloads: readable, and exact in both directions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.transcript.payloads import payload_bytes, read_payload

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("$text"), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"b": 1, "a": [true, null]}', {"b": 1, "a": [True, None]}),
        (b"5", 5),
        (b'"text"', "text"),
        (b"plain words", {"$text": "plain words"}),
        (b"", {"$text": ""}),
        (b"\xff\x00", {"$base64": "/wA="}),
        (b"NaN", {"$text": "NaN"}),
        (b'{"a":1,"a":2}', {"$text": '{"a":1,"a":2}'}),
        (b'"\\ud800"', {"$text": '"\\ud800"'}),
        (b'{"$text":"trick"}', {"$json": {"$text": "trick"}}),
    ],
)
def test_how_payloads_read(data: bytes, value: object):
    assert read_payload(data) == value


@given(VALUES)
def test_json_is_kept(value: object):
    data = json.dumps(value).encode()
    read = read_payload(data)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        assert payload_bytes(read) == data
    else:
        assert json.loads(payload_bytes(read)) == value


@given(st.binary())
def test_what_is_no_json_comes_back_byte_for_byte(data: bytes):
    read = read_payload(data)
    if isinstance(read, dict) and read.keys() & {"$text", "$base64"}:
        assert payload_bytes(read) == data
    else:
        assert json.loads(payload_bytes(read)) == json.loads(data)


def test_deep_nesting_is_text():
    data = b"[" * 100_000 + b"]" * 100_000
    assert read_payload(data) == {"$text": data.decode()}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"$base64": "*"}, "holds no base64"),
        ({"$text": 5}, "holds int, not text"),
        ({"$base64": None}, "not text"),
    ],
)
def test_a_wrapping_that_holds_something_else(value: object, said: str):
    with pytest.raises(ValueError, match=said):
        payload_bytes(value)
