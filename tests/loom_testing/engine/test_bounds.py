"""Each bound to the byte and to the number: what just fits, and what is one too much (LIM-1)."""

from __future__ import annotations

from typing import Any

import pytest

from loom.codes import Code
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.loom_testing.engine.world import World, event


def limited(world: World) -> Any:
    """A provider of `c` that works on one call at a time, and never answers unless told."""
    return world.join("a", capabilities=[m.Capability("c", metadata={"loom.max_concurrency": "1"})])


def test_ids_of_calls_and_callers(world: World) -> None:
    limited(world)
    longest = "x" * 255
    assert world.answer(world.invoke("c", longest)) is None
    assert world.answer(world.invoke("c", "short", longest)) is None
    for call in (world.invoke("c", longest + "x"), world.invoke("c", "short", longest + "x")):
        answer = world.answer(call)
        assert answer is not None
        assert answer.error is not None
        assert answer.error.code == Code.INVALID_INPUT
        assert answer.error.message.endswith("has 256 bytes; at most 255 are allowed")


def test_bytes_of_waiting_calls_are_counted_in_and_out(make_world: Any) -> None:
    """ACT-7: the queue may be full to the byte, and what leaves it makes room for as much."""
    world = make_world(queue_bytes=100)
    limited(world)
    world.invoke("c", payload=b"works")
    large = world.invoke("c", payload=b"x" * 60)
    small = world.invoke("c", payload=b"x" * 40)
    assert world.answer(small) is None
    assert world.code(world.invoke("c", payload=b"x")) == Code.OVERLOADED
    world.do(i.Abandon(large))
    assert world.code(world.invoke("c", payload=b"x" * 61)) == Code.OVERLOADED
    assert world.answer(world.invoke("c", payload=b"x" * 60)) is None


def test_bytes_of_waiting_calls_are_counted_by_capability(make_world: Any) -> None:
    world = make_world(queue_bytes=100)
    most = {"loom.max_concurrency": "1"}
    world.join("a", capabilities=[m.Capability("c", metadata=most), m.Capability("d", metadata=most)])
    for capability in ("c", "d"):
        calls = [world.invoke(capability, payload=b"x" * 50) for _ in range(4)]
        assert [world.answer(call) is None for call in calls] == [True, True, True, False]


def test_headers_of_waiting_calls_count(make_world: Any) -> None:
    world = make_world(queue_bytes=100)
    limited(world)
    world.invoke("c")
    caller = "é" * 5
    taken = len("x-agent-id") + len(caller.encode())
    world.invoke("c", "", caller, payload=b"x" * (50 - taken))
    assert world.answer(world.invoke("c", "", caller, payload=b"x" * (50 - taken))) is None
    assert world.code(world.invoke("c", payload=b"x")) == Code.OVERLOADED


def test_kept_results(make_world: Any) -> None:
    """ACT-8: a result that fills the room to the byte is kept, and then nothing beside it."""
    world = make_world(kept_result_bytes=100)
    agent = world.join("a", capabilities=[m.Capability("c")])

    def run(call_id: str, payload: bytes, output: bytes) -> bool:
        """Whether the call was answered without its provider."""
        call = world.invoke("c", call_id, "caller", payload=payload)
        for given in agent.take(m.ActionCall):
            world.say(agent, m.ActionResult(given.id, 0, output))
            return False
        assert world.answer(call) == m.ActionResult(call_id, 0, output)
        return True

    assert not run("first", b"in", b"x" * 48)
    assert not run("second", b"in", b"x" * 48)
    assert run("first", b"in", b"x" * 48)
    assert run("second", b"in", b"x" * 48)
    assert not run("all", b"", b"x" * 100)
    assert run("all", b"", b"x" * 100)
    assert not run("one", b"", b"")
    assert run("all", b"", b"x" * 100)
    assert not run("too much", b"x", b"x" * 100)
    assert not run("too much", b"x", b"x" * 100)


def test_kept_errors(make_world: Any) -> None:
    """ACT-8: every text of an error counts, by its bytes."""
    error = m.ActionError("LATER", "oé", {"ab": "four"})
    world = make_world(kept_result_bytes=2 * (5 + 3 + 2 + 4))
    agent = world.join("a", capabilities=[m.Capability("c")])

    def is_kept(call_id: str) -> bool:
        call = world.invoke("c", call_id, "caller")
        for given in agent.take(m.ActionCall):
            world.say(agent, m.ActionResult(given.id, 1, b"", error))
            return False
        assert world.answer(call) == m.ActionResult(call_id, 1, b"", error)
        return True

    assert [is_kept(call_id) for call_id in ("1", "2", "1", "2")] == [False, False, True, True]
    assert [is_kept(call_id) for call_id in ("3", "2", "3", "1")] == [False, True, True, False]


