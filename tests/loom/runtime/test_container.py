"""A container as a process: it serves, ends with who started it, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from loom.runtime import docker

pytestmark = pytest.mark.docker

PATIENCE = 30.0


@pytest.fixture
def keeper():
    """`python -m loom.runtime.container`, which serves."""
    command = [sys.executable, "-m", "loom.runtime.container", "--until-stdin-closes", "--log-level", "info"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), line
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def containers(process) -> list:
    """Those of a process."""
    with contextlib.closing(docker.engine()) as client:
        return [
            each
            for each in client.containers.list(all=True, ignore_removed=True)
            if each.labels.get(docker.LABEL_OWNER, "").startswith(f"{process.pid}:")
        ]


def gone(process) -> bool:
    """Whether its containers go in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not containers(process):
            return True
    return False


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(keeper, kind):
    assert len(containers(keeper)) == 1
    keeper.send_signal(kind)
    _, log = keeper.communicate(timeout=PATIENCE)
    assert keeper.returncode == 0
    assert "stopped" in log
    assert gone(keeper)


def test_it_ends_when_its_stdin_closes(keeper):
    keeper.stdin.close()
    keeper.wait(PATIENCE)
    assert gone(keeper)


def test_it_ends_with_its_container_and_says_how(keeper):
    (container,) = containers(keeper)
    container.kill()
    keeper.communicate(timeout=PATIENCE)
    assert keeper.returncode == 137
    assert gone(keeper)


def test_killed_it_leaves_a_container_that_the_next_one_removes(keeper):
    os.kill(keeper.pid, signal.SIGKILL)
    keeper.wait(PATIENCE)
    assert len(containers(keeper)) == 1
    with contextlib.closing(docker.engine()) as client:
        docker.remove_stale(client)
    assert gone(keeper)


def test_what_the_bridge_refuses_is_said():
    command = [sys.executable, "-m", "loom.runtime.container", "--limit", "nonsense=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown limit 'nonsense'" in done.stderr
