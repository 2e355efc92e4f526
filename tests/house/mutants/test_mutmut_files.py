"""What mutmut writes, read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.mutants.mutant import CannotTryError, Outcome
from scripts.mutants.mutmut_files import (
    killed_alone,
    last_words,
    outcome_of,
    progress,
    read_mutants,
)

SOURCE = '''"""A module."""

LIMIT = 3


class Box:
    def fits(
        self, size: int
    ) -> bool:
        """Whether it fits."""
        room = self.room
        return size < room


def grown(box):
    return box + 1 + 1
'''
MUTATED = '''"""A module."""

class Box:
    @_mutmut_mutated(mutants_xǁBoxǁfits__mutmut)
    def fits(
        self, size: int
    ) -> bool:
        """Whether it fits."""
        room = self.room
        return size < room

    def xǁBoxǁfits__mutmut_orig(
        self, size: int
    ) -> bool:
        """Whether it fits."""
        room = self.room
        return size < room

    def xǁBoxǁfits__mutmut_1(
        self, size: int
    ) -> bool:
        """Whether it fits."""
        room = None
        return size < room

    def xǁBoxǁfits__mutmut_2(
        self, size: int
    ) -> bool:
        """Whether it fits."""
        room = self.room
        return size <= room


def x_grown__mutmut_orig(box):
    return box + 1 + 1


def x_grown__mutmut_1(box):
    return box - 1 + 1


def x_grown__mutmut_2(box):
    return box - 1 + 1
'''


def span(name):
    """Where a function stands in MUTATED."""
    lines = MUTATED.splitlines()
    first = next(place for place, line in enumerate(lines) if f"def {name}(" in line)
    body = next(place for place in range(first, len(lines)) if "return" in lines[place])
    return first + 1, body + 1


def test_mutants_say_where_they_are_and_what_they_change():
    names = [f"xǁBoxǁfits__mutmut_{number}" for number in ("orig", 1, 2)]
    names += [f"x_grown__mutmut_{number}" for number in ("orig", 1, 2)]
    spans = {name: span(name) for name in names}
    found = read_mutants(Path("engine/box.py"), SOURCE, MUTATED, spans)
    assert [str(mutant) for mutant in found] == [
        "box.py:11 Box.fits: room = self.room → room = None",
        "box.py:12 Box.fits: return size < room → return size <= room",
        "box.py:16 grown: return box + 1 + 1 → return box - 1 + 1",
        "box.py:16 grown: return box + 1 + 1 → return box - 1 + 1 (2)",
    ]
    assert found[0].name == "engine.box.xǁBoxǁfits__mutmut_1"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (1, Outcome.KILLED),
        (3, Outcome.KILLED),
        (0, Outcome.SURVIVED),
        (33, Outcome.SURVIVED),
        (36, Outcome.TIMEOUT),
        (-24, Outcome.TIMEOUT),
    ],
)
def test_exit_codes(code, outcome):
    assert outcome_of("m", code) is outcome


def test_an_exit_code_that_nobody_knows_is_no_verdict():
    with pytest.raises(CannotTryError, match="could not try m: exit code 77"):
        outcome_of("m", 77)


def test_a_resumed_run_asks_again_for_what_was_not_killed():
    results = {
        "exit_code_by_key": {"killed": 1, "slow": -24, "survived": 0, "untested": 33, "new": None},
        "more": 1,
    }
    again = json.loads(killed_alone(json.dumps(results)))
    assert again == {
        "exit_code_by_key": {"killed": 1, "slow": None, "survived": None, "untested": None, "new": None},
        "more": 1,
    }


def test_progress_and_last_words():
    log = "Generating\r⠋ 1/30  🎉 0 🫥 0\r⠙ 12/30  🎉 11 🫥 0  ⏰ 1"
    assert progress(log) == "12 of 30 mutants tried, 11 killed"
    assert progress("Generating").startswith("makes the mutants")
    assert last_words("first\n  failed to collect stats\r\n\n") == "failed to collect stats"
    assert last_words("") == "it said nothing"
