"""`loom dev`: what it refuses, and restarting agents."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from loom.cli import dev
from loom.runtime import programs
from tests.loom.cli.processes import dev_command, loom_command, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loom.cli.conftest import Loom


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running(loom_command("dev", "--bridge", "fake", "--port", str(port)), tmp_path) as run:
            assert run.ended() == 1
            where = f"127.0.0.1:{port}"
            remedy = "choose another one, or 0 for any free one"
            assert run.err == [f"error: cannot listen on {where}: the port is in use; {remedy}"]


def test_a_bridge_that_cannot_be_had_is_one_line(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_BRIDGE_BIN", "nowhere")
    done = loom("dev", "--bridge", "rust")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: LOOM_BRIDGE_BIN is 'nowhere', which is no program")
    assert done.stderr.count("\n") == 1


def test_docker_without_an_engine_is_one_line(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    done = loom("dev", "--bridge", "docker")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "no Docker engine answers" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_kinds_are_those_that_can_be_run() -> None:
    assert dev.KINDS == programs.KINDS


def test_agents_that_are_not_there_are_known_before_a_bridge_starts(loom: Loom) -> None:
    done = loom("dev", "nothing.py")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: there is no file nothing.py; check the path")


def test_agents_are_restarted_when_their_code_changes(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text('from loom import Agent\nagent = Agent("before")\n')
    with running(dev_command("--json", "--reload", "agents.py"), tmp_path) as dev:
        dev.wait_for_activity("agent.joined", agent="before")
        (tmp_path / "agents.py").write_text('from loom import Agent\nagent = Agent("after")\n')
        dev.wait_for_activity("agent.left", agent="before", orderly=True)
        dev.wait_for_activity("agent.joined", agent="after")
        assert dev.end() == 130
