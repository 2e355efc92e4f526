"""What `loom dev` prints for what a bridge tells."""

from __future__ import annotations

import json
import sys

import pytest

from loom.cli.view import View
from loom.runtime.programs import Program
from loom.testing.v1.control_pb2 import WatchResponse
from loom.v1.event_pb2 import Event
from loom_testing.engine import inputs, messages, outputs
from loom_testing.engine.trace import encode_step

AT = 1_700_000_000_000_000
FAKE = Program("fake", "a test", (), "this is only the fake")


def step(at: int, came: inputs.Input, *went: outputs.Output, skipped: int = 0) -> WatchResponse:
    return WatchResponse(namespace="default", line=encode_step(at, came, went), skipped=skipped)


def publish(at: int, skipped: int = 0) -> WatchResponse:
    event = Event(id="1", type="t", payload=b'{"n": 1}').SerializeToString()
    return step(at, inputs.Receive(1, messages.Publish("t", event)), skipped=skipped)


def call(at: int, number: int = 9) -> WatchResponse:
    return step(at, inputs.Invoke(number, messages.ActionCall(capability="slow")))


@pytest.mark.parametrize("payloads", [True, False])
def test_json_lines(capsys: pytest.CaptureFixture[str], payloads: bool) -> None:
    view = View(machine=True, payloads=payloads)
    view.started(FAKE, "127.0.0.1:1", found_by_itself=True)
    view.happened(publish(AT))
    view.stopping()
    view.ended(1.5)
    started, published, totals = map(json.loads, capsys.readouterr().out.splitlines())
    assert started == {"kind": "bridge.started", "bridge": "fake", "address": "127.0.0.1:1"}
    assert (published["namespace"], published["kind"]) == ("default", "event.published")
    assert published.get("payload") == ('{"n": 1}' if payloads else None)
    assert (totals["kind"], totals["seconds"], totals["events"]) == ("totals", 1.5, 1)


def test_lines_for_people_say_where_agents_find_the_bridge(capsys: pytest.CaptureFixture[str]) -> None:
    view = View(machine=False, payloads=False)
    view.started(FAKE, "127.0.0.1:1", found_by_itself=True)
    view.started(FAKE, "127.0.0.1:1", found_by_itself=False)
    view.happened(publish(AT))
    view.ended(90)
    told = capsys.readouterr()
    assert "find it by themselves" in told.err
    assert "this is only the fake" in told.err
    assert "export LOOM_BRIDGE_ADDR=127.0.0.1:1" in told.err
    assert "nobody yet" in told.out
    assert told.err.endswith("✓ 1 min 30 s: 0 agents, 1 event, 0 calls\n")


def test_steps_that_were_left_out_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    View(machine=False, payloads=False).happened(publish(AT, skipped=12))
    assert "12 steps were left out" in capsys.readouterr().err


def test_a_long_call_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    view = View(machine=False, payloads=False)
    view.happened(call(AT, 1))
    view.happened(call(AT + 2_000_000, 2))
    view.still_open(AT + 1_000_000)
    assert capsys.readouterr().out == ""
    view.still_open(AT + 4_000_000)
    assert capsys.readouterr().out.count("still open after 4.0 s") == 1
    view.still_open(AT + 4_500_000)
    assert capsys.readouterr().out == ""
    view.still_open(AT + 9_000_000)
    assert capsys.readouterr().out.count("still open after 7.0 s") == 1


def test_a_terminal_gets_a_line_of_its_own_after_ctrl_c(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = View(machine=False, payloads=False)
    view.stopping()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    view.stopping()
    assert capsys.readouterr().err == "\n"
