"""`loom run` as a process."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.loom.cli.processes import AGENT, TWO, Running, loom_command, running


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_agents_run_until_a_signal(tmp_path: Path, bridge: Running, number: int, code: int) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    with running(loom_command("run", "agents.py"), tmp_path) as run:
        run.wait_for(lambda line: "adder: connected" in line, err=True)
        run.wait_for(lambda line: "listener: connected" in line, err=True)
        assert run.end(number) == code
        assert not [line for line in run.err if "Traceback" in line]
    for agent in ("adder", "listener"):
        bridge.wait_for_activity("agent.left", agent=agent, orderly=True)


def test_an_agent_that_is_taken_over_ends_with_an_error(tmp_path: Path, bridge: Running) -> None:
    (tmp_path / "two.py").write_text(TWO)
    with running(loom_command("run", "two.py:first"), tmp_path) as run:
        bridge.wait_for_activity("agent.joined", agent="first")
        with running(loom_command("run", "two.py:first"), tmp_path):
            assert run.ended() == 3
            assert run.err[-1].startswith("error: ")