def test_a_kept_result_is_that_of_the_whole_call(world: World) -> None:
    """ACT-8: version and payload are compared also with a call that was answered."""
    agent = world.join("a", capabilities=[m.Capability("c", "1.0")])
    fields = {"version": "1.0", "payload": b"in"}
    world.invoke("c", "id", "caller", **fields)
    world.say(agent, m.ActionResult(agent.take(m.ActionCall)[0].id, 0, b"out"))
    assert world.answer(world.invoke("c", "id", "caller", **fields)) == m.ActionResult("id", 0, b"out")
    assert world.code(world.invoke("c", "id", "caller", version="1.0")) == Code.ID_REUSED
    assert world.code(world.invoke("c", "id", "caller", payload=b"in")) == Code.ID_REUSED


def test_outcomes_of_a_producer(make_world: Any) -> None:
    """PUB-9: as many as the limit says are known, not one less."""
    world = make_world(producer_outcomes=2)
    listener = world.join("l", "x")
    world.register("a")
    client = world.open("a", producer=1)
    for seq in (1, 2, 1, 2, 3, 2, 1):
        world.confirm(client, seq, "x", f"e{seq}")
    assert listener.event_ids() == ["e1", "e2", "e3", "e1"]


def test_producers(make_world: Any) -> None:
    """PUB-9: the one that is gone longest makes room, and its timer with it; one that streams never does."""
    world = make_world(producers=2)
    listener = world.join("l", "x")
    world.register("a")
    for producer in (1, 2):
        gone = world.open("a", producer=producer)
        world.confirm(gone, 1, "x", f"e{producer}")
    streaming = world.open("a", producer=3)
    world.confirm(streaming, 1, "x", "e3")
    for producer in (2, 1):
        world.confirm(world.open("a", producer=producer), 1, "x", f"e{producer}")
    assert listener.event_ids() == ["e1", "e2", "e3", "e1"]
    world.wait(121)
    world.register("a")
    world.confirm(world.open("a", producer=2), 1, "x", "e2")
    assert listener.event_ids() == ["e2"]


def test_subscriptions_and_capabilities(make_world: Any) -> None:
    """REG-2."""
    world = make_world(subscriptions=2, capabilities=2)
    two = [m.Capability("c"), m.Capability("d")]
    assert not world.register("a", "x", "y", capabilities=two).error_code
    assert world.register("a", "x", "y", "z").error_code == Code.LIMIT_EXCEEDED
    refused = world.register("a", "x", "y", subscriptions=[m.Subscription("z")])
    assert refused.error_message == "3 subscriptions; at most 2 are allowed"
    refused = world.register("a", capabilities=[*two, m.Capability("e")])
    assert refused.error_message == "3 capabilities; at most 2 are allowed"


def test_declared_subscriptions_are_counted_without_the_replies(make_world: Any) -> None:
    world = make_world(subscriptions=3)
    agent = world.join("a", "x", "y", "z")
    world.say(agent, m.Subscribe(1, [m.Subscription("w")]))
    error, receipt = agent.received
    assert error.message == "4 subscriptions; at most 3 are allowed"
    assert receipt == m.Receipt(1, 0, Code.LIMIT_EXCEEDED)


@pytest.mark.parametrize("size", [127, 128, 129])
def test_versions_of_capabilities(world: World, size: int) -> None:
    refused = world.register("a", capabilities=[m.Capability("c", "v" * size)]).error_message
    wanted = 'capability "c" has a version of more than 128 bytes' if size == 129 else ""
    assert refused == wanted


def test_a_queue_full_to_the_byte(make_world: Any) -> None:
    """FLOW-1."""
    size = len(event("e1", payload=b"x" * 20))
    world = make_world(queue_bytes=2 * size)
    world.join("slow", "x")
    world.do(i.Hold("slow"))
    publisher = world.join("p")
    for number in range(3):
        assert not publisher.paused
        world.publish(publisher, "x", f"e{number}", payload=b"x" * 20)
    assert publisher.paused
