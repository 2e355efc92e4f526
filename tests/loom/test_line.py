"""The line in front of bounded room."""

import asyncio

import pytest

from loom.line import Line


class Place:
    """Room for so many; who is in stays until told to leave."""

    def __init__(self, room):
        self.room = room
        self.inside = []
        self.line = Line(lambda: len(self.inside) < self.room)

    async def visit(self, name):
        await self.line.enter()
        self.inside.append(name)
        self.line.let_next_in()

    async def leave(self, name):
        self.inside.remove(name)
        self.line.let_next_in()
        await settle()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def full():
    """A full place with three in the line."""
    place = Place(1)
    tasks = [asyncio.create_task(place.visit(name)) for name in "abcd"]
    await settle()
    assert (place.inside, len(place.line)) == (["a"], 3)
    yield place, tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_first_come_first_served(full):
    place, _ = full
    for before, after in ("ab", "bc", "cd"):
        await place.leave(before)
        assert place.inside == [after]


async def test_more_room_lets_more_in(full):
    place, _ = full
    place.room = 3
    place.line.let_next_in()
    await settle()
    assert place.inside == ["a", "b", "c"]


async def test_who_gives_up_leaves_the_turn_to_the_next(full):
    place, tasks = full
    tasks[1].cancel()
    await settle()
    place.inside.remove("a")
    place.line.let_next_in()  # c is let in, and gives up before it could enter
    tasks[2].cancel()
    await settle()
    assert place.inside == ["d"]


async def test_giving_up_and_being_let_in_at_once(full):
    place, tasks = full
    tasks[1].cancel()
    place.inside.remove("a")
    place.line.let_next_in()
    await settle()
    assert place.inside == ["c"]


async def test_who_was_overtaken_is_still_the_first(full):
    place, _ = full
    place.inside.remove("a")
    place.line.let_next_in()
    place.inside.append("quick")
    await settle()
    assert (place.inside, len(place.line)) == (["quick"], 3)
    await place.leave("quick")
    assert place.inside == ["b"]


async def test_a_closed_line_holds_nobody(full):
    place, tasks = full
    place.line.close()
    await asyncio.gather(*tasks)
    assert sorted(place.inside) == ["a", "b", "c", "d"]
    async with asyncio.timeout(5):
        await place.visit("e")
