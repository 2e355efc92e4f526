"""The queue of one stream."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loom_testing.engine.limits import Limits
from loom_testing.engine.messages import ActionCall, Pong
from loom_testing.engine.outbox import Copy, HandedCall, Outbox, Published, Reply


def copy(size: int = 1, qos: int = 1, expires: int | None = None) -> Copy:
    return Copy(Published("x", b"x" * size, "t", "p", expires), qos)


def test_counts_what_it_holds() -> None:
    outbox = Outbox()
    outbox.append(copy(10))
    outbox.append(HandedCall(1, ActionCall(), 5))
    outbox.append(Reply(Pong()))
    assert (outbox.events, outbox.bytes, outbox.replies) == (2, 15, 1)
    for _ in range(3):
        outbox.pop()
    assert (outbox.events, outbox.bytes, outbox.replies) == (0, 0, 0)


def test_room_is_by_number_and_bytes() -> None:
    limits = Limits(queue_events=2, queue_bytes=10)
    outbox = Outbox()
    assert outbox.has_room(1000, limits)
    outbox.append(copy(5))
    assert outbox.has_room(5, limits)
    assert not outbox.has_room(6, limits)
    outbox.append(copy(1))
    assert not outbox.has_room(1, limits)


def test_a_call_is_found_again() -> None:
    outbox = Outbox()
    outbox.append(copy())
    outbox.append(HandedCall(7, ActionCall(), 5))
    assert outbox.remove_call(7)
    assert not outbox.remove_call(7)
    assert len(outbox.queue) == 1


def test_cleared_is_as_new() -> None:
    outbox, limits = Outbox(), Limits(queue_events=1)
    outbox.append(copy(5, qos=0, expires=5))
    outbox.append(HandedCall(7, ActionCall(), 5))
    outbox.append(Reply(Pong()))
    outbox.wait(copy())
    outbox.clear()
    assert (outbox.events, outbox.bytes, outbox.replies) == (0, 0, 0)
    assert outbox.has_room(1000, limits)
    assert (outbox.copies(), outbox.next_expiry()) == ([], None)
    assert outbox.admit(limits) is None
    assert outbox.drop_realtime() is None
    assert not outbox.remove_call(7)


def test_expired_entries_do_not_pile_up() -> None:
    outbox = Outbox()
    for number in range(10_000):
        outbox.append(copy(expires=10**9 + number))
        outbox.pop()
    assert len(outbox._expiries) <= 65
    assert outbox.next_expiry() is None


def test_expires_queued_and_waiting() -> None:
    outbox = Outbox()
    stays, goes, waits = copy(), copy(expires=5), copy(expires=6)
    outbox.append(stays)
    outbox.append(goes)
    outbox.wait(waits)
    assert outbox.next_expiry() == 5
    assert list(outbox.expire(4)) == []
    assert list(outbox.expire(6)) == [(goes, False), (waits, True)]
    assert outbox.copies() == [stays]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("give"), st.integers(1, 5), st.integers(0, 2)),
            st.sampled_from([("pop", 0, 0), ("drop", 0, 0), ("admit", 0, 0)]),
        )
    )
)
def test_keeps_order_and_bounds(steps: list[tuple[str, int, int]]) -> None:
    """Against plain lists."""
    limits = Limits(queue_events=4, queue_bytes=12)
    outbox, queue, waiting = Outbox(), list[Copy](), list[Copy]()
    for act, size, qos in steps:
        if act == "give":
            item = copy(size, qos)
            if outbox.has_room(size, limits):
                outbox.append(item)
                queue.append(item)
            else:
                outbox.wait(item)
                waiting.append(item)
        elif act == "pop" and queue:
            assert outbox.pop() is queue.pop(0)
        elif act == "drop":
            oldest = next((item for item in queue if item.qos == 0), None)
            assert outbox.drop_realtime() is oldest
            if oldest:
                queue.remove(oldest)
        elif act == "admit":
            admitted = outbox.admit(limits)
            if admitted:
                assert admitted is waiting.pop(0)
                queue.append(admitted)
        assert outbox.copies() == queue + waiting
        assert outbox.events == len(queue) <= 4
        assert outbox.bytes == sum(len(item.published.event) for item in queue)
