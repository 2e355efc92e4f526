"""What faults do to a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.faults import FaultError, effects
from loom_testing.faults.chance import Chance
from loom_testing.faults.effects import Effect
from loom_testing.faults.verdict import Cut, Status, Verdict
from tests.loom_testing.faults.messages import publish

MICROS = 1_000_000
ABOUT = (1, "a", "to_bridge", "EventStream", 1)


def applied(effect: Effect, data: bytes | None = None) -> tuple[Verdict, str]:
    message = publish()
    if data is not None:
        message.data = data
    verdict = Verdict(message.data)
    told = effect.apply(verdict, message, Chance(1), *ABOUT)
    return verdict, told


def test_drop():
    verdict, told = applied(effects.Drop())
    assert (verdict.copies, told) == (0, "dropped")
    assert verdict.is_final


def test_delay():
    verdict, told = applied(effects.Delay(1.5))
    assert (verdict.delay, told) == (1_500_000, "delayed by 1.5 s")
    assert not verdict.is_final


def test_delays_add_up():
    verdict = Verdict(b"")
    for _ in range(2):
        effects.Delay(2).apply(verdict, publish(), Chance(), *ABOUT)
    assert verdict.delay == 4 * MICROS


@pytest.mark.parametrize(("copies", "said"), [(1, "duplicated"), (3, "duplicated 3 times")])
def test_duplicate(copies, said):
    verdict, told = applied(effects.Duplicate(copies))
    assert (verdict.copies, told) == (1 + copies, said)


@pytest.mark.parametrize(("by", "said"), [(1, "until the next has passed"), (4, "until 4 have passed")])
def test_reorder(by, said):
    verdict, told = applied(effects.Reorder(by))
    assert (verdict.behind, told) == (by, f"held {said}")


def test_slow_takes_the_time_of_its_bytes():
    verdict, told = applied(effects.Slow(10), b"x" * 25)
    assert (verdict.size_delay, told) == (2_500_000, "took 2.5 s on a slow link")


def test_slow_never_takes_longer_than_a_delay_may():
    verdict, _ = applied(effects.Slow(1e-300), b"x" * 25)
    assert verdict.size_delay == effects.MOST_S * MICROS


def test_slow_counts_the_bytes_that_go_on():
    verdict = Verdict(b"xx")
    effects.Slow(1).apply(verdict, publish(), Chance(), *ABOUT)
    assert verdict.size_delay == 2 * MICROS


def test_disconnect():
    verdict, told = applied(effects.Disconnect())
    assert (verdict.cut, told, verdict.is_final) == (Cut.BEFORE, "disconnected", True)
    verdict, told = applied(effects.Disconnect("after"))
    assert (verdict.cut, told, verdict.is_final) == (Cut.AFTER, "disconnected after it", False)


def test_stall_names_its_fault():
    verdict, told = applied(effects.Stall())
    assert (verdict.stalled_by, told, verdict.is_final) == ([1], "stalled", False)


def test_fail():
    verdict, told = applied(effects.Fail("INTERNAL", "no"))
    assert (verdict.answered, told) == (Status("INTERNAL", "no"), "failed: INTERNAL")
    assert verdict.is_final


# Corrupt.


@given(st.binary(min_size=1, max_size=100))
def test_a_flip_changes_one_bit(data):
    verdict, told = applied(effects.Corrupt(), data)
    changed = [(one ^ other) for one, other in zip(data, verdict.data, strict=True) if one != other]
    assert len(changed) == 1
    assert changed[0].bit_count() == 1
    assert told.startswith("bit ")


@given(st.binary(min_size=1, max_size=100))
def test_a_cut_leaves_a_beginning(data):
    verdict, told = applied(effects.Corrupt("truncate"), data)
    assert len(verdict.data) < len(data)
    assert data.startswith(verdict.data)
    assert told == f"cut to {len(verdict.data)} of {len(data)} bytes"


@pytest.mark.parametrize("how", ["flip", "truncate", "garbage"])
def test_bytes_that_are_none_become_garbage(how):
    verdict, told = applied(effects.Corrupt(how), b"")
    assert told == "replaced by garbage"
    assert publish().__class__(publish().direction, "EventStream", verdict.data).parsed is None


def test_the_same_chance_corrupts_the_same():
    assert applied(effects.Corrupt()) == applied(effects.Corrupt())


def test_a_function_of_the_tests():
    verdict, told = applied(effects.Corrupt(lambda data: data[::-1]), b"abc")
    assert (verdict.data, told) == (b"cba", "changed by the test")


def test_corruptions_come_one_upon_the_other():
    verdict = Verdict(b"abc")
    for _ in range(2):
        effects.Corrupt(lambda data: data + b"x").apply(verdict, publish(), Chance(), *ABOUT)
    assert verdict.data == b"abcxx"


@pytest.mark.parametrize("made", [5, "text", None])
def test_a_function_that_gives_no_bytes_says_so(made):
    with pytest.raises(FaultError, match=r"^was given .* by its function: let it give bytes$"):
        applied(effects.Corrupt(lambda data: made))


# What cannot be.


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: effects.Delay(0), r"delay\(0\): give seconds above 0, at most 86400"),
        (lambda: effects.Delay(-1), r"delay\(-1\)"),
        (lambda: effects.Delay(float("nan")), r"delay\(nan\)"),
        (lambda: effects.Delay(float("inf")), r"delay\(inf\)"),
        (lambda: effects.Delay(True), r"delay\(True\)"),
        (lambda: effects.Delay("1"), r"delay\('1'\)"),
        (lambda: effects.Duplicate(0), r"duplicate\(copies=\.\.\.\) is 0: give a number from 1 to 100"),
        (lambda: effects.Duplicate(101), r"is 101"),
        (lambda: effects.Duplicate(1.5), r"is 1\.5"),
        (lambda: effects.Reorder(0), r"reorder\(by=\.\.\.\) is 0: give a number from 1 to 10000"),
        (lambda: effects.Reorder(True), r"is True"),
        (lambda: effects.Slow(0), r"slow\(0\): give bytes per second, above 0; stall\(\) passes nothing"),
        (lambda: effects.Slow(float("inf")), r"slow\(inf\)"),
        (lambda: effects.Slow(float("nan")), r"slow\(nan\)"),
        (lambda: effects.Corrupt("melt"), r"corrupt\(how='melt'\): write flip, truncate or garbage"),
        (lambda: effects.Disconnect("during"), r"disconnect\(when='during'\): write before or after"),
        (lambda: effects.Fail("OK"), r"fail\('OK'\): there is CANCELLED, UNKNOWN"),
        (lambda: effects.Fail("unavailable"), r"fail\('unavailable'\)"),
    ],
)
def test_what_cannot_be_is_refused(make, said):
    with pytest.raises(FaultError, match=said):
        make()
