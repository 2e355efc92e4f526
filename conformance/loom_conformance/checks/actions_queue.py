"""ACT-7: loom.max_concurrency, and the calls that wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance import Bench, check, expect
from loom_conformance.calling import calls_in, descriptor, given, not_given, open_calls

if TYPE_CHECKING:
    from loom.v1 import action_pb2
    from loom_conformance.peer import Invocation, Peer
    from loom_conformance.stream import Stream

MINUTE_MS = 60_000
BATCH = 100
QUEUE_BYTES = 16 * 1024 * 1024
WAITING_CALLS = 1_000


async def provider_of(bench: Bench, name: str, most: int, who: str = "provider") -> Stream:
    """An agent that takes so many calls of the capability at a time."""
    return await bench.join(bench.id(who), capabilities=[descriptor(name, most=most)])


async def lined_up(bench: Bench, caller: Peer, name: str, payloads: list[bytes]) -> list[Invocation]:
    """Calls that come one after the other, while none of those before is answered."""
    calls = []
    for number, payload in enumerate(payloads, 1):
        calls.append(caller.invoke(name, payload, timeout_ms=MINUTE_MS))
        await open_calls(bench, caller, number)
    return calls


def payloads_of(calls: list[action_pb2.ActionCall]) -> list[bytes]:
    """Which calls they are."""
    return [call.payload for call in calls]


@check("ACT-7.1")
async def concurrency_is_never_exceeded(bench: Bench) -> None:
    """Five calls for a capability that takes two: two are given out, and one more for each answer."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 2), bench.peer("caller")
    await lined_up(bench, caller, name, [bytes([number]) for number in range(5)])
    taken = await calls_in(provider)
    expect.equal(len(taken), 2, "how many of five calls are given out before any answer")
    for left in (3, 2, 1):
        await provider.answer(taken.pop(0))
        fresh = await calls_in(provider)
        expect.equal(len(fresh), 1, f"how many calls are given out for an answer, while {left} wait")
        taken += fresh


@check("ACT-7.1")
async def each_provider_has_its_own_bound(bench: Bench) -> None:
    """Two providers that take one call each are given two of three calls."""
    name = bench.capability("c")
    one, two = await provider_of(bench, name, 1, "one"), await provider_of(bench, name, 1, "two")
    await lined_up(bench, bench.peer("caller"), name, [b"1", b"2", b"3"])
    for provider in (one, two):
        expect.equal(len(await calls_in(provider)), 1, f"how many calls {provider.who} is given")


@check("ACT-7.2")
async def a_bound_is_of_one_capability(bench: Bench) -> None:
    """An agent that is busy with all it takes of one capability is given a call of another."""
    bound, free = bench.capability("bound"), bench.capability("free")
    provider = await bench.join(
        bench.id("provider"), capabilities=[descriptor(bound, most=1), descriptor(free, most=1)]
    )
    caller = bench.peer("caller")
    await lined_up(bench, caller, bound, [b"1", b"2"])
    expect.equal(payloads_of(await calls_in(provider)), [b"1"], "the calls of the first capability")
    call = caller.invoke(free, b"other")
    taken = await given(provider, call)
    expect.equal((taken.capability, taken.payload), (free, b"other"), "the call that is given out next")


@check("ACT-7.3")
async def waiting_calls_keep_their_order(bench: Bench) -> None:
    """Six calls for a capability that takes one are given out in the order in which they came."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 1), bench.peer("caller")
    wanted = [str(number).encode() for number in range(6)]
    calls = await lined_up(bench, caller, name, wanted)
    order = []
    for _ in wanted:
        taken = await provider.action_call()
        order.append(taken.payload)
        await provider.answer(taken, taken.payload)
    expect.equal(order, wanted, "the order in which the calls are given out")
    for call, payload in zip(calls, wanted, strict=True):
        expect.result(await call.result(), "ACTION_OK", f"call {payload!r}", output=payload)


@check("ACT-7.4")
async def who_leaves_the_queue_is_passed_over(bench: Bench) -> None:
    """Of three waiting calls the caller of the first leaves: the second is given out in its place."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 1), bench.peer("caller")
    calls = await lined_up(bench, caller, name, [b"running", b"left", b"second", b"third"])
    running = await given(provider, calls[0])
    calls[1].cancel()
    await open_calls(bench, caller, 3)
    await provider.answer(running)
    expect.equal(payloads_of(await calls_in(provider)), [b"second"], "the calls that are given out next")


