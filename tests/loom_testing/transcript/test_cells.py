"""How much room a text takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.transcript.cells import cut, one_line, width_of


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("ü", 1), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_width(text: str, width: int):
    assert width_of(text) == width


@pytest.mark.parametrize(
    ("text", "room", "said"),
    [("hello", 5, "hello"), ("hello", 4, "hel…"), ("日本語", 4, "日…"), ("a b", 2, "a…"), ("x", 0, "")],
)
def test_cutting(text: str, room: int, said: str):
    assert cut(text, room) == said


def test_nothing_acts_on_a_terminal():
    assert one_line("a\x1b[31m\n\tb\u202e") == "a\\x1b[31m b\\u202e"


@given(st.text(), st.integers(1, 20))
def test_what_is_cut_fits(text: str, room: int):
    assert width_of(cut(text, room)) <= room
