"""One mutant: what identifies it, and that the same change twice is told apart."""

from __future__ import annotations

from scripts.mutants.mutant import Mutant, numbered


def test_the_line_is_no_part_of_what_identifies_it():
    here, moved = Mutant("a.py", "f", "1 → 2", 3, "n"), Mutant("a.py", "f", "1 → 2", 30, "m")
    assert here == moved
    assert here.key == ("a.py", "f", "1 → 2")
    assert str(moved) == "a.py:30 f: 1 → 2"


def test_the_same_change_in_one_function_is_numbered():
    twice = [Mutant("a.py", "f", "1 → 2", line, f"n{line}") for line in (3, 5)]
    other = Mutant("a.py", "g", "1 → 2", 9, "n9")
    assert [mutant.change for mutant in numbered([*twice, other])] == ["1 → 2", "1 → 2 (2)", "1 → 2"]
