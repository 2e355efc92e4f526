"""ACT-3: the bridge keeps a call's time, and tells the provider when nobody waits any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance import Bench, check, expect
from loom_conformance.calling import answered, calls_in, descriptor, given, open_calls

if TYPE_CHECKING:
    from loom.v1 import stream_pb2
    from loom_conformance.peer import Invocation, Peer
    from loom_conformance.stream import Stream

BEYOND_REASON_MS = 10**12
DEFAULT_MS = 30_000
DAY_MS = 24 * 60 * 60 * 1000


async def pair(
    bench: Bench, *, most: int | None = None, features: tuple[str, ...] = ()
) -> tuple[Stream, Peer, str]:
    """A provider, a caller, and the capability between them."""
    name = bench.capability("c")
    provider = await bench.join(
        bench.id("provider"), capabilities=[descriptor(name, most=most)], features=features
    )
    return provider, bench.peer("caller"), name


async def timed_out(call: Invocation, what: str) -> None:
    """The caller is told that its time is over."""
    expect.result(await call.result(), "ACTION_TIMEOUT", what, code="TIMEOUT")


def one_err(events: list[stream_pb2.ServerEvent], code: str, what: str, names: str) -> None:
    """There is one message, the err."""
    expect.equal(len(events), 1, f"{what}: how many messages came")
    expect.err(events[0], code, what, names=names)


@check("ACT-3.1")
async def a_call_without_an_answer_times_out(bench: Bench) -> None:
    """Two calls with two seconds: one is answered after 1.5, the other never."""
    provider, caller, name = await pair(bench)
    in_time, late = caller.invoke(name, b"1", timeout_ms=2000), caller.invoke(name, b"2", timeout_ms=2000)
    taken = {call.payload: call for call in [await provider.action_call() for _ in range(2)]}
    await bench.pass_time(1.5)
    await provider.answer(taken[b"1"], b"in time")
    expect.result(
        await in_time.result(), "ACTION_OK", "the call that is answered after 1.5 s", output=b"in time"
    )
    await bench.pass_time(0.5)
    await timed_out(late, "the call that is not answered within its 2 s")


@check("ACT-3.2")
async def no_timeout_means_the_default(bench: Bench) -> None:
    """The provider is told the default as its time; a second before its end an answer counts, then none."""
    provider, caller, name = await pair(bench)
    default_ms = provider.registration.limits.default_call_timeout_ms or DEFAULT_MS
    in_time, late = caller.invoke(name, b"1"), caller.invoke(name, b"2")
    taken = {call.payload: call for call in [await provider.action_call() for _ in range(2)]}
    expect.at_most(taken[b"1"].timeout_ms, default_ms, "the time that the provider is given, ms")
    await bench.pass_time(default_ms / 1000 - 1)
    await provider.answer(taken[b"1"], b"in time")
    expect.result(await in_time.result(), "ACTION_OK", "the call that is answered a second before the end")
    await bench.pass_time(1)
    await timed_out(late, "the call that is not answered")


@check("ACT-3.3")
async def waiting_counts(bench: Bench) -> None:
    """A call of five seconds waits three for a busy provider, and is answered when its five are over."""
    provider, caller, name = await pair(bench, most=1)
    first = caller.invoke(name, timeout_ms=60_000)
    busy_with = await given(provider, first)
    waiting = caller.invoke(name, timeout_ms=5000)
    await open_calls(bench, caller, 2)
    await bench.pass_time(3)
    await provider.answer(busy_with)
    taken = await given(provider, waiting)
    await bench.pass_time(2)
    await provider.answer(taken, b"too late")
    await timed_out(waiting, "a call of 5 s that waited 3 s and was given out 2 s ago")


@check("ACT-3.4")
async def a_negative_timeout_is_refused(bench: Bench) -> None:
    """Of a millisecond and of the largest number there is; without it the call passes."""
    provider, caller, name = await pair(bench)
    for timeout_ms in (-1, -(2**63)):
        refused = await answered(caller.invoke(name, timeout_ms=timeout_ms), provider)
        expect.result(
            refused,
            "ACTION_ERROR",
            f"a call with timeout_ms {timeout_ms}",
            code="INVALID_INPUT",
            names="timeout_ms",
        )
    call = caller.invoke(name, timeout_ms=1000)
    await provider.answer(await given(provider, call))
    expect.result(await call.result(), "ACTION_OK", "the call with a time of a second")


@check("ACT-3.5")
async def a_timeout_beyond_reason_is_capped(bench: Bench) -> None:
    """The provider is told no more than the limit, for thirty years and for the largest number there is."""
    provider, caller, name = await pair(bench)
    most = provider.registration.limits.call_timeout_ms or DAY_MS
    for timeout_ms in (BEYOND_REASON_MS, 2**63 - 1):
        taken = await given(provider, caller.invoke(name, timeout_ms=timeout_ms))
        expect.at_most(taken.timeout_ms, most, f"the time that the provider is given for {timeout_ms} ms, ms")


@check("ACT-3.5", limits={"call_timeout_ms": 5000})
async def a_capped_timeout_is_kept(bench: Bench) -> None:
    """Where the limit is five seconds, a call of a minute ends after five."""
    provider, caller, name = await pair(bench)
    call = caller.invoke(name, timeout_ms=60_000)
    taken = await given(provider, call)
    await bench.pass_time(5)
    await provider.answer(taken, b"too late")
    await timed_out(call, "a call of 60 s where at most 5 s are allowed")


@check("ACT-3.6")
async def the_provider_is_given_what_is_left(bench: Bench) -> None:
    """A call of five seconds waits for 2.0005: the provider is given three seconds, rounded up."""
    provider, caller, name = await pair(bench, most=1)
    first = caller.invoke(name, timeout_ms=60_000)
    busy_with = await given(provider, first)
    expect.at_most(busy_with.timeout_ms, 60_000, "the time given with a call that did not wait, ms")
    waiting = caller.invoke(name, timeout_ms=5000)
    await open_calls(bench, caller, 2)
    await bench.pass_time(2.0005)
    await provider.answer(busy_with)
    left = (await given(provider, waiting)).timeout_ms
    expect.at_most(left, 3000, "the time given with a call of 5 s that waited 2.0005 s, ms")
    if bench.virtual:
        expect.equal(busy_with.timeout_ms, 60_000, "the time given with a call that did not wait, ms")
        expect.equal(left, 3000, "the time given with a call that has 2.9995 s left, ms")
    else:
        expect.true(left > 0, "the time given", expected="some", got=str(left))


@check("ACT-3.7")
async def a_late_result_is_refused(bench: Bench) -> None:
    """The provider answers after the time-out: err UNKNOWN_CALL; the caller was answered before."""
    provider, caller, name = await pair(bench)
    call = caller.invoke(name, timeout_ms=1000)
    taken = await given(provider, call)
    await bench.pass_time(1)
    await timed_out(call, "the call")
    await provider.answer(taken, b"too late")
    one_err(await provider.until_pong(), "UNKNOWN_CALL", "the answer to a late result", names=taken.id)


@check("ACT-3.7")
async def a_late_result_is_refused_under_max_concurrency(bench: Bench) -> None:
    """The same where the late result frees a place."""
    provider, caller, name = await pair(bench, most=1)
    call = caller.invoke(name, timeout_ms=1000)
    taken = await given(provider, call)
    await bench.pass_time(1)
    await timed_out(call, "the call")
    await provider.answer(taken, b"too late")
    one_err(await provider.until_pong(), "UNKNOWN_CALL", "the answer to a late result", names=taken.id)


@check("ACT-3.8")
async def a_provider_hears_of_a_timeout(bench: Bench) -> None:
    """With `cancel`: action_cancel names the call and says TIMEOUT; a call that was answered is not named."""
    provider, caller, name = await pair(bench, features=("cancel",))
    answered, call = caller.invoke(name, b"1", timeout_ms=1000), caller.invoke(name, b"2", timeout_ms=1000)
    taken = {call.payload: call for call in [await provider.action_call() for _ in range(2)]}
    await provider.answer(taken[b"1"])
    await answered.result()
    await bench.pass_time(1)
    await timed_out(call, "the call")
    cancelled = [(e.action_cancel.id, e.action_cancel.code) for e in await provider.until_pong()]
    expect.equal(cancelled, [(taken[b"2"].id, "TIMEOUT")], "the cancels that the provider is sent")


@check("ACT-3.9")
async def a_provider_hears_that_its_caller_left(bench: Bench) -> None:
    """With `cancel`: the caller cancels its RPC, and action_cancel names the call and says CANCELLED."""
    provider, caller, name = await pair(bench, features=("cancel",))
    call = caller.invoke(name)
    taken = await given(provider, call)
    call.cancel()
    await open_calls(bench, caller, 0)
    cancelled = [(e.action_cancel.id, e.action_cancel.code) for e in await provider.until_pong()]
    expect.equal(cancelled, [(taken.id, "CANCELLED")], "the cancels that the provider is sent")


@check("ACT-3.9")
async def a_provider_hears_that_its_caller_lost_its_connection(bench: Bench) -> None:
    """With `cancel`: the caller's connection ends while its call is open."""
    provider, caller, name = await pair(bench, features=("cancel",))
    taken = await given(provider, caller.invoke(name))
    await caller.close()
    await open_calls(bench, bench.peer("observer"), 0)
    cancelled = [(e.action_cancel.id, e.action_cancel.code) for e in await provider.until_pong()]
    expect.equal(cancelled, [(taken.id, "CANCELLED")], "the cancels that the provider is sent")


