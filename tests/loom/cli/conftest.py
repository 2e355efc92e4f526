"""What the tests of the command line share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loom.cli import main
from tests.loom.cli.processes import AGENT, Running, dev_command, running

Loom = Callable[..., Result]


@pytest.fixture
def loom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Loom:
    """Runs `loom ARGS` in an empty folder, without settings from outside."""
    for name in [name for name in os.environ if name.startswith("LOOM_")] + ["NO_COLOR", "FORCE_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOOM_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime") / "loom"))
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> Result:
        return CliRunner().invoke(main, list(args), prog_name="loom")

    return run


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bridge with the two agents of `processes.AGENT`."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "agents.py").write_text(AGENT)
    with running(dev_command("--json", "agents.py"), folder) as dev:
        found: str = dev.wait_for_activity("bridge.started")["address"]
        dev.wait_for_activity("agent.joined", agent="adder")
        dev.wait_for_activity("agent.joined", agent="listener")
        yield found


@pytest.fixture
def at(loom: Loom, address: str, monkeypatch: pytest.MonkeyPatch) -> Loom:
    """`loom`, with that bridge named by the environment."""
    monkeypatch.setenv("LOOM_BRIDGE_ADDR", address)
    return loom


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Running]:
    """`loom dev --json`, whose bridge agents started in the same folder find by themselves."""
    with running(dev_command("--json"), tmp_path) as dev:
        dev.wait_for_activity("bridge.started")
        yield dev
