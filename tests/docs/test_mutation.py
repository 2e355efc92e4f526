"""The page on mutation shows what was kept, each reason once."""

from __future__ import annotations

from docs._ext.mutation import _files, _summary, _survivors, _where
from scripts.mutants.record import Record, Survivor

SURVIVORS = [
    Survivor("a.py", 9, "g", "1 → 2", ""),
    Survivor("a.py", 3, "f", "x < y → x <= y", "they are never equal"),
    Survivor("a.py", 4, "f", "y < x → y <= x", "they are never equal"),
]
RECORD = Record(
    language="python",
    date="2026-01-02",
    commit="c0ffee" * 7,
    tool="mutmut 1",
    compiler="CPython 3",
    seconds=3725,
    score=97.26,
    counts={"killed": 1200, "timeout": 3, "survived": 3, "unviable": 0, "answered": 2},
    files={"a.py": {"killed": 1200, "timeout": 3, "survived": 3, "unviable": 0}},
    survivors=SURVIVORS,
    sources={"a.py": "0" * 64},
)


def cells(table):
    return [[entry.astext() for entry in row] for row in table.findall(lambda node: node.tagname == "row")]


def test_the_engines_side_by_side():
    assert cells(_summary([RECORD])) == [
        ["engine", "mutants", "killed", "timeout", "survived", "unviable", "answered", "noticed"],
        ["Python, the fake bridge", "1,206", "1,200", "3", "3", "0", "2", "97.3 %"],
    ]
    assert cells(_files(RECORD)) == [
        ["file", "killed", "timeout", "survived", "unviable"],
        ["a.py", "1200", "3", "3", "0"],
    ]


def test_where_it_was_measured():
    assert _where(RECORD) == "2026-01-02, commit c0ffeec0ffee; mutmut 1, CPython 3; 1 h 2 min."


def test_survivors_are_gathered_by_function_and_reason():
    first, second = _survivors(SURVIVORS).children
    assert first.astext().split("\n\n") == [
        "f in a.py",
        "they are never equal",
        "line 3: x < y → x <= y",
        "line 4: y < x → y <= x",
    ]
    assert second.astext().split("\n\n") == ["g in a.py", "Not answered yet.", "line 9: 1 → 2"]


def test_nothing_survived():
    assert _survivors([]).astext() == "Nothing survived."
