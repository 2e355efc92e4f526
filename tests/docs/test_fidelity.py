"""The page on fidelity shows what was published."""

from __future__ import annotations

import json

from docs._ext.fidelity import PUBLISHED, circumstances, lanes, reasons, seeds

LANE = {
    "at": "2026-01-02T03:04:05+00:00",
    "operations": 1_000_123,
    "cases": 7_000,
    "divergences": 0,
    "seeds": {"first": 5, "rounds": 70},
    "seconds": 1000.0,
    "versions": {"loom-py": "1.0", "hypothesis": "6", "pydantic": "2"},
    "machine": {"commit": "c0ffee+", "cpu": "a processor", "cores": 2, "load": 1.5, "python": "3.11"},
}
RESULT = {"lanes": {"grpc": {**LANE, "divergences": 1}, "engine": LANE}, "kept_cases": 3}


def cells(table):
    return [[entry.astext() for entry in row] for row in table.findall(lambda node: node.tagname == "row")]


def test_a_line_for_each_lane() -> None:
    assert cells(lanes(RESULT)) == [
        ["lane", "operations", "cases", "differences", "seeds", "date"],
        ["engine to engine, in memory", "1,000,123", "7,000", "0", "5 to 74", "2026-01-02"],
        ["bridge to bridge, over gRPC", "1,000,123", "7,000", "1", "5 to 74", "2026-01-02"],
    ]


def test_where_it_was_run() -> None:
    engine, _, kept = circumstances(RESULT)
    assert engine == (
        "Engine to engine, in memory: commit c0ffee+, a processor, 2 cores, load 1.5, "
        "1,000 operations a second; Python 3.11, loom-py 1.0, hypothesis 6."
    )
    assert kept.endswith("in every run: 3.")


def test_a_single_round_has_one_seed() -> None:
    assert seeds({"first": 9, "rounds": 1}) == "9"


def test_each_thing_has_its_reason() -> None:
    drawn = reasons([{"what": "the order", "why": "there is none"}])
    assert drawn.astext().split("\n\n") == ["The order", "There is none."]


def test_what_is_published_can_be_drawn() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert set(published["lanes"]) == {"engine", "grpc"}
    assert len(cells(lanes(published))) == 3
    assert circumstances(published)
    for name in ("normalised", "left_out"):
        assert reasons(published[name]).astext()
