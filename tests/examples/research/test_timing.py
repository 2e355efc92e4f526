"""Figures for the summary."""

from __future__ import annotations

import pytest

from examples.research.events import Timing
from examples.research.timing import Stopwatch, summary


def test_a_failure_is_timed_too():
    watch = Stopwatch()
    with pytest.raises(ValueError, match="x"), watch.time("call", "source.read"):
        raise ValueError("x")
    assert [(one.what, one.name) for one in watch.timings] == [("call", "source.read")]
    assert watch.timings[0].milliseconds >= 0


def test_each_kind_has_a_line_with_its_median_and_longest():
    took = [Timing(what="call", name="read", milliseconds=ms) for ms in (9.0, 1.0, 2.0)]
    took.append(Timing(what="barrier", name="survey", milliseconds=40.0))
    assert summary(took) == [
        "call read: 3, p50 2.0 ms, max 9.0 ms",
        "barrier survey: 1, p50 40.0 ms, max 40.0 ms",
    ]
