"""PUB-2 and REG-1: what topics, patterns and agent ids may look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.engine.topics import agent_id_problem, pattern_problem, replies_topic, topic_problem

EMPTY = "is empty"
TOKEN = "has an empty token"
CHARACTER = "has a character other than A-Z a-z 0-9 _ : @ / -"
LENGTH = "has 256 bytes; at most 255 are allowed"
WILDCARD = "has a wildcard where a concrete topic is needed"
INSIDE = "has a wildcard inside a longer token"
BEFORE = "has > before its last token"

GOOD = ["a", "a.b", "A.z.0", "x_y:z@w/q-r", "a" * 255, ".".join("a" * 128)]
BAD = {
    "": EMPTY,
    ".": TOKEN,
    "a.": TOKEN,
    ".a": TOKEN,
    "a..b": TOKEN,
    "a b": CHARACTER,
    "a\n": CHARACTER,
    "é": CHARACTER,
    "\ud800": CHARACTER,
    "a" * 256: LENGTH,
    "é" * 128: LENGTH,
    "a.*": WILDCARD,
    "a.>": WILDCARD,
    "a*": WILDCARD,
}


@pytest.mark.parametrize("topic", GOOD)
def test_good_topic(topic: str) -> None:
    assert topic_problem(topic) is None
    assert pattern_problem(topic) is None


@pytest.mark.parametrize(("topic", "reason"), BAD.items())
def test_bad_topic(topic: str, reason: str) -> None:
    assert topic_problem(topic) == reason


@pytest.mark.parametrize("pattern", ["*", ">", "a.*", "*.a", "a.>", "*.*.>", "a.*.b"])
def test_good_pattern(pattern: str) -> None:
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (">.a", BEFORE),
        ("a.>.b", BEFORE),
        ("a*", INSIDE),
        ("a.b>", INSIDE),
        ("**", INSIDE),
        ("a..>", TOKEN),
        ("a.>.", BEFORE),
        (">.>", BEFORE),
        ("", EMPTY),
        ("a b.>", CHARACTER),
        ("a" * 256, LENGTH),
    ],
)
def test_bad_pattern(pattern: str, reason: str) -> None:
    assert pattern_problem(pattern) == reason


def test_agent_id_is_shorter_than_a_topic() -> None:
    assert agent_id_problem("a" * 128) is None
    assert agent_id_problem("a" * 129) == "has 129 bytes; at most 128 are allowed"
    assert agent_id_problem("a.*") == WILDCARD
    assert agent_id_problem("") == EMPTY


@given(st.text(max_size=300))
def test_what_is_concrete_is_also_a_pattern(text: str) -> None:
    if topic_problem(text) is None:
        assert pattern_problem(text) is None
        assert topic_problem(replies_topic(text[:128].strip("."))) is None
