"""`loom dev`: what it refuses, and restarting agents."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.loom.cli.processes import loom_command, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loom.cli.conftest import Loom


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running(loom_command("dev", "--port", str(port)), tmp_path) as dev:
            assert dev.ended() == 1
            where = f"127.0.0.1:{port}"
            remedy = "choose another one, or 0 for any free one"
            assert dev.err == [f"error: cannot listen on {where}: the port is in use; {remedy}"]


@pytest.mark.parametrize("kind", ["rust", "docker"])
def test_bridges_that_are_not_here(loom: Loom, kind: str) -> None:
    done = loom("dev", "--bridge", kind)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "use --bridge fake" in done.stderr


def test_agents_that_are_not_there_are_known_before_a_bridge_starts(loom: Loom) -> None:
    done = loom("dev", "nothing.py")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: there is no file nothing.py; check the path")


def test_agents_are_restarted_when_their_code_changes(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text('from loom import Agent\nagent = Agent("before")\n')
    with running(loom_command("dev", "--port", "0", "--json", "--reload", "agents.py"), tmp_path) as dev:
        dev.wait_for_activity("agent.joined", agent="before")
        (tmp_path / "agents.py").write_text('from loom import Agent\nagent = Agent("after")\n')
        dev.wait_for_activity("agent.left", agent="before", orderly=True)
        dev.wait_for_activity("agent.joined", agent="after")
        assert dev.end() == 130
