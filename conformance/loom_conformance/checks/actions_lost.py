"""ACT-4 and ACT-5: a lost provider is an answer, and nobody answers for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.v1 import stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import descriptor, given, not_given, open_calls

if TYPE_CHECKING:
    from loom_conformance.peer import Invocation
    from loom_conformance.stream import Stream


async def lost(call: Invocation, what: str) -> None:
    """The caller is told that the provider was lost."""
    expect.result(await call.result(), "ACTION_RETRYABLE", what, code="PROVIDER_LOST")


async def provider_of(bench: Bench, name: str, who: str = "provider", most: int | None = None) -> Stream:
    """An agent that offers the capability."""
    return await bench.join(bench.id(who), capabilities=[descriptor(name, most=most)])


def one_unknown_call(events: list[stream_pb2.ServerEvent], call_id: str, what: str) -> None:
    """There is one message: err UNKNOWN_CALL, which names the call."""
    expect.equal(len(events), 1, f"{what}: how many messages came")
    expect.err(events[0], "UNKNOWN_CALL", what, names=call_id)


# ACT-4.


@check("ACT-4.1")
async def calls_of_a_reset_stream_are_lost(bench: Bench) -> None:
    """The provider resets its stream with two calls in hand."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name), bench.peer("caller")
    calls = [caller.invoke(name, timeout_ms=60_000) for _ in range(2)]
    for _ in calls:
        await provider.action_call()
    provider.reset()
    for call in calls:
        await lost(call, "a call whose provider reset its stream")


@check("ACT-4.1")
async def calls_of_a_lost_connection_are_lost(bench: Bench) -> None:
    """The provider's connection ends with a call in hand."""
    name = bench.capability("c")
    peer = bench.peer("provider")
    provider = await peer.join(bench.id("provider"), capabilities=[name])
    call = bench.peer("caller").invoke(name, timeout_ms=60_000)
    await given(provider, call)
    await peer.close()
    await lost(call, "a call whose provider lost its connection")


@check("ACT-4.2")
async def calls_of_a_superseded_stream_are_lost(bench: Bench) -> None:
    """A newer stream of the provider takes over; the newer one is not given the call, but the next."""
    name = bench.capability("c")
    older, caller = await provider_of(bench, name), bench.peer("caller")
    call = caller.invoke(name, timeout_ms=60_000)
    await given(older, call)
    newer = await bench.peer("newer").stream(older.agent_id)
    await lost(call, "a call whose provider was taken over")
    await not_given(newer, "that the older stream had been given")
    following = caller.invoke(name, timeout_ms=60_000)
    await newer.answer(await given(newer, following), b"newer")
    expect.result(await following.result(), "ACTION_OK", "the call after it", output=b"newer")


@check("ACT-4.3")
async def calls_of_one_who_says_goodbye_are_lost(bench: Bench) -> None:
    """The provider says goodbye with a call in hand; one that it answered before is not lost."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name), bench.peer("caller")
    answered, call = caller.invoke(name, b"1"), caller.invoke(name, b"2", timeout_ms=60_000)
    taken = {call.payload: call for call in [await provider.action_call() for _ in range(2)]}
    await provider.answer(taken[b"1"], b"done")
    await provider.send(goodbye=stream_pb2.Goodbye())
    await lost(call, "a call whose provider said goodbye")
    expect.result(await answered.result(), "ACTION_OK", "the call that it answered before", output=b"done")


@check("ACT-4.3")
async def calls_of_one_who_half_closes_are_lost(bench: Bench) -> None:
    """The provider half-closes its stream with a call in hand."""
    name = bench.capability("c")
    provider = await provider_of(bench, name)
    call = bench.peer("caller").invoke(name, timeout_ms=60_000)
    await given(provider, call)
    await provider.half_close()
    await lost(call, "a call whose provider half-closed its stream")


@check("ACT-4.4")
async def waiting_calls_go_to_another(bench: Bench) -> None:
    """Two providers are busy and a third call waits: one is lost, and the other gets what waits."""
    name = bench.capability("c")
    one, caller = await provider_of(bench, name, "one", most=1), bench.peer("caller")
    first = caller.invoke(name, b"1", timeout_ms=60_000)
    await given(one, first)
    two = await provider_of(bench, name, "two", most=1)
    second = caller.invoke(name, b"2", timeout_ms=60_000)
    busy_with = await given(two, second)
    third = caller.invoke(name, b"3", timeout_ms=60_000)
    await open_calls(bench, caller, 3)
    one.reset()
    await lost(first, "the call that the lost provider had")
    await two.answer(busy_with)
    taken = await given(two, third)
    expect.equal(taken.payload, b"3", "the call that the other provider is given")
    await two.answer(taken, b"done")
    expect.result(await third.result(), "ACTION_OK", "the call that had waited", output=b"done")


@check("ACT-4.5")
async def waiting_calls_without_a_provider_are_unavailable(bench: Bench) -> None:
    """The only provider is lost while one call runs and one waits."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, most=1), bench.peer("caller")
    running = caller.invoke(name, timeout_ms=60_000)
    await given(provider, running)
    waiting = caller.invoke(name, timeout_ms=60_000)
    await open_calls(bench, caller, 2)
    provider.reset()
    await lost(running, "the call that was given out")
    refused = await waiting.result()
    expect.result(refused, "ACTION_RETRYABLE", "the call that waited", code="UNAVAILABLE", names=name)


