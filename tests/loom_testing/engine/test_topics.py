"""PUB-2 and REG-1: what topics, patterns and agent ids may look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.engine.topics import agent_id_problem, pattern_problem, replies_topic, topic_problem

GOOD = ["a", "a.b", "A.z.0", "x_y:z@w/q-r", "a" * 255, ".".join("a" * 128)]
BAD = {
    "": "empty",
    ".": "empty token",
    "a.": "empty token",
    ".a": "empty token",
    "a..b": "empty token",
    "a b": "character",
    "a\n": "character",
    "é": "character",
    "\ud800": "character",
    "a" * 256: "256 bytes",
    "é" * 128: "256 bytes",
    "a.*": "wildcard",
    "a.>": "wildcard",
    "a*": "wildcard",
}


@pytest.mark.parametrize("topic", GOOD)
def test_good_topic(topic: str) -> None:
    assert topic_problem(topic) is None
    assert pattern_problem(topic) is None


@pytest.mark.parametrize(("topic", "reason"), BAD.items())
def test_bad_topic(topic: str, reason: str) -> None:
    assert reason in (topic_problem(topic) or "fine")


@pytest.mark.parametrize("pattern", ["*", ">", "a.*", "*.a", "a.>", "*.*.>", "a.*.b"])
def test_good_pattern(pattern: str) -> None:
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (">.a", "before its last"),
        ("a.>.b", "before its last"),
        ("a*", "inside a longer token"),
        ("a.b>", "inside a longer token"),
        ("**", "inside a longer token"),
        ("a..>", "empty token"),
        ("", "empty"),
        ("a b.>", "character"),
        ("a" * 256, "bytes"),
    ],
)
def test_bad_pattern(pattern: str, reason: str) -> None:
    assert reason in (pattern_problem(pattern) or "fine")


def test_agent_id_is_shorter_than_a_topic() -> None:
    assert agent_id_problem("a" * 128) is None
    assert "129 bytes; at most 128" in (agent_id_problem("a" * 129) or "")
    assert "wildcard" in (agent_id_problem("a.*") or "")
    assert "empty" in (agent_id_problem("") or "")


@given(st.text(max_size=300))
def test_what_is_concrete_is_also_a_pattern(text: str) -> None:
    if topic_problem(text) is None:
        assert pattern_problem(text) is None
        assert topic_problem(replies_topic(text[:128].strip("."))) is None
