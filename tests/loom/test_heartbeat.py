"""The heartbeat of a stream, on virtual time."""

from hypothesis import given
from hypothesis import strategies as st

from loom.heartbeat import Heartbeat


def death(beat, begin, end):
    """Ticks on time until the other side is found dead; answers when."""
    now = begin
    while now <= end:
        beat.tick(now)
        if beat.is_dead(now):
            return now
        now = beat.next_deadline()
    return None


def test_a_ping_is_due_each_interval_and_not_before():
    beat = Heartbeat(10.0, 3.0, judges=False)
    assert [beat.tick(now) for now in (12.9, 13.0, 13.1, 15.9, 16.0)] == [False, True, False, False, True]


def test_silence_for_three_intervals_is_death():
    assert death(Heartbeat(10.0, 3.0, judges=True), 10.0, 100.0) == 19.0
    assert death(Heartbeat(10.0, 3.0, judges=False), 10.0, 100.0) is None


def test_anything_heard_is_life():
    beat = Heartbeat(0.0, 3.0, judges=True)
    assert death(beat, 0.0, 8.0) is None
    beat.heard(8.0)
    assert death(beat, 8.0, 100.0) == 17.0


def test_who_answered_a_ping_once_is_judged_from_then_on():
    beat = Heartbeat(0.0, 3.0, judges=False)
    assert death(beat, 0.0, 20.0) is None
    beat.heard(20.0)
    beat.answered()
    assert death(beat, 20.0, 100.0) == 29.0


def test_while_nobody_reads_silence_means_nothing():
    beat = Heartbeat(0.0, 3.0, judges=True)
    beat.pause()
    assert death(beat, 0.0, 50.0) is None
    beat.resume(50.0)
    assert death(beat, 50.0, 100.0) == 59.0


def test_the_time_this_process_stood_still_does_not_count():
    beat = Heartbeat(0.0, 3.0, judges=True)
    beat.tick(60.0)
    assert not beat.is_dead(60.0)
    assert death(beat, 60.0, 100.0) == 66.0


@given(lateness=st.lists(st.floats(min_value=0, max_value=100), max_size=20))
def test_however_late_the_ticks_are_nobody_who_answers_is_found_dead(lateness):
    beat, now = Heartbeat(0.0, 3.0, judges=True), 0.0
    for late in lateness:
        now = beat.next_deadline() + late
        beat.tick(now)
        assert not beat.is_dead(now)
        beat.heard(now)


@given(interval=st.floats(min_value=0.01, max_value=100))
def test_the_dead_are_found_within_four_intervals(interval):
    found = death(Heartbeat(0.0, interval, judges=True), 0.0, 10 * interval)
    assert found is not None
    assert found <= 4 * interval
