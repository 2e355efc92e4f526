"""The event loop beside a plain test, and what it holds back while the test is at work."""

from __future__ import annotations

import asyncio
import threading

import pytest

from loom.endpoint import Endpoint
from loom.joining import Group
from loom_testing.harness.beside import Beside, refuse_coroutine
from loom_testing.harness.errors import WrongPlaceError


@pytest.fixture
def group():
    group = Group(Endpoint("127.0.0.1:1", "of-a-plain-test"))
    yield group
    group.close()


@pytest.fixture
def beside(group):
    beside = Beside(group)
    yield beside
    beside.close()


async def where() -> tuple[str, int]:
    return threading.current_thread().name, id(asyncio.get_running_loop())


def test_its_thread_begins_with_the_first_coroutine_and_ends_with_close(beside):
    assert not beside.has_started
    first = beside.wait_for(where())
    assert beside.has_started
    assert first[0] == "loom-beside-the-test"
    assert beside.wait_for(where()) == first
    beside.close()
    assert not beside.has_started
    assert "loom-beside-the-test" not in {thread.name for thread in threading.enumerate()}
    beside.close()


def test_what_a_coroutine_raises_is_raised(beside):
    async def fail() -> None:
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        beside.wait_for(fail())


async def test_it_is_refused_on_an_event_loop(beside):
    with pytest.raises(WrongPlaceError, match=r"leave out \.sync, and await"):
        beside.wait_for(where())
    with pytest.raises(WrongPlaceError):
        refuse_coroutine()
    assert not beside.has_started


def test_time_is_held_except_while_the_test_waits(beside, group):
    async def held() -> list[str]:
        return group._holds()

    assert beside.wait_for(held()) == []
    beside.hold()
    beside.hold()
    assert group._holds() == ["the test itself is at work between two uses of loom_bridge.sync"]
    assert beside.wait_for(held()) == []
    assert len(group._holds()) == 1
    beside.let_go()
    beside.let_go()
    assert group._holds() == []


def test_it_is_held_again_also_after_an_error(beside, group):
    async def fail() -> None:
        raise ValueError("planted")

    beside.hold()
    with pytest.raises(ValueError, match="planted"):
        beside.wait_for(fail())
    assert len(group._holds()) == 1


def test_without_a_group_nothing_is_held():
    beside = Beside()
    beside.hold()
    assert beside.wait_for(where())
    beside.let_go()
    beside.close()
