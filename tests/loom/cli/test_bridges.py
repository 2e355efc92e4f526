"""Starting a bridge, and making it the local one."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from loom.cli import bridges
from loom.cli.bridges import local_bridge, place_of_the_local_bridge, start_bridge
from loom.cli.exits import Failure
from loom.client import BridgeClient
from loom.endpoint import Endpoint
from loom.runtime.programs import Program, choose

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a local bridge leaves its address."""
    monkeypatch.setenv("LOOM_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    return tmp_path / "run"


@pytest.fixture
def fake() -> Program:
    return choose("fake", {})


async def test_a_bridge_that_was_started_answers_until_it_is_stopped(fake: Program) -> None:
    bridge = await start_bridge(fake, 0)
    try:
        async with BridgeClient(Endpoint(bridge.address)) as client:
            assert await client.heartbeat() > 0
    finally:
        await bridge.process.stop(10.0)
    assert await bridge.process.wait() == 0


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_agents_find_the_local_bridge_while_it_runs(fake: Program, runtime: Path) -> None:
    bridge = await start_bridge(fake, 0)
    try:
        place = await place_of_the_local_bridge()
        assert place == runtime / "bridge.json"
        with local_bridge(bridge.address, place):
            assert json.loads(place.read_text())["address"] == bridge.address
            assert stat.S_IMODE(place.stat().st_mode) == 0o600
            assert await place_of_the_local_bridge() is None
        assert names(runtime) == []
        with local_bridge(bridge.address, None):
            assert names(runtime) == []
    finally:
        await bridge.process.stop(10.0)


def test_the_address_of_another_is_left_alone(runtime: Path) -> None:
    place = runtime / "bridge.json"
    with local_bridge("127.0.0.1:1", place):
        place.write_text("another's")
    assert place.read_text() == "another's"


@pytest.fixture
def gone(runtime: Path) -> Path:
    """A bridge left its address, and is gone."""
    (runtime / "bridge.json").write_text('{"address": "127.0.0.1:1"}')
    return runtime / "bridge.json"


async def test_an_address_that_nobody_answers_at_is_free(gone: Path) -> None:
    assert await place_of_the_local_bridge() == gone


@pytest.fixture
def not_to_trust(runtime: Path) -> None:
    """Others may write the folder."""
    runtime.chmod(0o777)


@pytest.mark.usefixtures("not_to_trust")
async def test_in_a_folder_that_is_not_to_be_trusted_nothing_is_left() -> None:
    assert await place_of_the_local_bridge() is None


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo no port >&2; exit 2", "no port"),
        ("echo 'Error: the port is in use' >&2; exit 2", "the port is in use"),
        ("echo what; exit 0", "without a word"),
        ("exit 0", "without a word"),
    ],
)
async def test_one_that_does_not_start_says_why(script: str, says: str) -> None:
    program = Program("docker", "a test", ("sh", "-c", script))
    with pytest.raises(Failure, match=says):
        await start_bridge(program, 0)


async def test_one_that_says_where_it_listens_in_plain_words() -> None:
    program = Program("rust", "a test", ("sh", "-c", "echo listening on 127.0.0.1:7; exec cat"))
    bridge = await start_bridge(program, 0)
    assert bridge.address == "127.0.0.1:7"
    await bridge.process.kill()


async def test_one_that_does_not_start_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridges, "START_SECONDS", 0.05)
    with pytest.raises(Failure, match="did not start within"):
        await start_bridge(Program("rust", "a test", ("sh", "-c", "exec sleep 60")), 0)


async def test_the_settings_of_another_bridge_are_not_this_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_BRIDGE_LISTEN", "0.0.0.0:1")
    script = "echo listening on [$LOOM_BRIDGE_LISTEN]; exec cat"
    bridge = await start_bridge(Program("rust", "a test", ("sh", "-c", script)), 0)
    assert bridge.address == "[]"
    await bridge.process.kill()
