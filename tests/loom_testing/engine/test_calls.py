"""ACT: a call is routed, ends exactly once, and may be repeated without harm."""

from __future__ import annotations

from typing import Any

import pytest

from loom.codes import Code
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.loom_testing.engine.world import START, World

OK, ERROR, TIMEOUT, RETRYABLE = 0, 1, 2, 3


def provide(world: World, name: str, most: int | None = None, version: str = "", **fields: Any) -> Any:
    metadata = {} if most is None else {"loom.max_concurrency": str(most)}
    return world.join(name, capabilities=[m.Capability("c", version, metadata=metadata)], **fields)


def one_call(client: Any) -> m.ActionCall:
    calls = client.take(m.ActionCall)
    assert len(calls) == 1, calls
    call: m.ActionCall = calls[0]
    return call


def test_goes_to_the_provider_and_back_untouched(world: World) -> None:
    """ACT-1."""
    agent = provide(world, "a")
    headers = {"x-agent-id": "caller", "traceparent": "00-..."}
    call = world.number()
    request = m.ActionCall("own", "c", "", b"in", headers, 5000, "thread", 2)
    world.do(i.Invoke(call, request))
    given = one_call(agent)
    assert given.id != "own"
    assert given.id.startswith(f"{START:x}-")
    assert (given.payload, given.headers, given.timeout_ms) == (b"in", headers, 5000)
    assert (given.correlation_id, given.qos) == ("thread", 2)
    error = m.ActionError("MY_CODE", "text", {"k": "v"})
    world.say(agent, m.ActionResult(given.id, 7, b"out", error))
    assert world.answer(call) == m.ActionResult("own", 7, b"out", error)


def test_an_empty_id_is_given_one(world: World) -> None:
    """ACT-8."""
    agent = provide(world, "a")
    call = world.invoke("c")
    given = one_call(agent)
    world.say(agent, m.ActionResult(given.id, OK))
    answer = world.answer(call)
    assert answer is not None
    assert answer.id == given.id


@pytest.mark.parametrize("name", ["nope", "", "a b", "x" * 300])
def test_nobody_there_is_an_answer_at_once(world: World, name: str) -> None:
    """ACT-2."""
    call = world.invoke(name, "own")
    answer = world.answer(call)
    assert answer is not None
    assert (answer.id, answer.status, world.code(call)) == ("own", ERROR, Code.NOT_FOUND)


def test_versions_are_compared_exactly(world: World) -> None:
    """ACT-2."""
    agent = provide(world, "a", version="1.0")
    assert world.code(world.invoke("c", version="1")) == Code.NOT_FOUND
    world.invoke("c", version="1.0")
    world.invoke("c")
    assert len(agent.take(m.ActionCall)) == 2


def test_registered_but_not_streaming_is_unavailable(world: World) -> None:
    """ACT-2."""
    world.register("a", capabilities=[m.Capability("c")])
    call = world.invoke("c")
    answer = world.answer(call)
    assert answer is not None
    assert (answer.status, world.code(call)) == (RETRYABLE, Code.UNAVAILABLE)


@pytest.mark.parametrize(("timeout_ms", "seconds"), [(0, 30), (1500, 1.5), (10**12, 86_400)])
def test_the_deadline_is_the_bridge_s(world: World, timeout_ms: int, seconds: float) -> None:
    """ACT-3: and times beyond reason are capped."""
    agent = provide(world, "a")
    call = world.invoke("c", "own", timeout_ms=timeout_ms)
    given = one_call(agent)
    assert given.timeout_ms == seconds * 1000
    world.wait(seconds - 0.001)
    assert world.answer(call) is None
    world.wait(0.001)
    answer = world.answer(call)
    assert answer is not None
    assert (answer.id, answer.status, world.code(call)) == ("own", TIMEOUT, Code.TIMEOUT)
    assert agent.take(m.ActionCancel) == [m.ActionCancel(given.id, Code.TIMEOUT)]
    world.say(agent, m.ActionResult(given.id, OK))
    assert [(error.code, error.ref) for error in agent.take(m.Err)] == [(Code.UNKNOWN_CALL, given.id)]


