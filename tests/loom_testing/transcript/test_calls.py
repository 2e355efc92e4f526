"""Which entries belong to one call, where nobody said."""

from __future__ import annotations

from loom_testing.transcript import Kind, Way
from loom_testing.transcript.calls import with_calls
from loom_testing.transcript.recorder import Recorded

SENT, RECEIVED = Way.SENT, Way.RECEIVED


def calls(rpc: str, *steps: tuple[Way, Kind]) -> list[int]:
    items = [Recorded(place, 0, "a", way, kind, rpc, 0, None) for place, (way, kind) in enumerate(steps)]
    return [-item.call for item in with_calls(items)]


def test_a_stream_goes_on_until_it_ends():
    steps = [(SENT, Kind.MESSAGE), (RECEIVED, Kind.MESSAGE), (RECEIVED, Kind.STATUS), (SENT, Kind.MESSAGE)]
    assert calls("EventStream", *steps) == [1, 1, 1, 2]


def test_unary_answers_belong_to_requests_in_their_order():
    steps = [(SENT, Kind.MESSAGE), (SENT, Kind.MESSAGE), (RECEIVED, Kind.MESSAGE), (RECEIVED, Kind.MESSAGE)]
    assert calls("ForwardAction", *steps) == [1, 2, 1, 2]


def test_an_answers_status_belongs_to_it():
    steps = [(SENT, Kind.MESSAGE), (RECEIVED, Kind.MESSAGE), (RECEIVED, Kind.STATUS), (SENT, Kind.MESSAGE)]
    assert calls("RegisterAgent", *steps) == [1, 1, 1, 2]


def test_a_call_that_fails_has_only_a_status():
    steps = [(SENT, Kind.MESSAGE), (RECEIVED, Kind.STATUS), (SENT, Kind.MESSAGE), (RECEIVED, Kind.MESSAGE)]
    assert calls("RegisterAgent", *steps) == [1, 1, 2, 2]


def test_metadata_and_half_close_belong_to_the_request_beside_them():
    one = [(SENT, Kind.HEADERS), (SENT, Kind.MESSAGE), (SENT, Kind.HALF_CLOSE), (RECEIVED, Kind.HEADERS)]
    steps = [*one, (RECEIVED, Kind.MESSAGE), (SENT, Kind.HEADERS), (SENT, Kind.MESSAGE)]
    assert calls("RegisterAgent", *steps) == [1, 1, 1, 1, 1, 2, 2]


def test_what_names_its_call_is_left_alone():
    item = Recorded(0, 0, "a", SENT, Kind.MESSAGE, "EventStream", 7, None)
    note = Recorded(1, 0, "", Way.BESIDE, Kind.NOTE, "", 0, ("n", None, None))
    assert list(with_calls([item, note])) == [item, note]
