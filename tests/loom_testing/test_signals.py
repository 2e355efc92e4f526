"""Signals that come before a program can heed them."""

from __future__ import annotations

import signal
import threading

from loom_testing.signals import STOPPING, noted_signals


def test_they_are_noted_and_do_nothing_else():
    before = [signal.getsignal(kind) for kind in STOPPING]
    with noted_signals() as came:
        for kind in STOPPING:
            signal.raise_signal(kind)
        assert came == ["SIGINT", "SIGTERM"]
    assert [signal.getsignal(kind) for kind in STOPPING] == before


def test_another_thread_is_told_of_none():
    noted: list[list[str]] = []

    def note():
        with noted_signals() as came:
            noted.append(came)

    thread = threading.Thread(target=note)
    thread.start()
    thread.join()
    assert noted == [[]]
