"""Watchers: bounded, and never in the way."""

from __future__ import annotations

import asyncio

from loom_testing.watch import Line, Watcher


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
