"""Deliveries to tasks: order, parallelism, bound, and the request that may pass."""

import asyncio
import contextvars

import pytest

from loom.dispatch import Dispatcher, waiting


class Handlers:
    """Handlers that note when they begin and end, and wait until they are told to go on."""

    def __init__(self):
        self.began: list[str] = []
        self.ended: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def handle(self, name: str) -> None:
        self.began.append(name)
        self.gates[name] = asyncio.Event()
        if name.startswith("waits"):
            with waiting():
                await self.gates[name].wait()
        else:
            await self.gates[name].wait()
        self.ended.append(name)

    async def finish(self, name: str) -> None:
        self.gates[name].set()
        await settle()


async def settle() -> None:
    """Lets everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def handlers():
    return Handlers()


async def test_one_thread_is_handled_in_order_and_two_in_parallel(handlers):
    dispatcher = Dispatcher(handlers.handle, 10)
    for thread, name in [("t", "t1"), ("t", "t2"), ("u", "u1"), ("u", "u2")]:
        dispatcher.take(name, thread=thread)
    await settle()
    assert handlers.began == ["t1", "u1"]
    await handlers.finish("u1")
    assert handlers.began == ["t1", "u1", "u2"]
    await handlers.finish("t1")
    await handlers.finish("t2")
    await handlers.finish("u2")
    assert handlers.ended == ["u1", "t1", "t2", "u2"]
    assert (dispatcher.running, dispatcher.queued) == (0, 0)


async def test_without_a_thread_there_is_no_order_to_keep(handlers):
    dispatcher = Dispatcher(handlers.handle, 10)
    dispatcher.take("a")
    dispatcher.take("b")
    await settle()
    assert handlers.began == ["a", "b"]
    assert await dispatcher.drain(0) == 2


async def test_no_more_than_the_bound_run_and_lanes_take_turns(handlers):
    dispatcher = Dispatcher(handlers.handle, 2)
    for thread, name in [("t", "t1"), ("t", "t2"), ("u", "u1"), ("v", "v1")]:
        dispatcher.take(name, thread=thread)
    await settle()
    assert handlers.began == ["t1", "u1"]
    await handlers.finish("t1")
    assert handlers.began == ["t1", "u1", "v1"]  # v was due before t had its next
    await handlers.finish("u1")
    assert handlers.began == ["t1", "u1", "v1", "t2"]
    assert await dispatcher.drain(0) == 2


async def test_a_request_passes_a_handler_of_its_thread_that_itself_waits(handlers):
    dispatcher = Dispatcher(handlers.handle, 1)
    dispatcher.take("waits", thread="t")
    await settle()
    dispatcher.take("event", thread="t")
    dispatcher.take("request", thread="t", is_request=True)
    dispatcher.take("stranger", thread="u", is_request=True)
    await settle()
    assert handlers.began == ["waits", "request"]
    await handlers.finish("request")
    await handlers.finish("waits")
    assert handlers.began == ["waits", "request", "stranger"]  # u was due first
    assert await dispatcher.drain(0) == 2


async def test_a_request_that_is_there_already_passes_when_the_handler_begins_to_wait(handlers):
    dispatcher = Dispatcher(handlers.handle, 5)
    gate = asyncio.Event()

    async def handle(name):
        if name == "first":
            await gate.wait()
            await handlers.handle("waits")
        else:
            await handlers.handle(name)

    dispatcher = Dispatcher(handle, 5)
    dispatcher.take("first", thread="t")
    dispatcher.take("request", thread="t", is_request=True)
    await settle()
    assert handlers.began == []
    gate.set()
    await settle()
    assert handlers.began == ["waits", "request"]
    assert await dispatcher.drain(0) == 2


async def test_a_request_does_not_pass_a_handler_that_works(handlers):
    dispatcher = Dispatcher(handlers.handle, 5)
    dispatcher.take("works", thread="t")
    dispatcher.take("request", thread="t", is_request=True)
    await settle()
    assert handlers.began == ["works"]
    assert await dispatcher.drain(0) == 2


async def test_handlers_do_not_see_each_others_context():
    variable = contextvars.ContextVar("variable", default="clean")
    seen = []

    async def handle(name):
        seen.append(variable.get())
        variable.set(name)

    dispatcher = Dispatcher(handle, 1)
    dispatcher.take("a", thread="t")
    dispatcher.take("b", thread="t")
    dispatcher.take("c")
    assert await dispatcher.drain(5) == 0
    assert seen == ["clean"] * 3


async def test_a_full_backlog_says_stop_until_half_of_it_is_gone(handlers):
    dispatcher = Dispatcher(handlers.handle, 1, backlog=4)
    for number in range(4):
        dispatcher.take(f"e{number}", thread="t")
    assert dispatcher.room() is None
    dispatcher.take("e4", thread="t")
    room = dispatcher.room()
    assert room is not None
    waits = asyncio.ensure_future(room)
    await settle()
    await handlers.finish("e0")
    assert not waits.done()
    await handlers.finish("e1")
    await waits
    assert dispatcher.room() is None
    assert await dispatcher.drain(0) == 3


async def test_draining_waits_for_what_was_taken(handlers):
    dispatcher = Dispatcher(handlers.handle, 1)
    dispatcher.take("a", thread="t")
    dispatcher.take("b", thread="t")
    draining = asyncio.ensure_future(dispatcher.drain(30))
    await settle()
    await handlers.finish("a")
    await handlers.finish("b")
    assert await draining == 0
    assert handlers.ended == ["a", "b"]


async def test_draining_cancels_what_is_left_and_counts_it(handlers):
    dispatcher = Dispatcher(handlers.handle, 1)
    dispatcher.take("a", thread="t")
    dispatcher.take("b", thread="t")
    await settle()
    assert await dispatcher.drain(0.01) == 2
    assert handlers.ended == []
    assert (dispatcher.running, dispatcher.queued) == (0, 0)


async def test_a_handler_may_drain_its_own_dispatcher():
    done = asyncio.Event()

    async def handle(_):
        assert await dispatcher.drain(30) == 0
        done.set()

    dispatcher = Dispatcher(handle, 1)
    dispatcher.take("a", thread="t")
    async with asyncio.timeout(5):
        await done.wait()


async def test_a_fault_of_the_program_is_logged_and_the_rest_goes_on(caplog):
    seen = []

    async def handle(name):
        seen.append(name)
        if name == "bad":
            raise RuntimeError("boom")

    dispatcher = Dispatcher(handle, 1)
    dispatcher.take("bad", thread="t")
    dispatcher.take("good", thread="t")
    assert await dispatcher.drain(5) == 0
    assert seen == ["bad", "good"]
    assert "failed where it should not" in caplog.text
