"""Topics: the SDK and the bridge call the same things well-formed, and match alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom import topics
from loom_testing.engine import topics as engine

SIGNS = st.text(alphabet="aZ09_:@/-.*> é\n", max_size=12)
LONG = st.integers(min_value=120, max_value=260).map(lambda size: "a" * size)


@given(text=SIGNS | LONG | st.text(max_size=8))
def test_the_bridge_calls_the_same_things_well_formed(text):
    assert (topics.topic_problem(text) is None) == (engine.topic_problem(text) is None)
    assert (topics.pattern_problem(text) is None) == (engine.pattern_problem(text) is None)
    assert (topics.agent_id_problem(text) is None) == (engine.agent_id_problem(text) is None)


def test_the_replies_topic_is_the_bridges():
    assert topics.replies_topic("a.b") == engine.replies_topic("a.b") == "agent.a.b.replies"


@pytest.mark.parametrize(
    ("pattern", "topic", "fits"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.*", "a.b.c", False),
        ("*.b", "a.b", True),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a", True),
        ("*.>", "a", False),
        ("*.>", "a.b", True),
    ],
)
def test_matching(pattern, topic, fits):
    assert topics.matches(pattern, topic) is fits
