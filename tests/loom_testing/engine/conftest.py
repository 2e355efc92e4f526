"""Worlds that replay what they did, and keep it as the traces both engines replay."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loom_testing.engine import Engine
from loom_testing.engine.trace import read_trace
from tests.loom_testing.engine.world import World

TRACES = Path(__file__).parents[3] / "conformance" / "traces"
WRITE = "LOOM_WRITE_TRACES"


@pytest.fixture
def make_world(request: pytest.FixtureRequest) -> Iterator[Callable[..., World]]:
    """Makes worlds. At the end each one's trace replays to the same outputs and is the one that is kept."""
    worlds: list[World] = []

    def make(**options: object) -> World:
        world = World(about=_name(request), **options)  # type: ignore[arg-type] # options are World's own
        worlds.append(world)
        return world

    yield make
    for place, world in enumerate(worlds):
        replay(world.trace)
        suffix = f".{place + 1}" if place else ""
        _keep(f"{_name(request)}{suffix}", world.trace)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A world with the default limits whose shell writes everything at once."""
    return make_world()


def replay(lines: list[str]) -> None:
    """Feeds a trace to a fresh engine and compares."""
    header, steps = read_trace(lines)
    engine = Engine(header.created, header.engine_limits(), liveness=header.liveness)
    for place, expected in enumerate(steps):
        assert engine.handle(expected.input, expected.at) == expected.outputs, f"step {place + 1}"


def _name(request: pytest.FixtureRequest) -> str:
    module = request.node.path.stem.removeprefix("test_")
    test = re.sub(r"[^A-Za-z0-9_-]+", "-", request.node.name.removeprefix("test_")).strip("-")
    return f"{module}--{test}"


def _keep(name: str, lines: list[str]) -> None:
    path = TRACES / f"{name}.jsonl"
    text = "\n".join(lines) + "\n"
    if os.environ.get(WRITE):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.exists() else "nothing"
    assert kept == text, f"{path.name} differs from what this test does; write it anew with {WRITE}=1"
