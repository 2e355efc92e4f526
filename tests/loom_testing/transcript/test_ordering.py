"""The order of cause and effect: the same however the connections raced."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.transcript import Kind, Way, encode
from loom_testing.transcript.recorder import Recorded, Recorder
from loom_testing.transcript.wire import method_of
from tests.loom_testing.transcript.story import STREAM, Story, order


def raced(recorder: Recorder, chance: random.Random) -> list[Recorded]:
    """The same recording as another run may have seen it: what the bridge sent arrives sooner or later.

    Kept are the order of what was sent, of what one call received, and of what comes after a clock moved.
    """
    items = [*recorder._head]
    for _ in range(len(items) * 4):
        place = chance.randrange(len(items) - 1)
        first, second = items[place : place + 2]
        if may_swap(first, second):
            items[place : place + 2] = [second, first]
    return items


def may_swap(first: Recorded, second: Recorded) -> bool:
    """Whether the first might have arrived later: what the bridge sent, if it is nothing to the second."""
    if Kind.TIME in (first.kind, second.kind) or first.way is not Way.RECEIVED:
        return False
    if second.way is Way.RECEIVED:
        return (first.who, method_of(first.rpc)) != (second.who, method_of(second.rpc))
    return first.who != second.who


def again(recorder: Recorder, items: list[Recorded]) -> str:
    """The file of a run that saw the items in this order."""
    recorder._head = items
    for number, item in enumerate(items):
        item.number = number
    return encode(recorder.transcript())


@given(st.integers(0, 10_000))
def test_races_between_connections_do_not_show(seed: int):
    story = order()
    expected = encode(story.transcript())
    assert again(story.recorder, raced(story.recorder, random.Random(seed))) == expected


def receipt_and_delivery(receipt_first: bool) -> str:
    story = Story()
    story.join("a")
    story.join("b", "t")
    event = story.event("a")
    story.publish("a", "t", event, confirm=True, pub_seq=1)
    steps = [lambda: story.receipt("a", 1), lambda: story.deliver("b", "t", event)]
    for step in steps if receipt_first else reversed(steps):
        step()
    return encode(story.transcript().comparable())


def test_a_receipt_and_a_delivery_in_either_order():
    assert receipt_and_delivery(True) == receipt_and_delivery(False)


def reaction(second_emit_first: bool) -> str:
    """The probe emits twice without waiting; the agent answers the first."""
    story = Story()
    story.join("probe", ">")
    story.join("agent", "ask.*")
    one = story.event("probe", b"1")
    two = story.event("probe", b"2")
    answer = story.event("agent", b"3", metadata={"loom.thread_id": one.id})

    def react() -> None:
        story.publish("agent", "answer", answer)
        story.deliver("probe", "answer", answer)

    story.publish("probe", "ask.one", one)
    story.deliver("agent", "ask.one", one)
    if not second_emit_first:
        react()
    story.publish("probe", "ask.two", two)
    if second_emit_first:
        react()
    story.deliver("agent", "ask.two", two)
    return encode(story.transcript().comparable())


def test_an_answer_stands_behind_what_it_answers_however_late_it_came():
    assert reaction(True) == reaction(False)


def names(story: Story) -> list[tuple[str, str]]:
    return [(entry.who, entry.name) for entry in story.transcript().entries if entry.kind is Kind.MESSAGE]


def test_a_delivery_never_stands_before_its_publish():
    for seed in range(20):
        story = order()
        again(story.recorder, raced(story.recorder, random.Random(seed)))
        entries = names(story)
        for publish, delivery in [
            (("probe", "publish"), "delivery"),
            (("prices", "action_result"), "response"),
        ]:
            assert entries.index(publish) < max(
                place for place, (_, name) in enumerate(entries) if name == delivery
            )


def test_what_a_program_did_in_turn_stays_in_turn():
    story = Story()
    story.join("a")
    story.join("b")
    for who in "abba":
        story.publish(who, f"from.{who}", story.event(who))
    assert [who for who, name in names(story) if name == "publish"] == ["a", "b", "b", "a"]


def test_order_of_arrival_is_there_for_who_asks_for_it():
    story = Story()
    story.join("a", "t")
    first, second = story.event("a"), story.event("a")
    story.publish("a", "t", first, confirm=True, pub_seq=1)
    story.publish("a", "t", second, confirm=True, pub_seq=2)
    story.receipt("a", 1)
    story.receipt("a", 2)
    arrived = [entry.name for entry in story.transcript(causal=False).entries][-4:]
    ordered = [entry.name for entry in story.transcript().entries][-4:]
    assert arrived == ["publish", "publish", "receipt", "receipt"]
    assert ordered == ["publish", "receipt", "publish", "receipt"]


def test_a_clock_that_was_moved_divides_everything():
    story = Story(virtual=True)
    story.join("a", "t")
    story.join("b")
    story.recorder.advanced(5)
    event = story.event("b")
    story.publish("b", "t", event)
    story.recorder.advanced(5)
    story.deliver("a", "t", event)
    tail = [entry.name for entry in story.transcript().entries][-4:]
    assert tail == ["5", "publish", "5", "delivery"]


@pytest.mark.parametrize("first", ["a", "c"])
def test_agents_by_name_where_nothing_else_decides(first: str):
    story = Story()
    for who in "abc":
        story.join(who, "t")
    event = story.event("b")
    story.publish("b", "t", event)
    for who in sorted("abc", reverse=first == "c"):
        story.deliver(who, "t", event)
    assert [entry.who for entry in story.transcript().entries][-3:] == ["a", "b", "c"]


def test_large_recordings_take_no_more_than_their_share():
    story = Story()
    story.join("a", "t")
    event = story.event("a")
    for number in range(1, 3_000):
        story.publish("a", "t", event, confirm=True, pub_seq=number)
        story.receipt("a", number)
        story.deliver("a", "t", event)
    assert len(story.transcript().entries) == 5 + 3 * 2_999


def test_streams_of_one_agent_are_told_apart():
    story = Story()
    story.join("a")
    story.recorder.status("a", STREAM, "ABORTED", "superseded")
    story.join("a")
    streams = [entry.call for entry in story.transcript().entries if entry.rpc == STREAM]
    assert streams == [1, 1, 1, 1, 2, 2, 2]


def test_publishers_that_race_stand_in_the_order_in_which_they_were_heard():
    story = Story()
    for who in ("asker", "a", "b"):
        story.join(who, "t")
    question = story.event("asker")
    story.publish("asker", "t", question)
    story.deliver("a", "t", question)
    story.deliver("b", "t", question)
    answers = [(who, story.event(who, metadata={"loom.thread_id": question.id})) for who in ("b", "a")]
    for who, event in answers:
        story.publish(who, "t", event)
    for _, event in answers:
        story.deliver("asker", "t", event)
    told = [who for who, name in names(story) if name in ("publish", "delivery")]
    assert told == ["asker", "a", "b", "b", "asker", "a", "asker"]
