"""Transcripts as data."""

from __future__ import annotations

from dataclasses import replace

from loom_testing.transcript import Entry, Kind, Transcript, Way, encode
from tests.loom_testing.transcript.story import order


def note(who: str = "", name: str = "n") -> Entry:
    return Entry(who, Way.BESIDE, Kind.NOTE, name, at=5)


def test_what_differs_from_run_to_run_is_left_out_of_what_is_compared():
    real = Transcript((note(),), bridge="loom-bridge 1", started="2026-01-01", about="x", left_out=2)
    assert real.comparable() == Transcript((replace(note(), at=None),), about="x", left_out=2)
    virtual = replace(real, virtual=True)
    assert virtual.comparable() == Transcript((note(),), virtual=True, about="x", left_out=2)


def test_two_runs_of_the_same_thing_are_the_same_file():
    files = {encode(order(seed).transcript().comparable()) for seed in range(5)}
    assert len(files) == 1


def test_of_bytes_that_are_no_message_only_their_number_is_compared():
    raw = {"bytes": 3, "$base64": "AAAA"}
    met = {"message": {"bytes": raw}, "about": 1}
    entries = (
        Entry("a", Way.RECEIVED, Kind.BYTES, "", "EventStream", 1, raw),
        Entry("a", Way.RECEIVED, Kind.FAULT, "cut", "EventStream", 1, met),
        Entry("a", Way.SENT, Kind.MESSAGE, "publish", "EventStream", 1, {"payload": raw}),
        Entry("a", Way.BESIDE, Kind.FAULT, "killed", body=raw),
    )
    compared = [entry.body for entry in Transcript(entries).comparable().entries]
    assert compared == [
        {"bytes": 3},
        {"message": {"bytes": {"bytes": 3}}, "about": 1},
        {"payload": raw},
        raw,
    ]


def test_a_part_of_it():
    transcript = Transcript((note("a"), note("b"), note()))
    assert transcript.of("a").entries == (note("a"), note())
    assert transcript.of().entries == (note(),)


def test_its_end():
    transcript = Transcript((note("a"), note("b"), note("c")), left_out=1)
    assert transcript.tail(2) == Transcript((note("b"), note("c")), left_out=2)
    assert transcript.tail(9) == transcript