@check("ACT-4.6")
async def waiting_calls_of_a_withdrawn_capability_are_unavailable(bench: Bench) -> None:
    """The only provider registers again without the capability, while a call of it waits."""
    name = bench.capability("c")
    peer, caller = bench.peer("provider"), bench.peer("caller")
    provider = await peer.join(bench.id("provider"), capabilities=[descriptor(name, most=1)])
    running = caller.invoke(name, timeout_ms=60_000)
    await given(provider, running)
    waiting = caller.invoke(name, timeout_ms=60_000)
    await open_calls(bench, caller, 2)
    await peer.register(provider.agent_id)
    refused = await waiting.result()
    expect.result(refused, "ACTION_RETRYABLE", "the call that waited", code="UNAVAILABLE", names=name)


@check("ACT-4.7")
async def a_call_in_hand_survives_a_registration(bench: Bench) -> None:
    """The provider registers again, without the capability, and answers what it was given before."""
    name = bench.capability("c")
    peer, caller = bench.peer("provider"), bench.peer("caller")
    provider = await peer.join(bench.id("provider"), capabilities=[name])
    call = caller.invoke(name)
    taken = await given(provider, call)
    await peer.register(provider.agent_id)
    await provider.answer(taken, b"done")
    expect.nothing(await provider.until_pong(), "what the provider is sent for its result")
    expect.result(await call.result(), "ACTION_OK", "the call", output=b"done")
    gone = await caller.call(name)
    expect.result(gone, "ACTION_ERROR", "a call after the registration", code="NOT_FOUND")


# ACT-5.


@check("ACT-5.1")
async def nobody_answers_for_another(bench: Bench) -> None:
    """Another provider of the same capability answers first; the caller gets the answer of the right one."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name), bench.peer("caller")
    call = caller.invoke(name)
    taken = await given(provider, call)
    thief = await provider_of(bench, name, "thief")
    await thief.answer(taken, b"stolen")
    one_unknown_call(await thief.until_pong(), taken.id, "the answer to a result for another's call")
    await provider.answer(taken, b"true")
    expect.result(await call.result(), "ACTION_OK", "the call", output=b"true")


@check("ACT-5.2")
async def a_second_result_is_refused(bench: Bench) -> None:
    """The provider answers twice: the caller gets the first, the provider an err for the second."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name), bench.peer("caller")
    call = caller.invoke(name)
    taken = await given(provider, call)
    await provider.answer(taken, b"first")
    await provider.answer(taken, b"second")
    one_unknown_call(await provider.until_pong(), taken.id, "the answer to a second result")
    expect.result(await call.result(), "ACTION_OK", "the call", output=b"first")


@check("ACT-5.2")
async def a_result_for_no_call_is_refused(bench: Bench) -> None:
    """Ids that no call ever had, the caller's own id among them, while a call is open."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name), bench.peer("caller")
    call = caller.invoke(name, id="mine")
    taken = await given(provider, call)
    for wrong in ("nothing", "mine", ""):
        await provider.send(action_result={"id": wrong, "output": b"wrong"})
        one_unknown_call(await provider.until_pong(), wrong, f"the answer to a result for {wrong!r}")
    await provider.answer(taken, b"right")
    expect.result(await call.result(), "ACTION_OK", "the call", output=b"right")


@check("ACT-5.3")
async def an_unknown_call_is_named_and_harms_nothing(bench: Bench) -> None:
    """The err has the result's id as its ref and is not fatal; the stream still gives and takes."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name), bench.peer("caller")
    await provider.send(action_result={"id": "nothing"})
    events = await provider.until_pong()
    expect.equal(len(events), 1, "how many messages came")
    expect.err(events[0], "UNKNOWN_CALL", "the answer to a result for no call", ref="nothing", fatal=False)
    call = caller.invoke(name)
    await provider.answer(await given(provider, call))
    expect.result(await call.result(), "ACTION_OK", "a call after it")
