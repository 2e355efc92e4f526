"""What a participant says, as it is taken in."""

from __future__ import annotations

import pytest

from loom.testing.v1 import control_pb2 as c
from loom_testing import participate as participate_module
from loom_testing.participants import OpenCall
from loom_testing.participate import read_report


def test_a_report_is_read_as_it_is():
    report = read_report(
        c.Report(
            turn=3,
            busy=["a is handling t"],
            next_us=5,
            next_of="a",
            awaited_us=6,
            calls=[c.OpenCall(number=1, sent=2, received=3, paused=True), c.OpenCall(number=2)],
        )
    )
    assert (report.turn, report.busy, report.next, report.next_of, report.awaited) == (
        *(3, ("a is handling t",)),
        *(5, "a", 6),
    )
    assert report.calls == {1: OpenCall(2, 3, paused=True), 2: OpenCall()}


def test_what_a_stranger_says_is_cut_and_one_line():
    report = read_report(c.Report(turn=1, busy=["a\nb", "x" * 1_000, *["y"] * 100], next_of="z" * 1_000))
    assert report.busy[0] == '"a\\u{a}b"'
    assert len(report.busy[1]) == len(report.next_of) == participate_module.MOST_TEXT
    assert len(report.busy) == participate_module.MOST_BUSY


def test_no_call_is_listed_twice():
    with pytest.raises(ValueError, match="twice"):
        read_report(c.Report(turn=1, calls=[c.OpenCall(number=1), c.OpenCall(number=1, sent=2)]))


def test_there_are_only_so_many_calls(monkeypatch):
    monkeypatch.setattr(participate_module, "MOST_CALLS", 2)
    read_report(c.Report(turn=1, calls=[c.OpenCall(number=n) for n in range(2)]))
    with pytest.raises(ValueError, match="lists 3 calls; at most 2"):
        read_report(c.Report(turn=1, calls=[c.OpenCall(number=n) for n in range(3)]))
