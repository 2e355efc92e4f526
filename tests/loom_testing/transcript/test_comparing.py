"""What is different between two transcripts."""

from __future__ import annotations

from dataclasses import replace

from loom_testing.transcript import Entry, Kind, Transcript, Way
from loom_testing.transcript.comparing import differences
from tests.loom_testing.transcript.story import order


def changed(place: int, **fields: object) -> Transcript:
    """The order with one entry changed."""
    transcript = order().transcript()
    entries = list(transcript.entries)
    entries[place] = replace(entries[place], **fields)
    return replace(transcript, entries=tuple(entries))


def place(name: str, who: str = "") -> int:
    entries = order().transcript().entries
    return next(n for n, entry in enumerate(entries) if entry.name == name and who in entry.who)


def test_the_same_has_no_differences():
    assert differences(order(1).transcript(), order(2).transcript()) == []


def test_another_content_is_told_by_its_place():
    at = place("publish", "shop")
    body = order().transcript().entries[at].body
    event = {**body["event"], "payload": {"id": 7, "total": 25.0}, "tags": ["x"]}
    assert differences(order().transcript(), changed(at, body={**body, "event": event})) == [
        "  …",
        "  prices → answer <call 2>  12.5",
        "  shop:1 ← answer  12.5",
        "  shop:1 → publish orders.priced",
        "      event.payload.total: expected 12.5, got 25.0",
        '      event.tags: expected nothing, got ["x"]',
        "  probe ← orders.priced  {id: 7, total: 12.5}",
        "  clock +30 s",
        "  …",
    ]


def test_what_is_missing_and_what_is_there_instead():
    at = place("publish", "shop")
    body = order().transcript().entries[at].body
    lines = differences(order().transcript(), changed(at, body={**body, "topic": "orders.prized"}))
    assert "- shop:1 → publish orders.priced  {id: 7, total: 12.5}" in lines
    assert "+ shop:1 → publish orders.prized  {id: 7, total: 12.5}" in lines


def test_entries_that_are_gone_or_new():
    transcript = order().transcript()
    shorter = replace(transcript, entries=transcript.entries[:-1])
    assert differences(transcript, shorter)[-1] == "- shop:1 ← EventStream ends: OK"
    assert differences(shorter, transcript)[-1] == "+ shop:1 ← EventStream ends: OK"


def test_virtual_times_are_compared():
    at = place("goodbye")
    lines = differences(order().transcript(), changed(at, at=31_000_000))
    assert "      at: expected 30 s, got 31 s" in lines


def test_lists_and_kinds_of_values():
    one = Transcript((Entry("", Way.BESIDE, Kind.NOTE, "n", body=[1, [2], True]),))
    other = Transcript((Entry("", Way.BESIDE, Kind.NOTE, "n", body=[1, [2, 3], 1]),))
    assert differences(one, other) == [
        "  n",
        "      [1][1]: expected nothing, got 3",
        "      [2]: expected true, got 1",
    ]
    text = Transcript((Entry("", Way.BESIDE, Kind.NOTE, "n", body="x"),))
    assert differences(one, text)[1] == '      content: expected [1, [2], true], got "x"'


def test_what_is_said_of_the_whole():
    lines = differences(Transcript(about="a"), Transcript(about="b", virtual=True, left_out=3))
    assert lines == [
        "about: expected 'a', got 'b'",
        "virtual: expected False, got True",
        "left_out: expected 0, got 3",
    ]


def test_what_differs_from_run_to_run_is_no_difference():
    assert differences(Transcript(bridge="a", started="b"), Transcript(bridge="c", started="d")) == []
