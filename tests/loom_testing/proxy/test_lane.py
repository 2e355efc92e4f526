"""One direction of one call, with a clock that is moved by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.proxy.framing import Frame
from loom_testing.proxy.lane import Lane, Parcel
from tests.loom_testing.proxy.memory import HandClock

S = 1_000_000


class Exit:
    """Where the lane leads: it takes so many, and notes when it was free."""

    def __init__(self) -> None:
        self.room = 1_000_000
        self.left: list[str] = []
        self.freed = 0

    def may_leave(self) -> bool:
        return self.room > 0

    def leave(self, parcel: Parcel) -> None:
        self.room -= 1
        self.left.append("end" if parcel.ends else parcel.frame.data.decode() if parcel.frame else "headers")

    def is_free(self) -> None:
        self.freed += 1


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def out():
    return Exit()


@pytest.fixture
def lane(out, clock):
    return Lane(out, clock)


def letter(name: str, behind: int = 0, *held_by: int) -> Parcel:
    """A message; one that is not held back overtakes what faults 1 and 2 hold back."""
    if not behind:
        return Parcel(frame=Frame(name.encode()), overtakes=[1, 2])
    return Parcel(frame=Frame(name.encode()), behind=behind, held_by=list(held_by or (1,)))


def put(lane: Lane, names: str, **given: int) -> None:
    for name in names:
        lane.put(letter(name), **given)


def test_what_enters_leaves_in_order(lane, out):
    lane.put(Parcel(headers=[]))
    put(lane, "abc")
    lane.put(Parcel(ends=True))
    assert out.left == ["headers", "a", "b", "c", "end"]
    assert lane.is_empty
    assert lane.is_ended


def test_it_waits_for_room(lane, out):
    out.room = 1
    put(lane, "abc")
    assert (out.left, lane.is_blocked, lane.ready) == (["a"], True, 2)
    freed = out.freed
    out.room = 1
    lane.pump()
    assert (out.left, lane.is_blocked, out.freed) == (["a", "b"], True, freed)
    out.room = 5
    lane.pump()
    assert (out.left, lane.is_blocked, lane.ready) == (["a", "b", "c"], False, 0)
    assert out.freed > freed


# Time.


@pytest.mark.parametrize("is_virtual", [True, False])
def test_who_leaves_waits_for_no_tests_clock(lane, out, clock, is_virtual):
    clock.is_virtual = is_virtual
    put(lane, "a", delay=S)
    put(lane, "b")
    lane.hurry()
    put(lane, "c", delay=S, size_delay=S)
    assert out.left == (["a", "b", "c"] if is_virtual else [])
    clock.advance(3 * S)
    assert out.left == ["a", "b", "c"]


def test_what_is_delayed_comes_later_and_so_does_what_is_behind_it(lane, out, clock):
    put(lane, "a", delay=S)
    put(lane, "b")
    lane.put(Parcel(ends=True))
    assert out.left == []
    clock.advance(S - 1)
    assert out.left == []
    clock.advance(1)
    assert out.left == ["a", "b", "end"]


def test_what_came_before_is_not_delayed(lane, out):
    put(lane, "a")
    put(lane, "b", delay=S)
    assert out.left == ["a"]


def test_after_a_delay_all_is_as_before(lane, out, clock):
    put(lane, "a", delay=S)
    clock.advance(S)
    put(lane, "b")
    assert out.left == ["a", "b"]


def test_a_shorter_delay_does_not_overtake(lane, out, clock):
    put(lane, "a", delay=3 * S)
    put(lane, "b", delay=S)
    clock.advance(2 * S)
    assert out.left == []
    clock.advance(S)
    assert out.left == ["a", "b"]


def test_delays_of_what_comes_together_run_side_by_side(lane, out, clock):
    put(lane, "abc", delay=S)
    clock.advance(S)
    assert out.left == ["a", "b", "c"]


def test_a_slow_link_passes_one_after_the_other(lane, out, clock):
    put(lane, "abc", size_delay=S)
    seen = []
    for _ in range(3):
        clock.advance(S)
        seen.append("".join(out.left))
    assert seen == ["a", "ab", "abc"]


def test_a_slow_link_that_was_idle_begins_anew(lane, out, clock):
    put(lane, "a", size_delay=S)
    clock.advance(5 * S)
    put(lane, "b", size_delay=S)
    assert out.left == ["a"]
    clock.advance(S)
    assert out.left == ["a", "b"]


def test_copies_on_a_slow_link_take_their_time_each(lane, out, clock):
    put(lane, "a", delay=S, size_delay=S)
    put(lane, "a", size_delay=S)
    clock.advance(2 * S)
    assert out.left == ["a"]
    clock.advance(S)
    assert out.left == ["a", "a"]


def test_copies_of_what_is_delayed_come_together(lane, out, clock):
    put(lane, "a", delay=S)
    put(lane, "a")
    clock.advance(S)
    assert out.left == ["a", "a"]


def test_one_timer_is_enough(lane, clock):
    put(lane, "a", delay=S)
    put(lane, "bcd")
    lane.pump()
    assert len(clock.timers) == 1


def test_when_its_time_has_come_and_there_is_no_room_it_waits_for_that(lane, out, clock):
    out.room = 0
    put(lane, "a", delay=S)
    clock.advance(S)
    assert lane.ready == 1
    out.room = 1
    lane.pump()
    assert out.left == ["a"]


def test_what_is_due_and_not_fired_yet_is_not_ready(lane, out, clock):
    """A test's clock is at a time before it fires what is due then, one after the other."""
    put(lane, "a", delay=S)
    clock.time += S
    assert (out.left, lane.ready) == ([], 0)
    clock.advance(0)
    assert out.left == ["a"]


