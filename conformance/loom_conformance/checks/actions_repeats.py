"""ACT-8: a call's id is an idempotency key for its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.v1 import action_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import answered, calls_in, descriptor, given, not_given, open_calls, signed

if TYPE_CHECKING:
    from loom_conformance.peer import Invocation, Peer
    from loom_conformance.stream import Stream

IDEMPOTENCY_MS = 120_000


class Pair:
    """A provider, and a caller with a name."""

    def __init__(self, provider: Stream, caller: Peer, name: str) -> None:
        self.provider = provider
        self.caller = caller
        self.name = name
        self.kept_s = (provider.registration.limits.idempotency_ms or IDEMPOTENCY_MS) / 1000

    def invoke(self, own: str = "mine", caller: str = "caller", **fields: Any) -> Invocation:
        """A call under this id of this caller's."""
        headers = {**signed(caller), **fields.pop("headers", {})} if caller else {}
        asked = {"capability": self.name, "payload": b"in", "timeout_ms": 60_000, **fields}
        return self.caller.invoke(id=own, headers=headers, **asked)

    async def answered(self, **fields: Any) -> action_pb2.ActionResult:
        """The result of a call that its provider answers so."""
        call = self.invoke()
        await self.provider.answer(await given(self.provider, call), **fields)
        return await call.result()

    async def runs(self, what: str, **fields: Any) -> None:
        """The call is given to the provider, and its result is the provider's."""
        call = self.invoke(**fields)
        await self.provider.answer(await given(self.provider, call), b"fresh")
        expect.result(await call.result(), "ACTION_OK", what, output=b"fresh")

    async def reused(self, what: str, **fields: Any) -> None:
        """The call is refused for its id, and given to nobody."""
        refused = await answered(self.invoke(**fields), self.provider)
        expect.result(refused, "ACTION_ERROR", what, code="ID_REUSED", names="mine")


async def pair(bench: Bench, *, features: tuple[str, ...] = ()) -> Pair:
    """One of each, in a world of their own."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name], features=features)
    return Pair(provider, bench.peer("caller"), name)


def other_content(capability: str) -> dict[str, dict[str, Any]]:
    """What may differ from the first call."""
    return {
        "another payload": {"payload": b"other"},
        "another version": {"version": "2"},
        "another capability": {"capability": capability},
    }


@check("ACT-8.1")
async def a_repeat_joins_an_open_call(bench: Bench) -> None:
    """Three times the same call, on two connections, by both services: it runs once, all get the result."""
    two = await pair(bench)
    first = two.invoke()
    taken = await given(two.provider, first)
    again = two.invoke(broker=True)
    two.caller = bench.peer("caller again")
    calls = [first, again, two.invoke()]
    await open_calls(bench, two.caller, 1, callers=3)
    await not_given(two.provider, "for a repeat of an open call")
    await two.provider.answer(taken, b"once")
    for call in calls:
        result = await call.result()
        expect.result(result, "ACTION_OK", "each of the three", output=b"once")
        expect.equal(result.id, "mine", "the id of the result")


@check("ACT-8.2")
async def a_repeat_gets_the_kept_result(bench: Bench) -> None:
    """Answered with ACTION_OK; repeated at once, and a second before the time is over."""
    two = await pair(bench)
    first = await two.answered(output=b"once")
    for passed in (0, two.kept_s - 1):
        if passed:
            await bench.pass_time(passed)
        repeat = await answered(two.invoke(), two.provider)
        expect.equal(repeat, first, f"the result of a repeat after {passed:g} s")


@check("ACT-8.3")
async def a_repeat_gets_the_kept_error(bench: Bench) -> None:
    """Answered with ACTION_ERROR and the provider's own code; repeated at once, and just before the end."""
    two = await pair(bench)
    error = action_pb2.ActionError(code="MY_OWN", message="no", details={"k": "v"})
    first = await two.answered(status=action_pb2.ACTION_ERROR, error=error)
    for passed in (0, two.kept_s - 1):
        if passed:
            await bench.pass_time(passed)
        repeat = await answered(two.invoke(), two.provider)
        expect.equal(repeat, first, f"the result of a repeat after {passed:g} s")


