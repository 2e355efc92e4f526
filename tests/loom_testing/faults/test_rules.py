"""The faults in force, and what they make of each message."""

from __future__ import annotations

import pytest

from loom_testing.faults import FaultError, Rules, effects
from loom_testing.faults.rules import MOST_FAULTS
from loom_testing.faults.verdict import Cut, Told
from tests.loom_testing.faults.messages import delivery, fault, publish


@pytest.fixture
def rules():
    return Rules()


class Shell:
    """Two connections, one of agent a."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str | int]] = []

    def cut(self, agent: str) -> int:
        self.done.append(("cut", agent))
        return 1 if agent else 2

    def stall(self, agent: str, fault: int) -> int:
        self.done.append(("stall", agent))
        return 0 if agent == "nobody" else 1

    def let_go(self, fault: int) -> None:
        self.done.append(("let go", fault))


def test_nothing_in_force_changes_nothing(rules):
    message = publish()
    verdict = rules.judge(message)
    assert verdict.data is message.data
    assert (verdict.copies, verdict.told, verdict.is_final) == (1, [], False)


def test_several_have_their_say_in_the_order_in_which_they_came_into_force(rules):
    with (
        fault(rules, effects.Corrupt(lambda data: data + b"1")),
        fault(rules, effects.Corrupt(lambda data: data + b"2")),
        fault(rules, effects.Duplicate()),
        fault(rules, effects.Delay(1)),
        fault(rules, effects.Disconnect("after"), kind="publish"),
    ):
        message = publish()
        verdict = rules.judge(message)
    assert verdict.data == message.data + b"12"
    assert (verdict.copies, verdict.delay, verdict.cut) == (2, 1_000_000, Cut.AFTER)
    assert verdict.told == [
        Told(1, "changed by the test"),
        Told(2, "changed by the test"),
        Told(3, "duplicated"),
        Told(4, "delayed by 1 s"),
        Told(5, "disconnected after it"),
    ]


def test_after_one_that_ends_it_nobody_has_a_say_but_counts_it(rules):
    with fault(rules, times=1), fault(rules, effects.Duplicate()) as second:
        assert [told.text for told in rules.judge(publish()).told] == ["dropped"]
        assert (second.met, second.fired) == (1, 0)
        rules.judge(publish())
    assert (second.met, second.fired) == (2, 1)


def test_the_nth_is_the_same_message_whatever_became_of_those_before(rules):
    with fault(rules, nth=1), fault(rules, effects.Delay(1), nth=2), fault(rules, effects.Reorder(), nth=3):
        verdicts = [rules.judge(publish()) for _ in range(3)]
    assert [(verdict.copies, verdict.delay, verdict.behind) for verdict in verdicts] == [
        (0, 0, 0),
        (1, 1_000_000, 0),
        (1, 0, 1),
    ]


def test_numbers_are_those_of_the_order(rules):
    with fault(rules, optional=True) as one, fault(rules, kind="ack", optional=True) as other:
        assert (one.number, other.number) == (1, 2)


def test_what_crossed(rules):
    assert rules.what_crossed() == "No message has crossed: did the agents connect to this bridge?"
    for message in publish(), publish(), delivery(), publish(agent=""):
        rules.judge(message)
    assert (
        rules.what_crossed() == "What crossed:\n  (nobody): 1 publish (t)\n  a: 1 delivery (t), 2 publish (t)"
    )


def test_whether_anything_was_left_to_chance(rules):
    with fault(rules, optional=True):
        assert not rules.used_chance
    with fault(rules, effects.Corrupt(), optional=True):
        pass
    assert rules.used_chance
    others = Rules()
    with fault(others, probability=0.5, optional=True):
        assert others.used_chance


# Faults of the connection itself.


def test_a_lost_connection_does_not_wait_for_a_message(rules):
    rules.shell = shell = Shell()
    with fault(rules, effects.Disconnect(), agent="a", times=1) as lost:
        assert lost.fired == 1
    with fault(rules, effects.Disconnect(), times=1) as lost:
        assert lost.fired == 2
    assert shell.done == [("cut", "a"), ("let go", 1), ("cut", ""), ("let go", 2)]


def test_a_dead_cable_does_not_wait_for_a_message(rules):
    rules.shell = shell = Shell()
    with fault(rules, effects.Stall(), agent="a") as stalled:
        assert stalled.fired == 1
        assert shell.done == [("stall", "a")]
    assert shell.done == [("stall", "a"), ("let go", 1)]


def test_where_nobody_is_connected_it_waits_for_the_first_message(rules):
    rules.shell = Shell()
    with fault(rules, effects.Stall(), agent="nobody") as stalled:
        assert stalled.fired == 0
        assert rules.judge(publish(agent="nobody")).stalled_by == [1]


@pytest.mark.parametrize("given", [{"kind": "publish"}, {"probability": 0.5}, {"nth": 1}])
def test_one_that_names_messages_waits_for_one(rules, given):
    rules.shell = shell = Shell()
    with fault(rules, effects.Disconnect(), optional=True, **given):
        assert shell.done == []


def test_other_faults_do_nothing_to_the_connection(rules):
    rules.shell = shell = Shell()
    with fault(rules, optional=True):
        pass
    assert shell.done == [("let go", 1)]


# What cannot be.


def test_a_fault_is_in_force_once(rules):
    with fault(rules, optional=True) as dropped:
        with pytest.raises(FaultError, match="is in force already: make another"):
            dropped.start()
        assert rules.in_force == [dropped]


def test_one_that_has_ended_may_end_again(rules):
    rules.shell = shell = Shell()
    dropped = fault(rules, optional=True)
    dropped.start()
    dropped.end()
    dropped.end()
    assert shell.done == [("let go", 1)]


ENDS = [
    effects.Drop(),
    effects.Fail(),
    effects.Disconnect(),
]


@pytest.mark.parametrize("effect", ENDS)
@pytest.mark.parametrize("other", [effects.Delay(1), effects.Drop(), effects.Duplicate()])
def test_one_that_takes_all_leaves_another_nothing(rules, effect, other):
    for first, second in (effect, other), (other, effect):
        with fault(rules, first, kind="publish", optional=True) as before:
            with pytest.raises(
                FaultError, match=r"contradicts .*, which is in force: .* give one of them nth="
            ):
                fault(rules, second, kind="publish").start()
            assert rules.in_force == [before]


@pytest.mark.parametrize("given", [{"times": 1}, {"nth": 1}, {"probability": 0.5}, {"agent": "a"}])
@pytest.mark.parametrize("effect", ENDS)
def test_one_that_leaves_something_contradicts_nobody(rules, effect, given):
    with (
        fault(rules, effect, kind="publish", optional=True, **given),
        fault(rules, effects.Delay(1), kind="publish", optional=True),
    ):
        assert len(rules.in_force) == 2


@pytest.mark.parametrize("effect", [effects.Disconnect("after"), effects.Stall()])
def test_what_lets_a_message_through_leaves_others_something(rules, effect):
    with fault(rules, effect, kind="publish"), fault(rules, effects.Duplicate(), kind="publish"):
        assert rules.judge(publish()).copies == 2


def test_there_are_not_too_many(rules):
    faults = [fault(rules, kind="publish", nth=number) for number in range(1, MOST_FAULTS + 2)]
    for made in faults[:-1]:
        made.start()
    with pytest.raises(FaultError, match=f"{MOST_FAULTS} faults are in force, as many as may: end some"):
        faults[-1].start()
