"""Values as pictures show them."""

from __future__ import annotations

import pytest

from loom_testing.transcript.shown import show, show_payload, show_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"id": 7, "a b": "x"}, '{id: 7, "a b": "x"}'),
        (["a", True, None, 1.5], '["a", true, null, 1.5]'),
        ({"call": "${call:1}"}, "{call: <call 1>}"),
        ("about ${event:2}", '"about <event 2>"'),
        ("${redacted}", "•••"),
        ("w:${agent:1}", '"w:1"'),
        ("${agent:1}", "<agent 1>"),
        ("test-${namespace:1}", '"test-1"'),
        ("${bridge:name}", "<bridge name>"),
        ("$${call:1}", '"${call:1}"'),
        ({"${id:1}": 1}, "{<id 1>: 1}"),
        ("${time:3.iso}", "<time 3>"),
        ("ü", '"ü"'),
    ],
)
def test_json(value: object, shown: str):
    assert show_text(show(value)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"$text": "hello"}, '"hello"'),
        ({"$base64": "AA=="}, "base64 AA=="),
        ({"$json": {"$text": "x"}}, '{$text: "x"}'),
        ({"a": 1}, "{a: 1}"),
        (5, "5"),
    ],
)
def test_payloads(value: object, shown: str):
    assert show_payload(value) == shown
