"""The picture for terminals."""

from __future__ import annotations

import re

from loom_testing.transcript import Entry, Kind, Transcript, Way, draw
from loom_testing.transcript.cells import width_of
from tests.loom_testing.transcript.story import STREAM, Story, order

ORDER = """\
   probe     shop:1    bridge    prices
     │         │         │         │
     ├─────────┼────────▶│         │     joins  hears >
     │         ├────────▶│         │     joins  hears orders.*
     │         │         │◀────────┤     joins  offers price.quote
     ├─────────┼────────▶│         │     publish orders.new → 1  {id: 7, sku: "A-1"}
     │         │◀────────┤         │     orders.new  {id: 7, sku: "A-1"}
     │         ├────────▶│         │     call price.quote  {sku: "A-1"}
     │         │         ├────────▶│     call price.quote  {sku: "A-1"}
     │         │         │◀────────┤     answer  12.5
     │         │◀────────┤         │     answer  12.5
     │         ├────────▶│         │     publish orders.priced  {id: 7, total: 12.5}
     │◀────────┼─────────┤         │     orders.priced  {id: 7, total: 12.5}
═════════════ clock +30 s ══════════════
     │         ├────────▶│         │     leaves  stopped
     │         │         │         │
"""


def test_an_order_as_text():
    assert draw(order().transcript()) == ORDER


def test_no_line_is_wider_than_asked_for():
    for width in (60, 100, 160):
        drawn = draw(order().transcript(), full=True, width=width)
        assert max(map(width_of, drawn.splitlines())) <= width


def test_colours_only_where_they_are_wanted():
    assert "\x1b" not in draw(order().transcript())
    coloured = draw(order().transcript(), colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == draw(order().transcript())
    for line in coloured.splitlines():
        assert line.count("\x1b[") in (0, 2)


def test_a_message_that_was_lost():
    story = Story()
    story.join("a")
    story.recorder.fault("dropped", "a", way=Way.RECEIVED, rpc=STREAM, message=b"\xff")
    assert "✗" in draw(story.transcript())


def test_notes_stand_on_their_lanes():
    story = Story()
    story.join("a")
    story.join("b")
    story.recorder.note("for b", "b")
    story.recorder.note("for all")
    story.recorder.fault("held", "a")
    lines = [
        re.sub("[^◆●│]", "", line.partition("  for")[0].partition("  held")[0])
        for line in draw(story.transcript()).splitlines()
    ]
    assert lines[-4:-1] == ["││◆", "◆◆◆", "●││"]


def test_long_names_stand_on_two_lines():
    story = Story()
    story.join("researcher.of.papers:eu-west")
    story.join("b")
    first, second, *_ = draw(story.transcript()).splitlines()
    assert first.split() == ["researcher.", "bridge", "b"]
    assert second.split() == ["of.papers:eu…"]


def test_more_lanes_than_fit_are_a_list():
    entries = [
        Entry(f"agent-{number}", Way.SENT, Kind.HALF_CLOSE, rpc=STREAM, call=1) for number in range(20)
    ]
    drawn = draw(Transcript(tuple(entries)), full=True)
    assert drawn.splitlines()[3] == "agent-3  → half-close  nothing more will be sent"
    assert "\x1b[90m" in draw(Transcript(tuple(entries)), full=True, colour=True)


def test_nothing_at_all():
    assert draw(Transcript()).splitlines()[0].split() == ["bridge"]
