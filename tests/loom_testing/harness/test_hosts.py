"""The bridge that serves a whole run."""

from __future__ import annotations

import os
import signal

import pytest

from loom_testing.harness.errors import HarnessError
from loom_testing.harness.hosts import Hosts
from loom_testing.harness.inside import MemoryHost
from loom_testing.harness.process import FakeProcess


def test_it_is_started_once():
    hosts = Hosts(MemoryHost)
    assert hosts.get() is hosts.get()
    hosts.close()


def test_one_that_died_is_followed_by_another():
    hosts = Hosts(FakeProcess)
    first = hosts.get()
    assert isinstance(first, FakeProcess)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait_for_death(10)
    second = hosts.get()
    assert (second is first, second.death) == (False, "")
    hosts.close()


def test_what_cannot_be_had_is_tried_once():
    tried = []

    def refuse():
        tried.append(1)
        raise HarnessError("there is none")

    hosts = Hosts(refuse)
    for _ in range(2):
        with pytest.raises(HarnessError, match="there is none"):
            hosts.get()
    assert len(tried) == 1
    hosts.close()
