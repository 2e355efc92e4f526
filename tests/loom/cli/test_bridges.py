"""Starting a bridge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from loom.cli import bridges
from loom.cli.bridges import start_bridge
from loom.cli.exits import Failure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a local bridge leaves its address."""
    monkeypatch.setenv("LOOM_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    return tmp_path / "run"


async def test_the_first_is_the_local_bridge_and_the_second_is_not(runtime: Path) -> None:
    first = await start_bridge("auto", 0)
    second = await start_bridge("fake", 0)
    try:
        assert (first.is_local, second.is_local) == (True, False)
        assert json.loads((runtime / "bridge.json").read_text())["address"] == first.address
        assert first.address != second.address
    finally:
        await first.process.stop(10.0)
        await second.process.stop(10.0)


async def test_an_address_that_nobody_answers_at_is_taken_over(runtime: Path) -> None:
    (runtime / "bridge.json").write_text('{"address": "127.0.0.1:1"}')
    bridge = await start_bridge("fake", 0)
    try:
        assert bridge.is_local
    finally:
        await bridge.process.stop(10.0)


@pytest.fixture
def not_to_trust(runtime: Path) -> None:
    """Others may write the folder."""
    runtime.chmod(0o777)


@pytest.mark.usefixtures("not_to_trust")
async def test_without_a_folder_to_trust_it_is_just_a_bridge() -> None:
    bridge = await start_bridge("fake", 0)
    try:
        assert not bridge.is_local
    finally:
        await bridge.process.stop(10.0)


async def test_one_that_does_not_start_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridges, "START_SECONDS", 0.0)
    with pytest.raises(Failure, match="did not start within"):
        await start_bridge("fake", 0)


@pytest.mark.parametrize("kind", ["rust", "docker"])
async def test_kinds_that_are_not_here(kind: str) -> None:
    with pytest.raises(Failure, match="use --bridge fake"):
        await start_bridge(kind, 0)
