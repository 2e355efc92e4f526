"""Where the chance of faults comes from in one run."""

from __future__ import annotations

from typing import Any

import pytest

from loom_testing.harness.seed import BELOW, HANDED, SEED_VARIABLE, seed_of


class Run:
    """A run, as the seed sees it; `handed` is what a worker was handed."""

    def __init__(self, option: str | None = None, handed: dict[str, Any] | None = None) -> None:
        self.option = option
        if handed is not None:
            self.workerinput = handed

    def getoption(self, name: str) -> str | None:
        assert name == "--loom-seed"
        return self.option


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.delenv(SEED_VARIABLE, raising=False)


def test_unless_something_is_said_it_is_always_the_same():
    assert seed_of(Run()) == seed_of(Run("")) == seed_of(Run(handed={})) == 0


def test_the_option_comes_before_the_variable(monkeypatch):
    monkeypatch.setenv(SEED_VARIABLE, "5")
    assert seed_of(Run()) == 5
    assert seed_of(Run("6")) == 6


def test_a_random_one_is_drawn():
    drawn = {seed_of(Run("random")) for _ in range(20)}
    assert len(drawn) > 1
    assert all(0 <= seed < BELOW for seed in drawn)


def test_a_worker_takes_what_it_is_handed():
    assert seed_of(Run("random", {HANDED: 0})) == 0
    assert seed_of(Run("7", {HANDED: 42})) == 42


@pytest.mark.parametrize("text", ["seven", "1.5", "RANDOM"])
def test_what_is_none_is_refused(text):
    with pytest.raises(pytest.UsageError, match=f"--loom-seed is '{text}': give a whole number, or random"):
        seed_of(Run(text))


def test_a_variable_that_gives_none_is_named(monkeypatch):
    monkeypatch.setenv(SEED_VARIABLE, "bar")
    with pytest.raises(pytest.UsageError, match="LOOM_TEST_SEED is 'bar': give a whole number, or random"):
        seed_of(Run())
    with pytest.raises(pytest.UsageError, match="--loom-seed is 'foo'"):
        seed_of(Run("foo"))
