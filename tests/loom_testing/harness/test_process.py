"""The fake as a process beside the tests: it starts, logs, dies, and is stopped."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from loom.errors import BridgeUnavailable
from loom_testing.harness import process
from loom_testing.harness.errors import BridgeDiedError, HarnessError
from loom_testing.harness.process import FakeProcess

PATIENCE = 20.0


@pytest.fixture
def fake():
    host = FakeProcess()
    yield host
    host.close()


def kill(host: FakeProcess) -> None:
    os.kill(host.pid, signal.SIGKILL)


def test_it_serves_and_stops(fake):
    namespace = fake.namespace()
    assert fake.control.snapshot(namespace).agents == {}
    assert fake.death == ""
    fake.close()
    with pytest.raises(ProcessLookupError):
        os.kill(fake.pid, 0)
    assert fake.death == ""


def test_its_death_is_told_with_the_end_of_its_log(fake):
    told, ended = [], threading.Event()

    def tell(error: BridgeDiedError) -> None:
        told.append(str(error))
        ended.set()

    def not_me(error: BridgeDiedError) -> None:
        told.append("somebody who was to be forgotten")

    fake.on_death(tell)
    fake.on_death(not_me)
    fake.forget(not_me)
    kill(fake)
    assert ended.wait(PATIENCE)
    (text,) = told
    assert text.startswith("the bridge died (killed by signal 9); the end of its log:\n    ")
    assert "serving at 127.0.0.1:" in text
    assert fake.death == text
    ended.clear()
    fake.on_death(tell)  # it is known already
    assert ended.is_set()


def test_what_fails_because_it_died_says_so(fake):
    namespace = fake.namespace()
    kill(fake)
    with pytest.raises(BridgeDiedError, match="killed by signal 9") as caught, fake.guarded():
        fake.control.snapshot(namespace)
    assert isinstance(caught.value.__cause__, BridgeUnavailable)


def test_what_fails_while_it_lives_is_left_alone(fake):
    with pytest.raises(HarnessError, match='there is no namespace "nobody-made-it"'), fake.guarded():
        fake.control.snapshot("nobody-made-it")


def test_its_log_is_kept_from_a_mark_on(fake):
    everything = fake.log_since(0)
    assert any("serving at" in line for line in everything)
    assert not any(line.startswith("{") for line in everything)
    assert fake.log_since(fake.log_mark) == []


def test_one_that_does_not_come_up_shows_what_it_said(monkeypatch):
    monkeypatch.setattr(process, "COMMAND", ("-c", "print('no port is free'); raise SystemExit(3)"))
    with pytest.raises(HarnessError) as caught:
        FakeProcess()
    assert str(caught.value) == "the fake bridge did not come up; it said:\n    no port is free"
