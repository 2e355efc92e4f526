"""Timers of a clock that stands: their order, and what is left of those that were cancelled."""

from functools import partial

from loom.timers import ROOM, Timers


def test_they_fire_one_by_one_in_order_of_time():
    timers, fired = Timers(), []
    for when in (30, 10, 20):
        timers.add(when, "a", partial(fired.append, when))
    assert timers.next().when == 10
    assert not timers.fire_next(9)
    assert [timers.fire_next(20) for _ in range(3)] == [True, True, False]
    assert fired == [10, 20]


def test_equal_times_fire_by_owner_then_as_they_were_set():
    timers, fired = Timers(), []
    for owner, name in (("b", "b1"), ("a", "a1"), ("b", "b2"), ("a", "a2")):
        timers.add(5, owner, partial(fired.append, name))
    while timers.fire_next(5):
        pass
    assert fired == ["a1", "a2", "b1", "b2"]


def test_what_was_cancelled_does_not_fire():
    timers, fired = Timers(), []
    first = timers.add(1, "a", lambda: fired.append(1))
    timers.add(2, "a", lambda: fired.append(2))
    first.cancel()
    first.cancel()
    assert timers.next().when == 2
    assert len(timers) == 1
    assert timers.fire_next(5)
    assert fired == [2]


def test_a_timer_that_has_fired_may_be_cancelled():
    timers = Timers()
    timer = timers.add(1, "a", lambda: None)
    assert timers.fire_next(1)
    timer.cancel()
    assert timers.next() is None


def test_who_sets_a_timer_while_one_fires_is_next():
    timers, fired = Timers(), []
    timers.add(1, "a", lambda: timers.add(1, "a", lambda: fired.append("second")))
    assert timers.fire_next(1)
    assert timers.fire_next(1)
    assert fired == ["second"]


def test_heartbeats_are_not_awaited():
    timers = Timers()
    assert timers.next_awaited() is None
    timers.add(1, "a", lambda: None, awaited=False)
    assert timers.next_awaited() is None
    timer = timers.add(3, "a", lambda: None)
    timers.add(4, "a", lambda: None)
    assert timers.next_awaited() == 3
    timer.cancel()
    assert timers.next_awaited() == 4


def test_timers_that_were_cancelled_are_forgotten():
    timers = Timers()
    kept = timers.add(10**9, "a", lambda: None)
    for when in range(100 * ROOM):
        timers.add(when, "a", lambda: None).cancel()
    assert len(timers._heap) <= ROOM
    assert timers.next() is kept


def test_taking_all_leaves_none():
    timers = Timers()
    late, early = timers.add(2, "a", lambda: None), timers.add(1, "a", lambda: None)
    timers.add(0, "a", lambda: None).cancel()
    assert timers.take_all() == [early, late]
    assert timers.next() is None
    assert timers.take_all() == []
