"""The file: written, read, and refused in one line where it is none."""

from __future__ import annotations

import json

import pytest

from loom_testing.transcript import (
    Entry,
    Kind,
    Transcript,
    TranscriptError,
    Way,
    decode,
    encode,
    is_transcript,
)
from tests.loom_testing.transcript.story import STREAM, order

BODY = {"topic": "a", "event": {"payload": {"b": 1, "a": "ü"}}}
EVERYTHING = Transcript(
    entries=(
        Entry("a", Way.SENT, Kind.MESSAGE, "publish", STREAM, 1, BODY, 0),
        Entry("a", Way.RECEIVED, Kind.HEADERS, "", STREAM, 1, {}, 3),
        Entry("a", Way.SENT, Kind.BYTES, "", STREAM, 1, {"bytes": 1, "$base64": "/w=="}, 3),
        Entry("a", Way.SENT, Kind.HALF_CLOSE, "", STREAM, 2, None, 4),
        Entry("a", Way.RECEIVED, Kind.RESET, "", STREAM, 2, None, 5),
        Entry("a", Way.RECEIVED, Kind.STATUS, "ABORTED", STREAM, 2, {"details": "x"}, 6),
        Entry("", Way.BESIDE, Kind.NOTE, "status", body=[1]),
        Entry("a", Way.BESIDE, Kind.FAULT, "held"),
        Entry("a", Way.RECEIVED, Kind.FAULT, "dropped", STREAM, 1, {"message": {"welcome": {}}}),
        Entry("", Way.BESIDE, Kind.TIME, "0.5", at=500_000),
    ),
    virtual=True,
    bridge="loom-testing 1",
    started="2026-01-01T00:00:00+00:00",
    about="everything",
    left_out=3,
)


def test_what_is_written_is_read():
    assert decode(encode(EVERYTHING)) == EVERYTHING
    assert decode(encode(Transcript())) == Transcript()


def test_a_recorded_transcript_is_read_as_it_was():
    transcript = order().transcript()
    assert decode(encode(transcript)) == transcript


def test_the_lines_are_easy_to_read():
    header, first, *_ = encode(EVERYTHING).splitlines()
    assert json.loads(header) == {
        "transcript": 1,
        "about": "everything",
        "bridge": "loom-testing 1",
        "started": "2026-01-01T00:00:00+00:00",
        "clock": "virtual",
        "left_out": 3,
        "entries": 10,
    }
    assert first == (
        '{"at":0,"who":"a","rpc":"EventStream","sent":"publish",'
        '"body":{"topic":"a","event":{"payload":{"b":1,"a":"ü"}}}}'
    )


def test_the_order_of_a_payloads_members_is_the_authors():
    assert list(decode(encode(EVERYTHING)).entries[0].body["event"]["payload"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f.jsonl is no transcript: its first line is no header; give a recorded .jsonl"),
        ("hello\n", "is no transcript"),
        ("[]\n", "is no transcript"),
        ('{"trace":1}\n', "is no transcript"),
        ('{"transcript":2,"entries":0}\n', "is of version 2 and this Loom reads version 1: record it again"),
        ('{"transcript":1}\n', "says nowhere how many entries it has"),
        ('{"transcript":1,"entries":true}\n', "says nowhere how many entries it has"),
        (
            '{"transcript":1,"entries":2}\n{"note":"x"}\n',
            "cut off: its header promises 2 entries and 1 are there",
        ),
        ('{"transcript":1,"entries":1}\n{"note":"x"', "line 2: it is no JSON; the file may be cut off there"),
        ('{"transcript":1,"entries":1}\n{"note":"x"}', "is cut off"),
        (
            '{"transcript":1,"entries":1}\n{"note":"x"}\n{"note":"y"}\n',
            "holds more than it says: its header promises 1 entries and 2 are there; record it again",
        ),
        ('{"transcript":1,"entries":1}\n[]\n', "line 2: it is no JSON object"),
        ('{"transcript":1,"entries":1}\n{"who":3,"note":"x"}\n', "line 2: its who is 3, and no text"),
        ('{"transcript":1,"entries":1}\n{"rpc":[],"note":"x"}\n', "line 2: its rpc is [], and no text"),
        ('{"transcript":1,"entries":1}\n{"note":null}\n', "line 2: its note is null, and no text"),
        ('{"transcript":1,"entries":1}\n{"at":true,"note":"x"}\n', "line 2: its at is true, and no whole"),
        ('{"transcript":1,"entries":1}\n{"at":0.5,"note":"x"}\n', "line 2: its at is 0.5, and no whole"),
        ('{"transcript":1,"entries":1}\n{"who":"a"}\n', "line 2: it needs one of sent, received"),
        ('{"transcript":1,"entries":1}\n{"sent":"a","note":"b"}\n', "line 2: it needs one of sent"),
        ('{"transcript":1,"entries":1}\n{"time":"x"}\n', "line 2: its time is no number of seconds"),
        ('{"transcript":1,"entries":1}\n{"fault":"a","way":"up"}\n', "line 2: 'up' is not a valid Way"),
        (
            '{"transcript":1,"entries":1}\n{"rpc":"E","sent":"a","call":"x"}\n',
            'line 2: its call is "x", and no whole',
        ),
        ('{"transcript":1,"entries":1}\n' + "[" * 100_000 + "\n", "line 2: it is nested too deeply"),
    ],
)
def test_what_is_no_transcript_is_refused_in_one_line(text: str, said: str):
    with pytest.raises(TranscriptError) as caught:
        decode(text, "f.jsonl")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "f.jsonl" in str(caught.value)


def test_every_cut_is_noticed():
    text = encode(order().transcript())
    for end in range(0, len(text) - 1, 97):
        with pytest.raises(TranscriptError):
            decode(text[:end])


def test_what_looks_like_a_transcript():
    assert is_transcript('{"transcript":9}')
    assert not is_transcript('{"trace":1}')
    assert not is_transcript("[" * 100_000)
