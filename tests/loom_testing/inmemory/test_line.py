"""One direction of a call, and what makes a fast sender wait."""

from __future__ import annotations

import asyncio

from loom_testing.inmemory.line import WINDOW, Form, Line, Sending, post

BIG = b"x" * WINDOW


async def test_messages_come_in_order_and_then_the_end():
    line = Line(asyncio.get_running_loop(), lambda size: None)
    line.came(b"1")
    line.came(b"2")
    line.end()
    assert [await line.read() for _ in range(4)] == [b"1", b"2", None, None]


async def test_a_reader_waits_for_what_comes():
    line = Line(asyncio.get_running_loop(), lambda size: None)
    reading = asyncio.create_task(line.read())
    await asyncio.sleep(0)
    assert not reading.done()
    line.came(b"1")
    assert await reading == b"1"


async def test_a_reader_that_was_cancelled_takes_nothing():
    line = Line(asyncio.get_running_loop(), lambda size: None)
    reading = asyncio.create_task(line.read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    line.came(b"1")
    assert await line.read() == b"1"


async def test_what_is_taken_in_is_told_in_large_pieces():
    told: list[int] = []
    line = Line(asyncio.get_running_loop(), told.append)
    for _ in range(10):
        line.came(b"small")
    for _ in range(10):
        await line.read()
    assert told == []
    line.came(BIG)
    await line.read()
    assert len(told) == 1
    assert told[0] > WINDOW


async def test_a_sender_waits_while_too_much_is_on_the_way():
    sending = Sending(asyncio.get_running_loop())
    await sending.wait_for_room(b"small")
    waiting = asyncio.create_task(sending.wait_for_room(BIG))
    await asyncio.sleep(0)
    assert not waiting.done()
    sending.taken(WINDOW)
    await waiting


async def test_nobody_waits_on_a_call_that_is_over():
    sending = Sending(asyncio.get_running_loop())
    waiting = asyncio.create_task(sending.wait_for_room(BIG))
    await asyncio.sleep(0)
    sending.close()
    await waiting


def test_a_loop_that_is_closed_is_told_nothing():
    loop = asyncio.new_event_loop()
    loop.close()
    post(loop, list.append, [], 1)


def test_without_serializers_messages_stay_what_they_are():
    form = Form.of({})
    assert (form.write(b"1"), form.read(b"2")) == (b"1", b"2")
