"""Chance that is the same again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loom_testing.faults.chance import Chance

ABOUT = ("reply", 3)


@given(st.integers(), st.text(), st.integers(0, 10**6))
def test_the_same_seed_gives_the_same_numbers(seed, who, number):
    assert Chance(seed).draw(who, number) == Chance(seed).draw(who, number)
    assert 0 <= Chance(seed).draw(who, number) < 1
    assert 0 <= Chance(seed).number(7, who, number) < 7


def test_another_seed_and_another_matter_give_others():
    drawn = {Chance(seed).draw(who, number) for seed in range(5) for who in "ab" for number in range(20)}
    assert len(drawn) == 200


def test_what_it_is_about_is_not_run_together():
    assert Chance().draw("a", 11) != Chance().draw("a1", 1)


def test_it_is_the_same_on_every_machine():
    assert Chance(7).number(1000, *ABOUT) == 573
    assert Chance(7).number(2**64, *ABOUT) == 7355819305417126573


def test_it_is_even_enough():
    fired = sum(Chance(1).draw("fault", number) < 0.1 for number in range(10_000))
    assert 900 < fired < 1100
