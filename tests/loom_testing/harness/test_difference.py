"""What is said when an expected event did not come."""

from __future__ import annotations

from loom_testing.harness.difference import MOST_EVENTS, describe_event, describe_miss
from loom_testing.harness.expected import Expected
from tests.loom_testing.harness.agents import event


def test_nothing_came():
    assert describe_miss(Expected("a.b"), [], 0) == "  nothing came"


def test_the_nearest_miss_comes_first_with_each_difference():
    events = [
        event("paper.submitted", {"id": 1}),
        event("paper.summarized", {"text": "long", "words": 3, "deep": {"n": 1}}),
        event("paper.summarized", {"text": "short", "words": 4, "deep": {"n": 1}}),
    ]
    expected = Expected("paper.summarized", payload={"text": "short", "words": 3, "deep": {"n": 1, "m": 2}})
    assert describe_miss(expected, events, 2).splitlines() == [
        "  nearest: paper.summarized from writer: {'text': 'short', 'words': 4, 'deep': {'n': 1}}",
        "      payload.words   expected 3, got 4",
        "      payload.deep.m  expected 2, nothing is there",
        "  also came (2 events):",
        "      paper.submitted from writer: {'id': 1}",
        "      paper.summarized from writer: {'text': 'long', 'words': 3, 'deep': {'n': 1}}",
        "  (2 more events given out before)",
    ]


def test_another_type_is_further_off_than_another_field():
    events = [event("a", {"n": 1}, type="wrong"), event("a", {"n": 2}, type="right")]
    lines = describe_miss(Expected("a", "right", payload={"n": 1}), events, 0).splitlines()
    assert lines[0] == "  nearest: a type=right from writer: {'n': 2}"


def test_where_every_topic_is_another_none_is_near():
    lines = describe_miss(Expected("x"), [event("a"), event("b")], 0).splitlines()
    assert lines == ["  came (2 events):", "      a from writer: None", "      b from writer: None"]


def test_a_single_event_is_compared_whatever_its_topic():
    lines = describe_miss(Expected("a.b"), [event("a.c", 1)], 0).splitlines()
    assert lines == ["  nearest: a.c from writer: 1", "      topic  expected 'a.b', got 'a.c'"]


def test_long_texts_are_shown_where_they_part():
    long = "The kiln cools for a day and a night. " * 10
    expected = Expected("a", payload={"text": f"{long}Then it is opened. {long}"})
    text = describe_miss(expected, [event("a", {"text": f"{long}Never open it. {long}"})], 0)
    line = next(line for line in text.splitlines() if "payload.text" in line)
    assert "expected ...' cools for a day and a night. Then it is opened. The kiln" in line
    assert "got ...' cools for a day and a night. Never open it. The kiln" in line
    assert len(line) < 330
    short = describe_miss(Expected("a", payload={"text": "b"}), [event("a", {"text": "c" * 500})], 0)
    assert "expected 'b', got 'cc" in short
    assert short.endswith("c'...")


def test_items_of_lists_are_compared_one_by_one():
    expected = Expected("a", payload={"hits": [1, {"n": 1}, 3]})
    for hits, said in (
        (
            [1, {"n": 2}],
            ["payload.hits[1].n  expected 1, got 2", "payload.hits[2]    expected 3, nothing is there"],
        ),
        ([1, {"n": 1}, 3, 4], ["payload.hits[3]  expected nothing, got 4"]),
    ):
        lines = describe_miss(expected, [event("a", {"hits": hits})], 0).splitlines()
        assert [line.strip() for line in lines[1:]] == said


def test_a_predicate_is_named():
    def is_red(event) -> bool:
        return False

    text = describe_miss(Expected("a", where=is_red), [event("a", 1)], 0)
    assert "where  is_red says no" in text


def test_much_is_shortened():
    events = [event(f"a.t{number}", "x" * 1000) for number in range(40)]
    lines = describe_miss(Expected("b"), events, 1).splitlines()
    assert lines[0] == f"  came (40 events, the last {MOST_EVENTS}):"
    assert len(lines) == MOST_EVENTS + 2
    assert max(map(len, lines)) < 200
    assert lines[-2].startswith("      a.t39 ")
    assert lines[-1] == "  (1 more event given out before)"


def test_many_differences_are_counted():
    wanted = {f"n{number}": 1 for number in range(20)}
    text = describe_miss(Expected("a", payload=wanted), [event("a", {})], 0)
    assert text.endswith("and 8 more differences")


def test_an_event_in_one_line():
    assert describe_event(event("a", b"\xff", sender="")) == "a: b'\\xff'"
