"""The run behind `loom dev`, as a process: a bridge, agents, and what is told of them."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from loom.runtime import rust
from tests.loom.cli.processes import AGENT, children_of, dev_command, loom_command, running, wait_until_gone

if TYPE_CHECKING:
    from pathlib import Path


# The Rust bridge as it is; a test does not wait for cargo.
BINARY = next(rust.binaries(os.environ), None)


@pytest.mark.parametrize("kind", ["fake", *(["rust"] if BINARY else [])])
def test_what_happens_is_told_as_json(tmp_path: Path, kind: str) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    binary = str(BINARY.path) if BINARY else ""
    command = dev_command("--json", "agents.py", kind=kind)
    with running(command, tmp_path, LOOM_BRIDGE_BIN=binary) as dev:
        address = dev.wait_for_activity("bridge.started")["address"]
        joined = dev.wait_for_activity("agent.joined", agent="adder")
        assert joined["capabilities"] == ["add@1.0", "shout", "slow", "broken"]
        dev.wait_for_activity("agent.joined", agent="listener")
        with running(loom_command("emit", "paper.new", "n=1", "--bridge", address), tmp_path) as emit:
            assert emit.ended() == 0
            assert emit.err == ["✓ published to 1 agent"]
        told = dev.wait_for_activity("event.delivered", topic="paper.new")
        assert told["to"] == "listener"
        assert told["namespace"] == "default"
        assert "payload" not in told
        dev.wait_for_activity("event.published", topic="read.done", sender="listener", matched=0)
        with running(loom_command("call", "add", "a=1", "--bridge", address), tmp_path) as call:
            assert call.ended() == 0
        ended = dev.wait_for_activity("call.ended", capability="add")
        assert (ended["status"], ended["caller"], ended["provider"]) == ("OK", "loom-call", "adder")
        assert ended["took_us"] > 0
        assert dev.end() == 130
        dev.wait_for_activity("agent.left", agent="adder", orderly=True)
        totals = json.loads(dev.out[-1])
        assert totals["kind"] == "totals"
        assert (totals["events"], totals["calls"], totals["failed_calls"]) == (2, 1, 0)
        assert [line for line in dev.err if "read" in line] == ["agents.py │ read {'n': 1}"]


def test_what_happens_is_told_to_people(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    with running(dev_command("--payloads", "agents.py:agent"), tmp_path) as dev:
        dev.wait_for(lambda line: "joined" in line and "offers add@1.0" in line)
        # Agents and tools of this user find it without being told.
        with running(loom_command("call", "broken"), tmp_path) as call:
            assert call.ended() == 1
            assert "RuntimeError" in call.err[0]
            assert len(call.err) == 1
        dev.wait_for(lambda line: "loom-call → adder" in line and "CAPABILITY_ERROR" in line)
        with running(loom_command("call", "shout", "text=7"), tmp_path) as call:
            assert call.ended() == 0
            assert call.out == ["7"]
        assert dev.wait_for(lambda line: '{"text":"7"}' in line or '"7"' in line)
        assert dev.end(signal.SIGTERM) == 0
        assert "2 calls" in dev.err[-1]
        assert "1 call failed" in dev.err[-1]
        assert "\x1b" not in "".join(dev.out + dev.err)
    assert not (tmp_path / "run" / "bridge.json").exists()


def test_a_call_that_takes_long_is_shown_before_it_ends(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    with running(dev_command("agents.py"), tmp_path) as dev:
        dev.wait_for(lambda line: "joined" in line and "adder" in line)
        with running(loom_command("call", "slow", "--timeout", "60"), tmp_path) as call:
            dev.wait_for(lambda line: "still open after 3" in line)
            assert call.end(signal.SIGINT) == 130
        dev.wait_for(lambda line: "slow" in line and "CANCELLED" in line)


def test_an_agent_that_ends_is_told_and_the_bridge_goes_on(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import nothing_of_that_name\n")
    with running(dev_command("bad.py"), tmp_path) as dev:
        dev.wait_for(lambda line: "bad.py ended with exit code 1" in line, err=True)
        assert any("ModuleNotFoundError" in line for line in dev.err)
        assert dev.process.poll() is None


def test_a_bridge_that_dies_ends_it_with_an_error(tmp_path: Path) -> None:
    with running(dev_command("--json"), tmp_path) as dev:
        dev.wait_for_activity("bridge.started")
        (bridge,) = children_of(dev.process.pid)
        os.kill(bridge, signal.SIGKILL)
        assert dev.ended() == 1
        assert dev.err == ["error: the bridge ended by itself; see what it said above, and start again"]


def test_two_of_them_share_the_machine(tmp_path: Path) -> None:
    with running(dev_command(), tmp_path) as first:
        first.wait_for(lambda line: "find it by themselves" in line, err=True)
        with running(dev_command(), tmp_path) as second:
            second.wait_for(lambda line: "export LOOM_BRIDGE_ADDR=127.0.0.1:" in line, err=True)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    with running(dev_command("--json", "agents.py"), tmp_path) as dev:
        dev.wait_for_activity("agent.joined", agent="adder")
        children = children_of(dev.process.pid)
        assert len(children) == 2
        assert dev.end() == 130
    wait_until_gone(children)


def test_a_second_ctrl_c_ends_it_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    with running(dev_command("--json", "agents.py"), tmp_path) as dev:
        dev.wait_for_activity("agent.joined", agent="adder")
        with running(loom_command("call", "slow", "--timeout", "60"), tmp_path) as call:
            dev.wait_for_activity("call.started", capability="slow")
            children = children_of(dev.process.pid)
            dev.process.send_signal(signal.SIGINT)
            dev.wait_for_activity("agent.changed", agent="adder")  # it drains, for seconds
            assert dev.end() == 130
            assert call.ended() != 0
        assert not [line for line in dev.err if "Traceback" in line]
    wait_until_gone(children)
