"""One fault, from when it is made until it ends."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from loom_testing.faults import FaultError, Rules, UnfiredError, effects
from loom_testing.harness.errors import WrongPlaceError
from tests.loom_testing.faults.messages import delivery, fault, publish


@pytest.fixture
def rules():
    return Rules()


def fired(rules: Rules, *messages) -> list[bool]:
    """Whether something was done to each message."""
    return [bool(rules.judge(message).told) for message in messages]


def test_it_is_in_force_inside_its_with(rules):
    with fault(rules, kind="publish") as dropped:
        assert rules.in_force == [dropped]
        assert fired(rules, publish(), delivery()) == [True, False]
    assert rules.in_force == []
    assert fired(rules, publish()) == [False]
    assert (dropped.met, dropped.fired, dropped.number) == (1, 1, 1)


async def test_its_with_is_a_plain_one(rules):
    with pytest.raises(WrongPlaceError, match=r"^the fault drop\(kind='publish'\) begins at once: "):
        async with fault(rules, kind="publish"):
            pass
    rules.finish()


def test_times(rules):
    with fault(rules, times=2) as dropped:
        assert fired(rules, *[publish()] * 4) == [True, True, False, False]
    assert (dropped.met, dropped.fired) == (4, 2)


def test_nth(rules):
    with fault(rules, kind="publish", nth=2):
        assert fired(rules, publish(), delivery(), publish(), publish()) == [False, False, True, False]


def test_probability_is_the_same_in_each_run_whoever_is_quicker():
    def drawn(*agents: str) -> dict[str, list[bool]]:
        rules = Rules(7)
        found: dict[str, list[bool]] = {}
        with fault(rules, probability=0.5):
            for agent in agents:
                found.setdefault(agent, []).extend(fired(rules, publish(agent=agent)))
        return found

    one, other = drawn(*"ab" * 20), drawn(*"b" * 20, *"a" * 20)
    assert one == other
    assert 4 < sum(one["a"]) < 16
    assert one["a"] != one["b"]


def test_another_seed_draws_otherwise():
    def drawn(seed: int) -> list[bool]:
        rules = Rules(seed)
        with fault(rules, probability=0.5):
            return fired(rules, *[publish()] * 40)

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@pytest.mark.parametrize(
    ("given", "takes"),
    [({}, True), ({"times": 1}, False), ({"nth": 1}, False), ({"probability": 0.5}, False)],
)
def test_whether_it_takes_all(rules, given, takes):
    assert fault(rules, **given).takes_all is takes


# One that never fired.


def test_one_that_never_fired_fails_the_test_and_says_why(rules):
    said = r"never fired: nothing that crossed fitted it\. No message has crossed"
    with pytest.raises(UnfiredError, match=said), fault(rules, kind="publish"):
        pass


def test_it_tells_what_crossed_instead(rules):
    dropped = fault(rules, kind="publish", topic="other")
    dropped.start()
    for message in publish(), publish(), delivery(agent="b"):
        rules.judge(message)
    with pytest.raises(UnfiredError) as caught:
        dropped.end()
    assert str(caught.value).splitlines() == [
        (
            "the fault drop(kind='publish', topic='other') never fired: "
            "nothing that crossed fitted it. What crossed:"
        ),
        "  a: 2 publish (t)",
        "  b: 1 delivery (t)",
        "If it may well not fire, say optional=True; where it may come late, settle() inside its with.",
    ]


def test_it_tells_the_nearest_of_what_crossed(rules):
    missed = fault(rules, kind="publish", topic="order.payed")
    missed.start()
    rules.judge(publish("order.placed"))
    with pytest.raises(
        UnfiredError, match=r"fitted it \(the nearest topic is order.placed, not order.payed\)\."
    ):
        missed.end()


async def test_it_tells_the_nearest_while_it_is_waited_for(rules):
    with fault(rules, agent="shp", optional=True) as missed:
        rules.judge(publish(agent="shop"))
        with pytest.raises(UnfiredError, match=r"not 1 \(the nearest agent is shop, not shp\)\. What"):
            await missed.happened(timeout=0.01)


def test_an_nth_that_did_not_come(rules):
    with pytest.raises(UnfiredError, match="never fired: only 1 messages fitted it"), fault(rules, nth=2):
        rules.judge(publish())


def test_an_optional_one_need_not_fire(rules):
    with fault(rules, optional=True) as dropped:
        pass
    assert dropped.fired == 0


def test_a_test_that_fails_is_told_why_and_not_of_the_fault(rules):
    with pytest.raises(KeyError), fault(rules):
        raise KeyError
    assert rules.in_force == []


def test_it_ends_without_complaint_where_nobody_asks(rules):
    dropped = fault(rules)
    dropped.start()
    dropped.end(check=False)
    assert rules.in_force == []


# Functions of the test's.


def failing(message) -> Any:
    return message.nothing_of_it


def texting(data) -> Any:
    return "text"


def test_a_function_that_fails_is_told_of_at_the_end(rules):
    said = r"drop\(where=failing\) could not be asked of a message: AttributeError: "
    with pytest.raises(FaultError, match=said), fault(rules, where=failing, optional=True):
        assert fired(rules, publish()) == [False]


def test_an_effect_that_fails_is_told_of_and_changes_nothing(rules):
    corrupt, message = effects.Corrupt(failing), publish()
    with pytest.raises(FaultError, match="AttributeError"), fault(rules, corrupt):
        assert rules.judge(message).data == message.data


def test_a_function_that_gives_no_bytes_is_told_of_once(rules):
    with (
        pytest.raises(FaultError, match=r"^the fault corrupt\(\) was given str by its function: let it give"),
        fault(rules, effects.Corrupt(texting), "corrupt"),
    ):
        rules.judge(publish())


def test_other_faults_go_on_beside_one_that_fails(rules):
    with pytest.raises(FaultError), fault(rules, where=failing), fault(rules, kind="publish") as other:
        rules.judge(publish())
    assert other.fired == 1


# Reordering.


def test_what_overtakes_is_not_held_back_itself(rules):
    message = publish()
    message.held_back = frozenset({1})
    with fault(rules, effects.Reorder()) as reordered:
        first = rules.judge(publish())
        assert (first.behind, first.behind_by) == (1, [reordered.number])
        second = rules.judge(message)
        assert (second.behind, second.overtakes) == (0, [reordered.number])


def test_what_it_is_not_about_overtakes_nothing(rules):
    with fault(rules, effects.Reorder(), kind="publish", optional=True):
        assert rules.judge(delivery()).overtakes == []


def test_what_is_named_is_held_back_all_the_same(rules):
    message = publish()
    message.held_back = frozenset({1})
    with fault(rules, effects.Reorder(), nth=1):
        assert rules.judge(message).behind == 1


# Waiting for it.


async def test_happened(rules):
    with fault(rules) as dropped:
        waiting = [asyncio.create_task(dropped.happened(times)) for times in (1, 2, 3)]
        await asyncio.sleep(0)
        rules.judge(publish())
        await waiting[0]
        assert [task.done() for task in waiting] == [True, False, False]
        dropped.count(2)
        await asyncio.gather(*waiting)
        await dropped.happened(3)  # it has already


async def test_happened_from_another_thread(rules):
    with fault(rules) as dropped:
        thread = threading.Thread(target=rules.judge, args=(publish(),))
        waiting = asyncio.create_task(dropped.happened())
        await asyncio.sleep(0)
        thread.start()
        await waiting
        thread.join()


async def test_it_did_not_happen_in_time(rules):
    with fault(rules) as dropped:
        rules.judge(publish())
        with pytest.raises(
            UnfiredError, match=r"the fault drop\(\) fired 1 times within 0\.01 s, not 2\. What"
        ):
            await dropped.happened(2, timeout=0.01)
        dropped.count()  # whoever gave up waiting is not woken


async def test_a_function_that_failed_is_why_it_did_not_happen(rules):
    dropped = fault(rules, where=failing)
    dropped.start()
    rules.judge(publish())
    with pytest.raises(FaultError, match="AttributeError"):
        await dropped.happened(timeout=0.01)
    dropped.end(check=False)


def test_wait(rules):
    with fault(rules) as dropped:
        thread = threading.Thread(target=rules.judge, args=(publish(),))
        thread.start()
        dropped.wait()
        thread.join()
        with pytest.raises(UnfiredError, match="not 2"):
            dropped.wait(2, timeout=0.01)


async def test_wait_in_a_coroutine_is_refused(rules):
    with pytest.raises(WrongPlaceError, match=r"await fault\.happened\(\)"):
        fault(rules).wait()


# What it says of itself, and what cannot be.


def test_as_it_was_written(rules):
    made = fault(rules, kind="publish", times=2, probability=0.5)
    assert str(made) == "drop(kind='publish', times=2, probability=0.5)"
    assert repr(made) == "<Fault drop(kind='publish', times=2, probability=0.5): fired 0 times>"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"times": -1}, "times=-1: give a number from 1 on"),
        ({"times": True}, "times=True"),
        ({"times": 1.5}, r"times=1\.5"),
        ({"probability": 0}, "probability=0: give a number above 0, at most 1"),
        ({"probability": 1.1}, r"probability=1\.1"),
        ({"probability": "half"}, "probability='half'"),
        ({"optional": "maybe"}, "optional='maybe': give True or False"),
        ({"optional": 1}, "optional=1"),
        ({"nth": 2, "times": 2}, "nth=2 is one message, and times=2 are more: leave one out"),
        ({"nth": 2, "probability": 0.5}, "nth names the message, probability leaves it to chance"),
    ],
)
def test_what_cannot_be_is_refused(rules, given, said):
    with pytest.raises(FaultError, match=said):
        fault(rules, **given)