@check("ACT-8.4")
async def a_passing_failure_is_not_kept(bench: Bench) -> None:
    """The provider answers ACTION_RETRYABLE, then ACTION_TIMEOUT: each repeat runs again."""
    two = await pair(bench)
    for status in (action_pb2.ACTION_RETRYABLE, action_pb2.ACTION_TIMEOUT):
        result = await two.answered(status=status)
        expect.equal(result.status, status, "the status of the first result")
    await two.runs("the repeat")


@check("ACT-8.5")
async def the_bridges_own_answers_are_not_kept(bench: Bench) -> None:
    """Not found, then lost with its provider, then timed out: the repeat runs again each time."""
    two = await pair(bench)
    name, two.name = two.name, bench.capability("later")
    refused = await two.invoke().result()
    expect.result(refused, "ACTION_ERROR", "a call of what nobody offers", code="NOT_FOUND")
    two.name = name
    call = two.invoke()
    await given(two.provider, call)
    two.provider.reset()
    expect.result(
        await call.result(), "ACTION_RETRYABLE", "the call whose provider is lost", code="PROVIDER_LOST"
    )
    two.provider = await bench.join(bench.id("another"), capabilities=[name])
    call = two.invoke(timeout_ms=1000)
    await given(two.provider, call)
    await bench.pass_time(1)
    expect.result(await call.result(), "ACTION_TIMEOUT", "the call without an answer", code="TIMEOUT")
    await two.runs("the repeat")


@check("ACT-8.6")
async def results_are_not_kept_for_ever(bench: Bench) -> None:
    """Repeated when the time is over: it runs again."""
    two = await pair(bench)
    await two.answered(output=b"once")
    await bench.pass_time(two.kept_s)
    await two.runs("a repeat after the time is over")


@check("ACT-8.7")
async def an_id_in_use_is_not_taken_for_another_call(bench: Bench) -> None:
    """While the call is open: its id with another payload, version or capability. The call itself goes on."""
    two = await pair(bench)
    call = two.invoke()
    taken = await given(two.provider, call)
    other = bench.capability("other")
    await bench.join(bench.id("other"), capabilities=[other])
    for what, fields in other_content(other).items():
        await two.reused(f"the id of an open call with {what}", **fields)
    await two.provider.answer(taken, b"once")
    expect.result(await call.result(), "ACTION_OK", "the call itself", output=b"once")


@check("ACT-8.8")
async def a_kept_id_is_not_taken_for_another_call(bench: Bench) -> None:
    """After the call was answered: its id with another payload, version or capability; then with the same."""
    two = await pair(bench)
    first = await two.answered(output=b"once")
    other = bench.capability("other")
    await bench.join(bench.id("other"), capabilities=[other])
    for what, fields in other_content(other).items():
        await two.reused(f"the id of an answered call with {what}", **fields)
    expect.equal(await two.invoke().result(), first, "the result of a true repeat")


@check("ACT-8.9")
async def headers_and_time_are_no_content(bench: Bench) -> None:
    """Open, then answered: repeats with other headers, timeout_ms, correlation id and QoS get its result."""
    two = await pair(bench)
    first = two.invoke()
    taken = await given(two.provider, first)
    changed: dict[str, Any] = {
        "headers": {"traceparent": "00-2-2-01"},
        "timeout_ms": 1234,
        "correlation_id": "t",
        "qos": 2,
    }
    joined = two.invoke(**changed)
    await open_calls(bench, two.caller, 1, callers=2)
    await not_given(two.provider, "for a repeat with other headers and time")
    await two.provider.answer(taken, b"once")
    for call in (first, joined, two.invoke(**changed)):
        expect.result(await call.result(), "ACTION_OK", "the call and its repeats", output=b"once")


@check("ACT-8.10")
async def a_joined_call_goes_on_for_the_others(bench: Bench) -> None:
    """The first of two callers leaves; the provider answers, and the second gets the result."""
    two = await pair(bench)
    first = two.invoke()
    taken = await given(two.provider, first)
    second = two.invoke()
    await open_calls(bench, two.caller, 1, callers=2)
    first.cancel()
    await open_calls(bench, two.caller, 1)
    await two.provider.answer(taken, b"once")
    expect.nothing(await two.provider.until_pong(), "what the provider is sent for its result")
    expect.result(await second.result(), "ACTION_OK", "the call of the one who stayed", output=b"once")


