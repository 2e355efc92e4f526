"""ACT-8: kept results are bounded in time, number and bytes."""

from __future__ import annotations

from typing import Any

import pytest

from loom_testing.engine import messages as m
from tests.loom_testing.engine.world import World

ERROR = m.ActionError("CODE", "é", {"k": "v"})


def run(
    world: World, agent: Any, call_id: str, output: bytes = b"", error: m.ActionError | None = ERROR
) -> None:
    world.invoke("c", call_id, "caller")
    calls = agent.take(m.ActionCall)
    if calls:
        world.say(agent, m.ActionResult(calls[0].id, 1, output, error))


def test_the_oldest_make_room_by_number(make_world: Any) -> None:
    world = make_world(kept_results=2)
    agent = world.join("a", capabilities=[m.Capability("c")])
    for call_id in ("1", "2", "3", "2", "1"):
        run(world, agent, call_id)
    assert world.snapshot().counters["calls_replayed"] == 1
    assert world.snapshot().counters["calls_completed"] == 4


def test_the_oldest_make_room_by_bytes(make_world: Any) -> None:
    world = make_world(kept_result_bytes=100)
    agent = world.join("a", capabilities=[m.Capability("c")])
    run(world, agent, "1", b"x" * 40)
    assert world.engine._core.kept_bytes == 40 + len("CODE") + len("é".encode()) + 2
    run(world, agent, "2", b"x" * 60)
    run(world, agent, "large", b"x" * 101)
    assert [key[1] for key in world.engine._core.kept] == ["2"]


@pytest.mark.parametrize(("size", "fit"), [(36, True), (37, False)])
def test_bytes_are_those_of_the_output_and_of_all_that_the_error_says(
    make_world: Any, size: int, fit: bool
) -> None:
    world = make_world(kept_result_bytes=100)
    agent = world.join("a", capabilities=[m.Capability("c")])
    error = m.ActionError("CODE", "é", {"key": "value"})  # 4, 2 and 3 + 5 bytes
    run(world, agent, "1", b"x" * 36, error)
    for call_id in ("2", "2", "1"):
        run(world, agent, call_id, b"x" * size, error)
    counters = world.snapshot().counters
    assert (counters["calls_replayed"], counters["calls_completed"]) == ((2, 2) if fit else (1, 3))


def test_each_is_forgotten_in_its_time(world: World) -> None:
    agent = world.join("a", capabilities=[m.Capability("c")])
    run(world, agent, "1")
    world.wait(60)
    run(world, agent, "2")
    world.wait(60)
    assert [key[1] for key in world.engine._core.kept] == ["2"]
    world.wait(60)
    assert not world.engine._core.kept
    assert world.engine._core.kept_bytes == 0
    assert world.engine.next_deadline() is None