@check("ACT-7.4")
async def who_times_out_in_the_queue_is_passed_over(bench: Bench) -> None:
    """Of two waiting calls the time of the first runs out: the second is given out in its place."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 1), bench.peer("caller")
    running = await given(provider, caller.invoke(name, timeout_ms=MINUTE_MS))
    late = caller.invoke(name, b"late", timeout_ms=1000)
    await open_calls(bench, caller, 2)
    caller.invoke(name, b"second", timeout_ms=MINUTE_MS)
    await open_calls(bench, caller, 3)
    await bench.pass_time(1)
    expect.result(await late.result(), "ACTION_TIMEOUT", "the call whose time is over", code="TIMEOUT")
    await provider.answer(running)
    expect.equal(payloads_of(await calls_in(provider)), [b"second"], "the calls that are given out next")


@check("ACT-7.5", limits={"waiting_calls": 2})
async def a_full_queue_is_overloaded(bench: Bench) -> None:
    """Where two calls may wait, the third that would is refused; once one is given out, another may wait."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 1), bench.peer("caller")
    calls = await lined_up(bench, caller, name, [b"running", b"1", b"2"])
    refused = await caller.call(name, b"3", timeout_ms=MINUTE_MS)
    expect.result(refused, "ACTION_RETRYABLE", "a call that finds two waiting", code="OVERLOADED", names=name)
    await provider.answer(await given(provider, calls[0]))
    await given(provider, calls[1])
    later = caller.invoke(name, b"3", timeout_ms=MINUTE_MS)
    await open_calls(bench, caller, 3)
    expect.true(not later.done, "whether the call waits once there is room")


@check("ACT-7.5")
async def the_queue_takes_as_many_as_it_says(bench: Bench) -> None:
    """As many calls as the bridge says may wait do, beside the one that runs; one more is refused."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 1), bench.peer("caller")
    most = provider.registration.limits.waiting_calls or WAITING_CALLS
    callers = [bench.peer(f"callers-{number}") for number in range(most // 500 + 1)]
    calls = [callers[0].invoke(name, timeout_ms=MINUTE_MS)]
    await given(provider, calls[0])
    while len(calls) <= most:  # a few at a time: each batch has the whole time to arrive
        other = callers[len(calls) // BATCH % len(callers)]
        batch = min(BATCH, most + 1 - len(calls))
        calls += [other.invoke(name, timeout_ms=MINUTE_MS) for _ in range(batch)]
        await open_calls(bench, other, len(calls))
    refused = await caller.call(name, timeout_ms=MINUTE_MS)
    expect.result(refused, "ACTION_RETRYABLE", f"a call that finds {most} waiting", code="OVERLOADED")
    answered = sum(call.done for call in calls)
    expect.equal(answered, 0, f"how many of the {most + 1} calls before it were answered")


@check("ACT-7.6")
async def waiting_bytes_are_bounded(bench: Bench) -> None:
    """Large calls wait while they fit; the one beyond the limit is refused, a small one after it is not."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 1), bench.peer("caller")
    limits = provider.registration.limits
    most, message = limits.queue_bytes or QUEUE_BYTES, limits.message_bytes or QUEUE_BYTES // 4
    size = min(most, message) * 15 // 16
    await lined_up(bench, caller, name, [b"running"])
    waiting = 1
    while waiting * size <= most:
        caller.invoke(name, b"x" * size, timeout_ms=MINUTE_MS)
        waiting += 1
        await open_calls(bench, caller, waiting)
    refused = await caller.call(name, b"x" * size, timeout_ms=MINUTE_MS)
    expect.result(
        refused, "ACTION_RETRYABLE", f"a call that takes the waiting bytes above {most}", code="OVERLOADED"
    )
    small = caller.invoke(name, b"small", timeout_ms=MINUTE_MS)
    await open_calls(bench, caller, waiting + 1)
    expect.true(not small.done, "whether a call that still fits waits")


