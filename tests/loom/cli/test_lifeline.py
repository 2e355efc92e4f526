"""What is started ends with what started it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from loom.cli.lifeline import VARIABLE, follow_parent, lifeline
from tests.loom.cli.processes import AGENT, children_of, dev_command, loom_command, running, wait_until_gone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loom.cli.processes import Running


def test_one_pipe_serves_all_children() -> None:
    variables, descriptors = lifeline()
    assert lifeline() == (variables, descriptors)
    assert variables[VARIABLE] == str(descriptors[0])
    assert not os.get_inheritable(descriptors[0])


@pytest.mark.parametrize("number", ["", "x", "-1", "999999"])
def test_without_a_lifeline_nothing_is_followed(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    monkeypatch.setenv(VARIABLE, number)
    follow_parent()
    assert VARIABLE not in os.environ


def test_reloaded_agents_leave_when_their_parent_is_killed(tmp_path: Path, bridge: Running) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    with running(loom_command("run", "--reload", "agents.py:other"), tmp_path) as run:
        bridge.wait_for_activity("agent.joined", agent="listener")
        run.process.send_signal(signal.SIGKILL)
        bridge.wait_for_activity("agent.left", agent="listener", orderly=True)


def test_bridge_and_agents_end_when_loom_dev_is_killed(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    with running(dev_command("--json", "agents.py"), tmp_path) as dev:
        dev.wait_for_activity("agent.joined", agent="listener")
        children = children_of(dev.process.pid)
        assert len(children) == 2
        dev.process.send_signal(signal.SIGKILL)
    wait_until_gone(children)
