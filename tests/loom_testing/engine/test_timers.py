"""The table of deadlines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loom_testing.engine.timers import TimerKind, Timers


def test_fires_in_order_of_deadline_then_of_setting() -> None:
    timers = Timers()
    timers.set(TimerKind.WAITER, 1, 20)
    timers.set(TimerKind.LAPSE, "a", 10)
    timers.set(TimerKind.WAITER, 2, 10)
    assert timers.next_deadline() == 10
    assert [timers.pop_due(20) for _ in range(4)] == [
        (TimerKind.LAPSE, "a"),
        (TimerKind.WAITER, 2),
        (TimerKind.WAITER, 1),
        None,
    ]
    assert timers.next_deadline() is None


def test_setting_again_moves() -> None:
    timers = Timers()
    timers.set(TimerKind.WAITER, 1, 10)
    timers.set(TimerKind.WAITER, 1, 30)
    assert timers.pop_due(20) is None
    assert timers.pop_due(30) == (TimerKind.WAITER, 1)


def test_cancelled_does_not_fire() -> None:
    timers = Timers()
    timers.set(TimerKind.SLOW, 1, 10)
    timers.cancel(TimerKind.SLOW, 1)
    timers.cancel(TimerKind.SLOW, 2)
    assert not timers.is_set(TimerKind.SLOW, 1)
    assert timers.next_deadline() is None


def test_moved_timers_do_not_pile_up() -> None:
    timers = Timers()
    for deadline in range(10_000):
        timers.set(TimerKind.LIVENESS, deadline % 7, deadline)
    assert len(timers) == 7
    assert len(timers._heap) <= 65


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 20)))))
def test_is_a_dictionary_with_an_order(steps: list[tuple[int, int | None]]) -> None:
    timers = Timers()
    model: dict[int, int] = {}
    for number, deadline in steps:
        if deadline is None:
            timers.cancel(TimerKind.WAITER, number)
            model.pop(number, None)
        else:
            timers.set(TimerKind.WAITER, number, deadline)
            model.pop(number, None)
            model[number] = deadline
    expected = [number for number, _ in sorted(model.items(), key=lambda item: item[1])]
    fired = []
    while key := timers.pop_due(20):
        fired.append(key[1])
    assert fired == expected