@check("ACT-8.11")
async def a_joined_call_is_cancelled_with_its_last_caller(bench: Bench) -> None:
    """With `cancel`: one of two callers leaves, and nothing is said; when both have, the provider hears."""
    two = await pair(bench, features=("cancel",))
    first = two.invoke()
    taken = await given(two.provider, first)
    second = two.invoke()
    await open_calls(bench, two.caller, 1, callers=2)
    first.cancel()
    await open_calls(bench, two.caller, 1)
    expect.nothing(await two.provider.until_pong(), "what the provider is sent while one caller waits")
    second.cancel()
    await open_calls(bench, two.caller, 0)
    cancelled = [(e.action_cancel.id, e.action_cancel.code) for e in await two.provider.until_pong()]
    expect.equal(cancelled, [(taken.id, "CANCELLED")], "the cancels that the provider is sent in the end")


@check("ACT-8.12")
async def each_caller_has_its_own_deadline(bench: Bench) -> None:
    """One caller gives a second, one that joins gives nine: after a second only the first is timed out."""
    two = await pair(bench)
    hasty = two.invoke(timeout_ms=1000)
    taken = await given(two.provider, hasty)
    patient = two.invoke(timeout_ms=9000)
    await open_calls(bench, two.caller, 1, callers=2)
    await bench.pass_time(1)
    expect.result(await hasty.result(), "ACTION_TIMEOUT", "the call of the hasty one", code="TIMEOUT")
    await two.provider.answer(taken, b"once")
    expect.result(await patient.result(), "ACTION_OK", "the call of the patient one", output=b"once")


@check("ACT-8.13")
async def ids_are_of_one_caller(bench: Bench) -> None:
    """Two callers with names of their own use one id for the same content: both calls run."""
    two = await pair(bench)
    calls = {caller: two.invoke(caller=caller) for caller in ("one", "two")}
    await open_calls(bench, two.caller, 2)
    taken = await calls_in(two.provider)
    expect.equal(len(taken), 2, "how many calls are given out")
    for call in taken:
        await two.provider.answer(call, call.headers["x-agent-id"].encode())
    for caller, invocation in calls.items():
        expect.result(await invocation.result(), "ACTION_OK", f"the call of {caller}", output=caller.encode())


@check("ACT-8.14")
async def the_anonymous_share_nothing(bench: Bench) -> None:
    """Two calls without x-agent-id under one id, and a third after they were answered: all run."""
    two = await pair(bench)
    for _ in range(2):
        two.invoke(caller="")
    await open_calls(bench, two.caller, 2)
    taken = await calls_in(two.provider)
    expect.equal(len(taken), 2, "how many calls are given out")
    for call in taken:
        await two.provider.answer(call)
    await two.provider.until_pong()
    await two.runs("a third call", caller="")


@check("ACT-8.15")
async def an_empty_id_is_given_one(bench: Bench) -> None:
    """Two calls with an empty id: both run, and their results have ids that differ."""
    two = await pair(bench)
    ids = []
    for _ in range(2):
        call = two.invoke(own="")
        await two.provider.answer(await given(two.provider, call))
        ids.append((await call.result()).id)
    expect.true(all(ids), "the ids of the results", expected="ids", got=str(ids))
    expect.true(ids[0] != ids[1], "the ids of the results", expected="two", got=str(ids))


@check("ACT-8.16", limits={"kept_results": 2})
async def kept_results_are_bounded_in_number(bench: Bench) -> None:
    """Where two results are kept, a third makes the first be forgotten, and only that."""
    await forgets_the_first_of_three(bench, output=b"out")


@check("ACT-8.17", limits={"kept_result_bytes": 2500})
async def kept_results_are_bounded_in_bytes(bench: Bench) -> None:
    """Where 2,500 bytes are kept, a third result of 1,000 makes the first be forgotten, and only that."""
    await forgets_the_first_of_three(bench, output=b"x" * 1000)


async def forgets_the_first_of_three(bench: Bench, output: bytes) -> None:
    """Three calls with this output: the results of the last two are kept, the first runs again."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[descriptor(name)])
    two = Pair(provider, bench.peer("caller"), name)
    for own in ("1", "2", "3"):
        call = two.invoke(own)
        await provider.answer(await given(provider, call), output)
        await call.result()
    for own in ("3", "2"):
        repeat = await answered(two.invoke(own), provider)
        expect.result(repeat, "ACTION_OK", f"a repeat of call {own}", output=output)
    await two.runs("a repeat of call 1", own="1")