@check("ACT-3.10")
async def a_base_level_provider_is_sent_no_cancel(bench: Bench) -> None:
    """Without `cancel`: one call times out, the caller of another leaves; the provider hears nothing."""
    provider, caller, name = await pair(bench)
    late, left = caller.invoke(name, timeout_ms=1000), caller.invoke(name, timeout_ms=60_000)
    for _ in range(2):
        await provider.action_call()
    left.cancel()
    await open_calls(bench, caller, 1)
    await bench.pass_time(1)
    await timed_out(late, "the call")
    expect.nothing(await provider.until_pong(), "what a provider without `cancel` is sent")


@check("ACT-3.11", needs=["control"])
async def a_call_that_is_over_is_not_written(bench: Bench) -> None:
    """A provider's writes are held while two calls come and one times out: it is given the other."""
    provider, caller, name = await pair(bench)
    await bench.control.hold(provider.agent_id)
    late, call = caller.invoke(name, b"1", timeout_ms=1000), caller.invoke(name, b"2", timeout_ms=60_000)
    await open_calls(bench, caller, 2)
    await bench.pass_time(1)
    await timed_out(late, "the call whose time is over")
    await bench.control.release(provider.agent_id)
    payloads = [item.payload for item in await calls_in(provider)]
    expect.equal(payloads, [b"2"], "the calls that the provider is given once it is written to again")
    expect.true(not call.done, "whether the other call is still open")