def test_a_negative_timeout_is_refused(world: World) -> None:
    provide(world, "a")
    assert world.code(world.invoke("c", timeout_ms=-1)) == Code.INVALID_INPUT


def test_names_are_bounded(world: World) -> None:
    provide(world, "a")
    assert world.code(world.invoke("c", "x" * 256)) == Code.INVALID_INPUT
    assert world.code(world.invoke("c", "x", "y" * 256)) == Code.INVALID_INPUT


def test_a_caller_that_leaves_cancels(world: World) -> None:
    """ACT-3."""
    agent = provide(world, "a")
    call = world.invoke("c")
    given = one_call(agent)
    world.do(i.Abandon(call))
    assert agent.take(m.ActionCancel) == [m.ActionCancel(given.id, Code.CANCELLED)]
    assert world.answer(call) is None
    world.do(i.Abandon(call))
    assert world.snapshot().counters["calls_cancelled"] == 1


def test_a_base_level_provider_is_not_told(world: World) -> None:
    agent = provide(world, "a", features=[])
    world.do(i.Abandon(world.invoke("c")))
    assert agent.take(m.ActionCancel) == []


def test_a_call_not_yet_written_is_taken_back(world: World) -> None:
    agent = provide(world, "a", most=1)
    world.do(i.Hold("a"))
    world.do(i.Abandon(world.invoke("c", payload=b"first")))
    world.invoke("c", payload=b"second")
    world.do(i.Release("a"))
    assert [call.payload for call in agent.take(m.ActionCall)] == [b"second"]
    assert agent.received == []


@pytest.mark.parametrize("how", ["break", "goodbye", "takeover", "disconnect"])
def test_a_lost_provider_is_told_at_once(world: World, how: str) -> None:
    """ACT-4."""
    agent = provide(world, "a")
    call = world.invoke("c", "own", "caller")
    if how == "break":
        world.do(i.Break(agent.number))
    elif how == "goodbye":
        world.say(agent, m.Goodbye())
    elif how == "takeover":
        world.open("a")
    else:
        world.do(i.Disconnect("a"))
    answer = world.answer(call)
    assert answer is not None
    assert (answer.status, world.code(call)) == (RETRYABLE, Code.PROVIDER_LOST)


def test_a_call_still_in_the_queue_of_a_leaving_provider_is_lost_too(world: World) -> None:
    agent = provide(world, "a")
    world.do(i.Hold("a"))
    call = world.invoke("c")
    world.say(agent, m.Goodbye())
    assert world.code(call) == Code.PROVIDER_LOST
    assert agent.ended is None or agent.ended.status == "OK"
    assert agent.take(m.ActionCall) == []


def test_waiting_calls_go_to_another_provider(world: World) -> None:
    """ACT-4."""
    one = provide(world, "one", most=1)
    running, waiting = world.invoke("c", payload=b"1"), world.invoke("c", payload=b"2")
    two = provide(world, "two", most=1)
    assert one_call(two).payload == b"2"
    third = world.invoke("c", payload=b"3")
    world.do(i.Break(one.number))
    assert world.code(running) == Code.PROVIDER_LOST
    assert world.answer(waiting) is None
    world.do(i.Break(two.number))
    assert world.code(waiting) == Code.PROVIDER_LOST
    answer = world.answer(third)
    assert answer is not None
    assert (answer.status, world.code(third)) == (RETRYABLE, Code.UNAVAILABLE)


def test_waiting_calls_of_a_withdrawn_capability_are_answered(world: World) -> None:
    provide(world, "a", most=1)
    world.invoke("c")
    waiting = world.invoke("c")
    world.register("a")
    assert world.code(waiting) == Code.UNAVAILABLE


def test_nobody_can_answer_for_another(world: World) -> None:
    """ACT-5."""
    agent, thief = provide(world, "a"), world.join("thief")
    call = world.invoke("c")
    given = one_call(agent)
    world.say(thief, m.ActionResult(given.id, OK, b"stolen"))
    assert [error.code for error in thief.take(m.Err)] == [Code.UNKNOWN_CALL]
    assert world.answer(call) is None
    world.say(agent, m.ActionResult(given.id, OK, b"true"))
    world.say(agent, m.ActionResult(given.id, OK, b"twice"))
    answer = world.answer(call)
    assert answer is not None
    assert answer.output == b"true"
    assert [error.code for error in agent.take(m.Err)] == [Code.UNKNOWN_CALL]


