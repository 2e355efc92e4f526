"""Activities as JSON."""

from __future__ import annotations

import json
import typing

from loom_testing import activity
from loom_testing.activity import Activity, CallEnded, EventPublished, as_json

AT = 1_700_000_000_000_250


def test_json_has_kind_time_and_fields() -> None:
    ended = CallEnded(
        at=AT,
        call=7,
        caller="a",
        provider="b",
        capability="web.search",
        status="OK",
        took_us=1500,
        payload=b"{}",
    )
    assert as_json(ended) == {
        "kind": "call.ended",
        "time": "2023-11-14T22:13:20.000250Z",
        "call": 7,
        "caller": "a",
        "provider": "b",
        "capability": "web.search",
        "status": "OK",
        "code": "",
        "message": "",
        "took_us": 1500,
    }


def test_payloads_are_left_out_unless_asked_for() -> None:
    event = EventPublished(at=AT, sender="a", topic="t", event_type="T", event_id="1", payload=b'{"n":1}\xff')
    assert "payload" not in as_json(event)
    assert as_json(event, payloads=True)["payload"] == '{"n":1}\ufffd'
    json.dumps(as_json(event, payloads=True))
    assert "payload" not in repr(event)


def test_every_activity_is_public_and_has_a_kind_of_its_own() -> None:
    members = typing.get_args(Activity)
    assert {member.__name__ for member in members} <= set(activity.__all__)
    assert len({member.kind for member in members}) == len(members)
