"""The benchmark's frame: fair turns, honest figures."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from benchmarks.measure import Contestant, ContestantError, Figures, Row, measure, timed


def contestant(name: str, turns: list[str], **options) -> Contestant:
    @asynccontextmanager
    async def ready():
        turns.append(name)

        async def once() -> None:
            turns.append(name.lower())

        yield timed(once)

    return Contestant(name, ready, **options)


@pytest.fixture
def turns() -> list[str]:
    return []


def row(*contestants: Contestant, **options) -> Row:
    return Row("thing", "a thing done", contestants, (), **{"times": 10, **options})


async def test_everyone_has_a_turn_in_each_round_and_the_first_one_changes(turns):
    await measure(row(contestant("A", turns), contestant("B", turns)), rounds=2)
    assert [turn for turn in turns if turn.isupper()] == ["A", "B", "B", "A"]


async def test_what_warms_up_is_not_counted(turns):
    figures = await measure(row(contestant("A", turns), contestant("B", turns)), rounds=2)
    assert [len(one.samples) for one in figures] == [20, 20]
    assert turns.count("a") == 2 * (10 + 1)


async def test_who_is_missing_has_no_turn_and_says_why(turns):
    missing = contestant("B", turns, missing=lambda: "no b; install it")
    ours, theirs = await measure(row(contestant("A", turns), missing), rounds=1)
    assert (ours.problem, theirs.problem) == ("", "no b; install it")
    assert "B" not in turns


async def test_who_fails_is_left_out_and_the_others_go_on(turns):
    @asynccontextmanager
    async def ready():
        raise ContestantError("it ended")
        yield

    figures = await measure(row(contestant("A", turns), Contestant("B", ready)), rounds=3)
    assert figures[1].problem == "failed: it ended"
    assert len(figures[0].rounds) == 3


async def test_figures_are_of_one_operation(turns):
    @asynccontextmanager
    async def ready():
        async def turn(times: int) -> list[float]:
            return [50.0] * times

        yield turn

    (figures,) = await measure(row(Contestant("A", ready), operations=100), rounds=1)
    assert figures.p50 == 0.5
    assert figures.per_second == 2000


async def test_who_does_what_is_told(turns):
    told: list[str] = []
    await measure(row(contestant("A", turns)), rounds=2, tell=told.append)
    assert told == ["thing: round 1 of 2, A", "thing: round 2 of 2, A"]


def test_figures_are_medians():
    figures = Figures("x", samples=[1.0, 2.0, 9.0], rounds=[1.0, 2.0])
    assert figures.p50 == 2.0
    assert figures.spread == 0.5
    assert 8.0 < figures.p99 <= 9.0


def test_one_sample_is_its_own_percentile():
    assert Figures("x", samples=[4.0]).p99 == 4.0


async def test_a_slow_contestants_turn_ends_in_time_with_what_was_measured():
    async def once() -> None:
        pass

    assert len(await timed(once, seconds=0.0)(1000)) == 1
