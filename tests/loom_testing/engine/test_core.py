"""Numbers that never repeat, and counters."""

from __future__ import annotations

from loom_testing.engine.core import Core
from loom_testing.engine.counters import Counter
from loom_testing.engine.limits import Limits


def test_numbers_grow_from_the_creation() -> None:
    core = Core(1000, Limits(), liveness=False)
    assert [core.next_epoch(), core.next_epoch()] == [1001, 1002]
    assert core.next_registration() == 1001
    assert core.call_id(core.next_call()) == "3e8-1"
    later = Core(2000, Limits(), liveness=False)
    assert later.call_id(later.next_call()) != core.call_id(1)


def test_counters_begin_with_their_first_count() -> None:
    core = Core(1000, Limits(), liveness=False)
    assert core.counters == {}
    core.count(Counter.COPIES_SENT)
    core.count(Counter.COPIES_SENT, 2)
    assert core.counters == {Counter.COPIES_SENT: 3}
