"""The clocks."""

from __future__ import annotations

import time

from loom_testing.clock import RealClock, VirtualClock


def test_the_real_clock_is_near_the_wall_clock_and_never_goes_back():
    clock = RealClock()
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(times)
    assert abs(times[0] - time.time_ns() // 1000) < 60_000_000


def test_a_change_of_the_wall_clock_is_not_seen(monkeypatch):
    clock = RealClock()
    before = clock.now()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert clock.now() >= before


def test_the_virtual_clock_moves_only_when_told():
    clock = VirtualClock()
    start = clock.now()
    assert abs(start - time.time_ns() // 1000) < 60_000_000
    assert clock.now() == start
    clock.move_to(start + 5)
    assert clock.now() == start + 5


def test_the_virtual_clock_never_goes_back():
    clock = VirtualClock()
    start = clock.now()
    clock.move_to(start - 1)
    assert clock.now() == start