@check("ACT-7.7")
async def a_call_that_timed_out_keeps_its_place(bench: Bench) -> None:
    """The running call times out: the next is given out only once the provider answered, late."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 1), bench.peer("caller")
    late = caller.invoke(name, timeout_ms=1000)
    taken = await given(provider, late)
    waiting = caller.invoke(name, b"waiting", timeout_ms=MINUTE_MS)
    await open_calls(bench, caller, 2)
    await bench.pass_time(1)
    expect.result(await late.result(), "ACTION_TIMEOUT", "the running call", code="TIMEOUT")
    await not_given(provider, "while it has not answered the one that timed out")
    await provider.answer(taken)
    expect.err(await provider.read(), "UNKNOWN_CALL", "the answer to the late result")
    expect.equal((await given(provider, waiting)).payload, b"waiting", "the call that is given out then")


@check("ACT-7.7")
async def a_cancelled_call_keeps_its_place(bench: Bench) -> None:
    """The caller of the running call leaves: the next is given out only once the provider answered."""
    name = bench.capability("c")
    provider, caller = await provider_of(bench, name, 1), bench.peer("caller")
    calls = await lined_up(bench, caller, name, [b"running", b"waiting"])
    taken = await given(provider, calls[0])
    calls[0].cancel()
    await open_calls(bench, caller, 1)
    await not_given(provider, "while it has not answered the one whose caller left")
    await provider.answer(taken)
    expect.err(await provider.read(), "UNKNOWN_CALL", "the answer to the late result")
    expect.equal((await given(provider, calls[1])).payload, b"waiting", "the call that is given out then")


@check("ACT-7.8")
async def without_a_bound_all_are_given_at_once(bench: Bench) -> None:
    """A hundred calls for a capability that names no bound."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    for _ in range(100):
        caller.invoke(name, timeout_ms=MINUTE_MS)
    await open_calls(bench, caller, 100)
    expect.equal(len(await calls_in(provider)), 100, "how many of a hundred calls are given out")


@check("ACT-7.9")
async def a_provider_that_joins_helps(bench: Bench) -> None:
    """Three calls wait for a busy provider: one that joins and takes two is given the first two of them."""
    name = bench.capability("c")
    await provider_of(bench, name, 1, "busy")
    await lined_up(bench, bench.peer("caller"), name, [b"running", b"1", b"2", b"3"])
    fresh = await provider_of(bench, name, 2, "fresh")
    expect.equal(payloads_of(await calls_in(fresh)), [b"1", b"2"], "the calls that the new provider is given")


@check("ACT-7.10", limits={"queue_events": 2})
async def a_provider_that_does_not_read_is_given_no_more(bench: Bench) -> None:
    """A provider whose writes are held takes two calls into its queue; the third waits for another."""
    name = bench.capability("c")
    full = await bench.join(bench.id("full"), capabilities=[name])
    await bench.control.hold(full.agent_id)
    await lined_up(bench, bench.peer("caller"), name, [b"1", b"2", b"3"])
    states = [call.state for call in (await bench.control.snapshot()).calls]
    expect.equal(states, ["DISPATCHED", "DISPATCHED", "QUEUED"], "the states of three calls")
    other = await bench.join(bench.id("other"), capabilities=[name])
    expect.equal(payloads_of(await calls_in(other)), [b"3"], "the calls that another provider is given")
