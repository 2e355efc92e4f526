"""What becomes of one message."""

from __future__ import annotations

import pytest

from loom_testing.faults.verdict import Cut, Status, Verdict


def test_a_message_goes_on_as_it_is():
    verdict = Verdict(b"x")
    assert not verdict.is_final
    assert (verdict.data, verdict.copies, verdict.told) == (b"x", 1, [])


@pytest.mark.parametrize(
    "given",
    [{"copies": 0}, {"cut": Cut.BEFORE}, {"answered": Status("INTERNAL", "")}],
    ids=["dropped", "cut", "answered"],
)
def test_nothing_is_left_to_do(given):
    verdict = Verdict(b"x", **given)
    assert verdict.is_final


@pytest.mark.parametrize(
    "given",
    [{"copies": 2}, {"cut": Cut.AFTER}, {"delay": 1}, {"size_delay": 1}, {"behind": 1}, {"stalled_by": [1]}],
    ids=lambda given: next(iter(given)),
)
def test_others_may_still_do_something(given):
    assert not Verdict(b"x", **given).is_final
