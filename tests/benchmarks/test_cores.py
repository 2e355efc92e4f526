"""One core for all that is measured, and all of them again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from queue import Queue

import pytest

from benchmarks.cores import on_one_core

PRINT = [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no such thing")
def test_threads_and_processes_keep_to_one_core_and_are_let_go():
    before = os.sched_getaffinity(0)
    stop, thread_ids = threading.Event(), Queue[int]()

    def run() -> None:
        thread_ids.put(threading.get_native_id())
        stop.wait()

    thread = threading.Thread(target=run)
    thread.start()
    thread_id = thread_ids.get()
    with on_one_core() as kept:
        assert kept
        assert len(os.sched_getaffinity(0)) == 1
        assert os.sched_getaffinity(thread_id) == os.sched_getaffinity(0)
        assert subprocess.check_output(PRINT, text=True) == "1\n"
    assert os.sched_getaffinity(0) == os.sched_getaffinity(thread_id) == before
    stop.set()
    thread.join()
