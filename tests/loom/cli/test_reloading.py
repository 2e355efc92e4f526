"""`--reload`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.loom.cli.processes import TWO, Running, loom_command, running, write

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


def test_reload_ends_on_a_signal(tmp_path: Path, bridge: Running) -> None:
    (tmp_path / "two.py").write_text(TWO)
    with running(loom_command("run", "--reload", "two.py"), tmp_path) as run:
        bridge.wait_for_activity("agent.joined", agent="second")
        assert run.end() == 130
    bridge.wait_for_activity("agent.left", agent="second", orderly=True)


def test_reload_waits_for_broken_code_to_be_mended(tmp_path: Path, bridge: Running) -> None:
    (tmp_path / "two.py").write_text("import nothing_of_that_name\n")
    with running(loom_command("run", "--reload", "two.py"), tmp_path) as run:
        run.wait_for(lambda line: "ended with exit code 1; waiting for a change" in line, err=True)
        (tmp_path / "two.py").write_text(TWO)
        bridge.wait_for_activity("agent.joined", agent="second")
        assert run.end(signal.SIGTERM) == 0


def test_reload_without_watchfiles(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    write("two.py", TWO)
    monkeypatch.setattr("loom.cli.reloading.find_spec", lambda _: None)
    for command in ("run", "dev"):
        done = loom(command, "two.py", "--reload")
        assert done.exit_code == 2
        assert done.stderr == (
            "error: --reload needs the package watchfiles; `pip install 'loom-py[reload]'` brings it\n"
        )
