"""Rows: kept as JSON, shown with ratios, judged by their targets."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest

from benchmarks.machine import describe, installed
from benchmarks.measure import Contestant, Figures, Row
from benchmarks.players.table import no_turn
from benchmarks.report import keep, newest, record, show, summary
from benchmarks.targets import Target, judge

HERE = {"cpu": "a fast one", "cores": 2}


def contestant(name: str) -> Contestant:
    return Contestant(name, lambda: nullcontext(no_turn))  # never asked


def row(**options) -> Row:
    targets = [Target("loom", "p50", 0.5, beside="peer"), Target("loom", "p99", 5.0)]
    return Row("thing", "a thing done", [contestant("loom"), contestant("peer")], targets, **options)


def figures(ours: float = 1.0, theirs: float = 4.0) -> list[Figures]:
    return [Figures("loom", [ours, ours], [ours]), Figures("peer", [theirs, theirs], [theirs])]


def kept(measured: list[Figures] | None = None, **options):
    return record(row(**options), measured or figures(), HERE, {"peer": "1.2"}, rounds=1)


def test_a_row_is_shown_with_ratios_and_what_became_of_its_targets():
    shown = show(kept())
    assert "thing: a thing done" in shown
    assert "0.25x" in shown
    assert "loom: p50 at most 0.5 x peer; found 0.25 x: reached" in shown
    assert "loom: p99 at most 5 ms; found 1.00 ms: reached" in shown


def test_a_rate_is_shown_as_a_rate():
    shown = show(kept(operations=100))
    assert "per second" in shown
    assert "1,000" in shown
    assert "4x" in shown
    assert "p99 ms" not in shown


def test_who_did_not_run_says_why_and_no_target_is_judged_by_it():
    ours, _ = figures()
    shown = show(kept([ours, Figures("peer", problem="no peer; install it")]))
    assert "peer did not run: no peer; install it" in shown
    assert "loom: p50 at most 0.5 x peer; not known: peer did not run" in shown


def test_without_ours_the_others_are_shown_without_ratios():
    _, theirs = figures()
    shown = show(kept([Figures("loom", problem="failed: it ended"), theirs]))
    assert "loom did not run: failed: it ended" in shown
    assert "4.000" in shown


def test_the_summary_names_machine_and_versions():
    said = summary([kept(), kept()])
    assert "cpu a fast one" in said
    assert said.count("peer 1.2") == 1
    assert said.count("p50 at most 0.5 x peer") == 2


def test_rows_are_appended_and_the_newest_is_found(tmp_path):
    keep(kept(figures(1.0)), tmp_path)
    path = keep(kept(figures(2.0)), tmp_path)
    assert [one["contestants"][0]["p50_ms"] for one in json.loads(path.read_text())] == [1.0, 2.0]
    (last,) = newest(tmp_path)
    assert last["contestants"][1] == {
        "name": "peer",
        "spread": 0.0,
        "samples": 2,
        "p50_ms": 4.0,
        "p99_ms": 4.0,
        "ratio": 0.5,
        "p99_ratio": 0.5,
    }


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("loom", "per_second", 4.0, beside="peer"), True),
        (Target("loom", "per_second", 4.1, beside="peer"), False),
        (Target("loom", "p50", 0.2, beside="peer"), False),
        (Target("loom", "p50", 1.0), True),
    ],
    ids=str,
)
def test_a_target_is_judged_by_its_figure(target, met):
    assert judge(target, figures()).met is met


def test_the_machine_and_what_is_installed_are_described():
    assert {"cpu", "cores", "system", "python", "load", "commit"} == set(describe())
    assert "grpcio" in installed("no-such-distribution")
    assert "no-such-distribution" not in installed("no-such-distribution")