def test_least_open_then_longest_ago_then_first(world: World) -> None:
    """ACT-6."""
    one, two = provide(world, "one"), provide(world, "two")
    order = []
    for _ in range(4):
        world.invoke("c")
        order.append("one" if (mine := one.take(m.ActionCall)) else "two")
        last = mine or two.take(m.ActionCall)
    assert order == ["one", "two", "one", "two"]
    world.say(two, m.ActionResult(last[0].id, OK))
    world.invoke("c")
    assert two.take(m.ActionCall)


def test_concurrency_is_never_exceeded_and_calls_wait_in_order(world: World) -> None:
    """ACT-7."""
    agent = provide(world, "a", most=2)
    calls = [world.invoke("c", payload=bytes([number])) for number in range(5)]
    given = agent.take(m.ActionCall)
    assert [call.payload for call in given] == [b"\0", b"\1"]
    assert [call.state for call in world.snapshot().calls] == ["DISPATCHED"] * 2 + ["QUEUED"] * 3
    world.say(agent, m.ActionResult(given[1].id, OK))
    assert one_call(agent).payload == b"\2"
    world.do(i.Abandon(calls[3]))
    world.say(agent, m.ActionResult(given[0].id, OK))
    assert one_call(agent).payload == b"\4"


def test_a_call_that_ended_holds_its_place_until_the_provider_answers(world: World) -> None:
    """ACT-7: never exceeded also where a call timed out and its provider still works on it."""
    agent = provide(world, "a", most=1)
    world.invoke("c", payload=b"1", timeout_ms=1000)
    waiting = world.invoke("c", payload=b"2", timeout_ms=60_000)
    given = one_call(agent)
    world.wait(1)
    assert agent.take(m.ActionCall) == []
    world.say(agent, m.ActionResult(given.id, OK, b"late"))
    assert [error.code for error in agent.take(m.Err)] == [Code.UNKNOWN_CALL]
    assert one_call(agent).payload == b"2"
    assert world.answer(waiting) is None


def test_the_time_in_the_queue_counts(world: World) -> None:
    """ACT-3, ACT-7."""
    agent = provide(world, "a", most=1)
    world.invoke("c", timeout_ms=60_000)
    given = one_call(agent)
    waits, gives_up = world.invoke("c", timeout_ms=5000), world.invoke("c", timeout_ms=2000)
    world.wait(2)
    assert world.code(gives_up) == Code.TIMEOUT
    world.say(agent, m.ActionResult(given.id, OK))
    assert one_call(agent).timeout_ms == 3000
    assert world.answer(waits) is None


def test_a_full_queue_is_overloaded(make_world: Any) -> None:
    """ACT-7."""
    world = make_world(waiting_calls=2)
    provide(world, "a", most=1)
    calls = [world.invoke("c") for _ in range(4)]
    assert [world.answer(call) is None for call in calls] == [True, True, True, False]
    answer = world.answer(calls[3])
    assert answer is not None
    assert (answer.status, world.code(calls[3])) == (RETRYABLE, Code.OVERLOADED)


def test_waiting_bytes_are_bounded(make_world: Any) -> None:
    world = make_world(queue_bytes=100)
    provide(world, "a", most=1)
    calls = [world.invoke("c", payload=b"x" * 60) for _ in range(3)]
    assert [world.answer(call) is None for call in calls] == [True, True, False]
    assert world.code(calls[2]) == Code.OVERLOADED


def test_a_provider_that_does_not_read_is_given_no_more(make_world: Any) -> None:
    """FLOW-1: a call counts in its provider's queue, and waits where that is full."""
    world = make_world(queue_events=2)
    one = provide(world, "one")
    world.do(i.Hold("one"))
    for _ in range(3):
        world.invoke("c")
    assert [call.state for call in world.snapshot().calls] == ["DISPATCHED"] * 2 + ["QUEUED"]
    world.do(i.Release("one"))
    assert len(one.take(m.ActionCall)) == 3