def test_timers_are_their_owners(lane, clock):
    lane.put(letter("a"), owner="me", delay=S)
    assert clock.timers.next().owner == "me"


def test_a_real_clock_holds_up_the_sender_and_a_tests_does_not(out):
    for is_virtual in False, True:
        lane = Lane(out, HandClock(is_virtual=is_virtual))
        put(lane, "a", delay=S)
        assert lane.is_blocked is not is_virtual
        assert lane.ready == 0


def test_the_sender_is_told_when_a_slow_link_has_caught_up(lane, out, clock):
    put(lane, "a", delay=S)
    assert out.freed == 0
    clock.advance(S)
    assert out.freed == 1


# Order.


def test_the_next_overtakes(lane, out):
    lane.put(letter("a", 1))
    assert (out.left, lane.holding) == ([], {1})
    put(lane, "bc")
    assert (out.left, lane.holding) == (["b", "a", "c"], set())


def test_what_the_fault_is_not_about_overtakes_nothing(lane, out):
    lane.put(letter("a", 1, 3))
    put(lane, "bc")
    assert (out.left, lane.holding) == (["b", "c"], {3})


def test_so_many_overtake(lane, out):
    lane.put(letter("a", 3))
    put(lane, "bcde")
    assert out.left == ["b", "c", "d", "a", "e"]


def test_two_that_are_held_back_keep_their_order(lane, out):
    lane.put(letter("a", 1))
    lane.put(letter("b", 1))
    put(lane, "c")
    assert out.left == ["c", "a", "b"]


def test_headers_overtake_nothing(lane, out):
    lane.put(letter("a", 1))
    lane.put(Parcel(headers=[]))
    assert out.left == ["headers"]


def test_what_nothing_overtakes_leaves_before_the_end(lane, out):
    lane.put(letter("a", 1))
    lane.put(letter("b", 5))
    lane.put(Parcel(ends=True))
    assert out.left == ["a", "b", "end"]


def test_a_fault_that_ends_lets_go_what_it_held_back_and_no_more(lane, out):
    lane.put(letter("a", 9, 1))
    lane.put(letter("b", 9, 2))
    lane.put(letter("c", 9, 1, 2))
    lane.let_go(1)
    assert out.left == ["a", "c"]
    lane.let_go(1)
    lane.let_go(3)
    assert out.left == ["a", "c"]
    lane.let_go(2)
    assert out.left == ["a", "c", "b"]


def test_what_is_held_back_does_not_hold_up_the_sender(lane, out):
    lane.put(letter("a", 1))
    assert not lane.is_blocked


def test_what_is_held_back_keeps_its_delay(lane, out, clock):
    lane.put(letter("a", 1), delay=S)
    put(lane, "b")
    clock.advance(S - 1)
    assert out.left == []
    clock.advance(1)
    assert out.left == ["b", "a"]


def piece(name: str, *, completes: bool) -> Parcel:
    return Parcel(frame=Frame(name.encode(), is_whole=False, completes=completes))


def test_nothing_comes_between_the_pieces_of_a_large_message(lane, out):
    lane.put(letter("a", 1))
    lane.put(piece("1", completes=False))
    lane.let_go(1)
    lane.put(piece("2", completes=False))
    lane.put(piece("3", completes=True))
    assert out.left == ["1", "2", "3", "a"]


def test_nothing_comes_after_a_message_that_breaks_off(lane, out):
    lane.put(letter("a", 1))
    broken = piece("b", completes=False)
    broken.breaks_off = True
    lane.put(broken)
    lane.put(Parcel(ends=True))
    assert out.left == ["a", "b", "end"]


# Its end.


def test_what_is_in_a_broken_call_is_lost(lane, out, clock):
    put(lane, "a", delay=S)
    lane.put(letter("b", 1))
    lane.clear()
    clock.advance(S)
    put(lane, "c")
    lane.put(Parcel(ends=True))
    assert (out.left, out.freed) == ([], 0)
    assert lane.is_empty
    assert lane.is_ended
    assert len(clock.timers) == 0


def test_it_may_be_broken_by_what_leaves_it(out, clock):
    lane = Lane(out, clock)

    def leave(parcel: Parcel) -> None:
        out.left.append("a")
        lane.clear()

    out.room = 0
    put(lane, "abc")
    out.room, out.leave = 9, leave
    lane.pump()
    assert (out.left, lane.is_empty) == (["a"], True)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 5)), max_size=12
    ),
    st.integers(0, 12),
)
def test_nothing_is_lost_or_doubled_whatever_was_done_to_it(steps, room):
    """Each step: its delay, its time on a slow link, how many overtake it, how much time passes after it."""
    out, clock = Exit(), HandClock()
    out.room = room
    lane = Lane(out, clock)
    for number, (delay, size_delay, behind, passes) in enumerate(steps):
        lane.put(letter(str(number), behind, 1), delay=delay, size_delay=size_delay)
        clock.advance(passes)
    lane.put(Parcel(ends=True))
    clock.advance(100)
    out.room = 100
    lane.pump()
    assert sorted(out.left[:-1], key=int) == [str(number) for number in range(len(steps))]
    assert out.left[-1] == "end"
    if not any(behind for _, _, behind, _ in steps):
        assert out.left[:-1] == [str(number) for number in range(len(steps))]
