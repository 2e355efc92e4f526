"""What a run is asked for; what selects nothing is refused, never green."""

from __future__ import annotations

import pytest

from loom_conformance.selection import EmptySelectionError, select
from tests.conformance.made import clause

CLAUSES = [
    clause("HB-1.1"),
    clause("PUB-1.1"),
    clause("PUB-1.2", level="SHOULD"),
    clause("PUB-10.1", level="MAY"),
]


def chosen(*words: str, level: str = "MAY") -> list[str]:
    return [each.id for each in select(CLAUSES, words, level)]


def test_areas_groups_and_clauses_are_named():
    assert chosen() == ["HB-1.1", "PUB-1.1", "PUB-1.2", "PUB-10.1"]
    assert chosen("PUB") == ["PUB-1.1", "PUB-1.2", "PUB-10.1"]
    assert chosen("PUB-1") == ["PUB-1.1", "PUB-1.2"]
    assert chosen("pub-1.2", "hb") == ["HB-1.1", "PUB-1.2"]


def test_a_level_takes_the_stronger_ones_along():
    assert chosen(level="MUST") == ["HB-1.1", "PUB-1.1"]
    assert chosen("PUB", level="SHOULD") == ["PUB-1.1", "PUB-1.2"]


@pytest.mark.parametrize(
    ("words", "level", "says"),
    [
        (["NOPE"], "MAY", "no clause is named 'NOPE': there are HB, PUB"),
        (["PBU"], "MAY", "did you mean PUB"),
        (["PUB-1.11"], "MAY", "did you mean PUB-1.1 or PUB-10.1"),
        (["PUB", "PUB-2"], "MAY", "no clause is named 'PUB-2'"),
        (["PUB-10"], "MUST", "no clause of PUB-10 has level MUST"),
        (["PUB-10"], "SHOULD", "has level SHOULD or a stronger one"),
        ([""], "MAY", "no clause is named ''"),
    ],
)
def test_what_selects_nothing_is_an_error_with_a_way_out(words: list[str], level: str, says: str):
    with pytest.raises(EmptySelectionError) as raised:
        select(CLAUSES, words, level)
    assert says in str(raised.value)
