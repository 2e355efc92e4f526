"""Watchers: bounded, and never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loom_testing.engine import Engine
from loom_testing.engine.inputs import Invoke, Receive, Tick
from loom_testing.engine.messages import ActionCall, ActionResult, Publish
from loom_testing.engine.trace import encode_step, read_trace
from loom_testing.watch import Kept, Line, Watcher

TRACES = sorted((Path(__file__).parents[2] / "conformance" / "traces").glob("*.jsonl"))


async def test_lines_come_out_in_order():
    watcher = Watcher()
    watcher.tell("a", "1")
    watcher.tell("b", "2")
    assert await watcher.next() == Line("a", "1")
    assert await watcher.next() == Line("b", "2")


async def test_the_reader_waits_for_the_next_line():
    watcher = Watcher()
    reading = asyncio.create_task(watcher.next())
    await asyncio.sleep(0)
    assert not reading.done()
    watcher.tell("a", "1")
    assert await reading == Line("a", "1")


async def test_what_does_not_fit_is_counted():
    watcher = Watcher(lines=2)
    for text in "12345":
        watcher.tell("a", text)
    assert await watcher.next() == Line("a", "1")
    watcher.tell("a", "6")
    assert await watcher.next() == Line("a", "2")
    assert await watcher.next() == Line("a", "6", skipped=3)
    watcher.tell("a", "7")
    assert await watcher.next() == Line("a", "7")


async def test_large_lines_are_bounded_by_their_characters():
    watcher = Watcher(characters=10)
    watcher.tell("a", "x" * 8)
    watcher.tell("a", "y" * 8)
    assert (await watcher.next()).text == "x" * 8
    watcher.tell("a", "z" * 8)
    assert await watcher.next() == Line("a", "z" * 8, skipped=1)


async def test_a_finished_watcher_gives_what_is_left_and_then_none():
    watcher = Watcher()
    watcher.tell("a", "1")
    watcher.finish()
    assert await watcher.next() == Line("a", "1")
    assert await watcher.next() is None
    assert await watcher.next() is None


async def test_finishing_wakes_the_reader():
    watcher = Watcher()
    reading = asyncio.create_task(watcher.next())
    await asyncio.sleep(0)
    watcher.finish()
    assert await reading is None


async def told(kept: Kept, watcher: Watcher) -> list[Line]:
    kept.tell("a", watcher)
    watcher.finish()
    return [line async for line in lines_of(watcher)]


async def lines_of(watcher: Watcher) -> AsyncIterator[Line]:
    while (line := await watcher.next()) is not None:
        yield line


async def test_a_later_watcher_is_told_the_last_steps():
    kept = Kept(steps=2)
    for number in range(5):
        kept.add(number, Tick(), [])
    first, second = await told(kept, Watcher())
    assert (first.skipped, first.text) == (3, encode_step(3, Tick(), []))
    assert (second.skipped, second.text) == (0, encode_step(4, Tick(), []))


@pytest.mark.parametrize(
    "came_in",
    [
        Receive(1, Publish("t", b"x" * 1000)),
        Receive(1, ActionResult("c", 0, b"x" * 1000)),
        Invoke(1, ActionCall("c", "x", payload=b"x" * 1000)),
    ],
)
async def test_what_is_kept_is_bounded_by_the_bytes_it_carries(came_in):
    kept = Kept(size=3000)
    for _ in range(5):
        kept.add(0, came_in, [])
    lines = await told(kept, Watcher())
    assert (len(lines), lines[0].skipped) == (2, 3)


def test_nothing_that_was_kept_changes_afterwards():
    """Steps become lines only when somebody asks: what was handled may not change any more."""
    assert len(TRACES) > 100
    for path in TRACES:
        header, steps = read_trace(path.read_text(encoding="utf-8").splitlines())
        engine = Engine(header.created, header.engine_limits(), liveness=header.liveness)
        kept, at_once = Kept(), []
        for step in steps:
            outputs = engine.handle(step.input, step.at)
            kept.add(step.at, step.input, outputs)
            at_once.append(encode_step(step.at, step.input, outputs))
        assert [encode_step(*one[:3]) for one in kept._steps] == at_once, path.name
