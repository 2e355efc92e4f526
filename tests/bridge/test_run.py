"""A test run and its bridge: what becomes of one when the other dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PATIENCE = 30.0
INI = "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"


HOME = Path.home()


@pytest.fixture
def toolchain(monkeypatch):
    """A run within a run has a home of its own; Rust's tools stay where they are."""
    for variable, folder in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")):
        if (HOME / folder).is_dir() and variable not in os.environ:
            monkeypatch.setenv(variable, str(HOME / folder))


@pytest.fixture
def project(toolchain, pytester, bridge_kind):
    """Runs tests of its own on a bridge of its own."""
    pytester.makeini(INI)

    def run(test: str):
        pytester.makepyfile(test)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", f"--loom-bridge={bridge_kind}")

    return run


@pytest.mark.over_grpc
def test_a_bridge_that_dies_fails_the_test_with_the_end_of_its_log(project):
    result = project("""
        import os, signal

        def test_one(loom_bridge):
            os.kill(loom_bridge.host.pid, signal.SIGKILL)
            assert loom_bridge.host.wait_for_death(10)

        def test_the_next_has_a_bridge_again(loom_bridge):
            assert loom_bridge.sync.snapshot().agents == {}
    """)
    result.assert_outcomes(errors=1, passed=2)
    result.stdout.fnmatch_lines(["*the bridge died (killed by signal 9); the end of its log:*"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.over_grpc
def test_a_run_that_is_killed_takes_its_bridge_with_it(toolchain, pytester, bridge_kind):
    pytester.makeini(INI)
    pytester.makepyfile("""
        import sys, threading

        def test_for_ever(loom_bridge):
            print(f"BRIDGE {loom_bridge.host.pid} {loom_bridge.address}", flush=True)
            threading.Event().wait()
    """)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", f"--loom-bridge={bridge_kind}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        pid = next(int(line.split("BRIDGE ")[1].split()[0]) for line in run.stdout if "BRIDGE " in line)
        run.send_signal(signal.SIGKILL)
    end = time.monotonic() + PATIENCE
    while lives(pid):
        assert time.monotonic() < end, "the bridge outlived its run"


def lives(pid: int) -> bool:
    """Whether the process is there, and no corpse."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123 - not a file of ours
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
