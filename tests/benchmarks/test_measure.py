"""The benchmark's frame: fair turns, honest figures, rows that are kept."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest

from benchmarks.machine import describe
from benchmarks.measure import Contestant, Figures, Row, measure
from benchmarks.report import keep, show


def contestant(name: str, turns: list[str]) -> Contestant:
    @asynccontextmanager
    async def ready():
        turns.append(name)

        async def once() -> None:
            turns.append(name.lower())

        yield once

    return Contestant(name, ready)


@pytest.fixture
def turns() -> list[str]:
    return []


@pytest.fixture
def row(turns) -> Row:
    return Row(
        "thing", "a thing done", [contestant("A", turns), contestant("B", turns)], "A below B", times=10
    )


async def test_everyone_has_a_turn_in_each_round_and_the_first_one_changes(row, turns):
    await measure(row, rounds=2)
    assert [turn for turn in turns if turn.isupper()] == ["A", "B", "B", "A"]


async def test_what_warms_up_is_not_counted(row, turns):
    figures = await measure(row, rounds=2)
    assert [len(one.samples) for one in figures] == [20, 20]
    assert turns.count("a") == 2 * (10 + 1)


def test_figures_are_medians():
    figures = Figures("x", samples=[1.0, 2.0, 9.0], rounds=[1.0, 2.0])
    assert figures.p50 == 2.0
    assert figures.spread == 0.5
    assert 8.0 < figures.p99 <= 9.0


async def test_a_row_is_shown_with_ratios_and_kept_with_the_machine(row, tmp_path):
    figures = [Figures("A", [1.0, 1.0], [1.0]), Figures("B", [2.0, 2.0], [2.0])]
    shown = show(row, figures)
    assert "2.00x" in shown
    assert "target: A below B" in shown
    for _ in range(2):
        path = keep(row, figures, describe(), tmp_path)
    kept = json.loads(path.read_text())
    assert len(kept) == 2
    assert kept[-1]["contestants"][1]["ratio"] == 2.0
    assert {"cpu", "cores", "python", "commit", "versions"} <= set(kept[-1]["machine"])