def test_a_repeat_joins_an_open_call(world: World) -> None:
    """ACT-8."""
    agent = provide(world, "a")
    first = world.invoke("c", "id", "caller", payload=b"p")
    repeat = world.invoke("c", "id", "caller", payload=b"p")
    given = one_call(agent)
    assert world.snapshot().calls[0].waiters == 2
    world.say(agent, m.ActionResult(given.id, OK, b"out"))
    assert world.answer(first) == world.answer(repeat) == m.ActionResult("id", OK, b"out")


def test_a_joined_call_ends_with_its_last_caller(world: World) -> None:
    """ACT-8: each caller has a deadline of its own."""
    agent = provide(world, "a")
    first = world.invoke("c", "id", "caller", timeout_ms=1000)
    world.invoke("c", "id", "caller", timeout_ms=9000)
    third = world.invoke("c", "id", "caller", timeout_ms=9000)
    world.wait(1)
    assert world.code(first) == Code.TIMEOUT
    world.do(i.Abandon(third))
    assert agent.take(m.ActionCancel) == []
    world.wait(8)
    assert [cancel.code for cancel in agent.take(m.ActionCancel)] == [Code.TIMEOUT]


@pytest.mark.parametrize("status", [OK, ERROR])
def test_a_repeat_within_two_minutes_gets_the_same_result(world: World, status: int) -> None:
    """ACT-8."""
    agent = provide(world, "a")
    result = m.ActionResult("", status, b"out", m.ActionError("X") if status else None)
    first = world.invoke("c", "id", "caller")
    result.id = one_call(agent).id
    world.say(agent, result)
    world.wait(119.999)
    repeat = world.invoke("c", "id", "caller")
    assert world.answer(repeat) == world.answer(first)
    world.wait(0.001)
    assert world.answer(world.invoke("c", "id", "caller")) is None
    assert len(agent.take(m.ActionCall)) == 1


@pytest.mark.parametrize("status", [TIMEOUT, RETRYABLE])
def test_a_passing_failure_is_not_kept(world: World, status: int) -> None:
    agent = provide(world, "a")
    world.invoke("c", "id", "caller")
    world.say(agent, m.ActionResult(one_call(agent).id, status))
    world.invoke("c", "id", "caller")
    assert len(agent.take(m.ActionCall)) == 1


@pytest.mark.parametrize(
    "other",
    [{"payload": b"other"}, {"version": "2"}, {"capability": "d"}],
    ids=["payload", "version", "name"],
)
@pytest.mark.parametrize("ended", [False, True], ids=["open", "kept"])
def test_the_same_id_with_other_content_is_refused(world: World, other: dict[str, Any], ended: bool) -> None:
    """ACT-8."""
    agent = provide(world, "a")
    world.invoke("c", "id", "caller")
    if ended:
        world.say(agent, m.ActionResult(one_call(agent).id, OK))
    content = {"capability": "c", **other}
    call = world.invoke(content.pop("capability"), "id", "caller", **content)
    answer = world.answer(call)
    assert answer is not None
    assert (answer.status, world.code(call)) == (ERROR, Code.ID_REUSED)


def test_ids_of_different_callers_and_of_the_anonymous_are_their_own(world: World) -> None:
    """ACT-8."""
    agent = provide(world, "a")
    for caller in ("one", "two", "", ""):
        world.invoke("c", "id", caller, payload=caller.encode())
    assert len(agent.take(m.ActionCall)) == 4


def test_lists_what_is_callable_now(world: World) -> None:
    """ACT-11."""
    world.register("silent", capabilities=[m.Capability("silent.cap")])
    world.join("b", capabilities=[m.Capability("c", "2"), m.Capability("b")])
    first = m.Capability("c", "1", 3, {"input_schema": "{}"})
    world.join("a", capabilities=[first])
    world.join("z", capabilities=[m.Capability("c", "1")])
    call = world.number()
    world.do(i.ListCapabilities(call))
    listed = world.replies[call].capabilities
    assert [(item.name, item.version) for item in listed] == [("b", ""), ("c", "1"), ("c", "2")]
    assert listed[1] == first
