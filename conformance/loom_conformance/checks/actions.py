"""ACT-1 and ACT-2: calls find their provider, or an answer that says why not."""

from __future__ import annotations

from typing import Any

from loom.v1 import action_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import answered, calls_in, descriptor, given, open_calls, signed

EVERY_BYTE = bytes(range(256)) + b"\0\0"


@check("ACT-1.1")
async def a_call_reaches_a_live_provider(bench: Bench) -> None:
    """Of two agents that offer a capability only one has a stream: it is given the call."""
    name = bench.capability("double")
    await bench.peer().register(bench.id("absent"), capabilities=[name])
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    call = bench.peer("caller").invoke(name, b"21")
    taken = await given(provider, call)
    expect.equal((taken.capability, taken.payload), (name, b"21"), "the call that the provider is given")
    await provider.answer(taken, b"42")
    expect.result(await call.result(), "ACTION_OK", "the call", output=b"42")


@check("ACT-1.1")
async def an_agent_may_call_itself(bench: Bench) -> None:
    """The caller's connection is the provider's own."""
    name = bench.capability("double")
    peer = bench.peer("both")
    provider = await peer.join(bench.id("both"), capabilities=[name])
    call = peer.invoke(name)
    await provider.answer(await given(provider, call), b"42")
    expect.result(await call.result(), "ACTION_OK", "the call", output=b"42")


@check("ACT-1.2")
async def the_provider_sees_an_id_of_the_bridge(bench: Bench) -> None:
    """Two callers choose the same id: neither is what the provider is given."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    ids = []
    for caller in ("one", "two"):
        call = bench.peer(caller).invoke(name, id="mine", headers=signed(caller))
        ids.append((await given(provider, call)).id)
    expect.true("mine" not in ids, "the ids of the calls", expected="ids of the bridge's own", got=str(ids))
    expect.equal(len(set(ids)), 2, f"how many different ids the provider is given ({ids})")


@check("ACT-1.3")
async def ids_are_not_used_twice(bench: Bench) -> None:
    """Calls one after the other, and several at once: each has an id that none had before."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    ids: list[str] = []
    for _ in range(3):
        calls = [caller.invoke(name) for _ in range(2)]
        taken = [await provider.action_call() for _ in calls]
        ids += [call.id for call in taken]
        for call in taken:
            await provider.answer(call)
        for invocation in calls:
            await invocation.result()
    expect.equal(len(set(ids)), len(ids), f"how many different ids six calls have ({ids})")


@check("ACT-1.4", needs=["control"])
async def ids_are_new_after_a_reset(bench: Bench) -> None:
    """The namespace is reset and made anew: its first call has another id than the first of before."""
    name = bench.capability("c")
    ids = []
    for _ in range(2):
        provider = await bench.join(bench.id("provider"), capabilities=[name])
        ids.append((await given(provider, bench.peer("caller").invoke(name))).id)
        await bench.control.reset()
        await bench.control.create(virtual=bench.virtual, limits={})
    expect.true(ids[0] != ids[1], "the first call's id before and after", expected="two ids", got=str(ids))


@check("ACT-1.5")
async def payloads_arrive_byte_for_byte(bench: Bench) -> None:
    """Every byte there is, none at all, and 100,000 of them."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    for payload in (EVERY_BYTE, b"", b"\xff" * 100_000):
        taken = await given(provider, caller.invoke(name, payload))
        expect.equal(taken.payload, payload, "the payload that the provider is given")


@check("ACT-1.6")
async def the_rest_of_a_call_arrives_as_it_was_written(bench: Bench) -> None:
    """Version, headers, correlation id and QoS are set by the caller, in values that need some care."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[descriptor(name, "1.0")])
    wanted: dict[str, Any] = {
        "version": "1.0",
        "headers": {"traceparent": "00-4bf9-00f0-01", "é": "☃ ", "empty": "", "x-agent-id": "caller"},
        "correlation_id": "thread ☃",
        "qos": 2,
    }
    taken = await given(provider, bench.peer("caller").invoke(name, **wanted))
    arrived = {
        "version": taken.version,
        "headers": dict(taken.headers),
        "correlation_id": taken.correlation_id,
        "qos": taken.qos,
    }
    for field, value in wanted.items():
        expect.equal(arrived[field], value, f"{field} of the call that the provider is given")
    expect.equal(taken.capability, name, "capability of the call that the provider is given")


@check("ACT-1.7")
async def results_come_under_the_callers_id(bench: Bench) -> None:
    """Two open calls are answered in the opposite order: each caller finds its own id."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    calls = {own: bench.peer(own).invoke(name, own.encode(), id=own) for own in ("first", "second")}
    taken = [await provider.action_call() for _ in calls]
    for call in reversed(taken):
        await provider.answer(call, call.payload)
    for own, invocation in calls.items():
        result = await invocation.result()
        expect.equal((result.id, result.output), (own, own.encode()), f"id and output for {own}")


@check("ACT-1.8")
async def every_status_is_passed_on(bench: Bench) -> None:
    """The four that have names, and one that has none."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    for status in (0, 1, 2, 3, 7):
        call = caller.invoke(name)
        await provider.answer(await given(provider, call), status=status)
        expect.equal((await call.result()).status, status, "the status that the caller gets")


@check("ACT-1.9")
async def outputs_come_back_byte_for_byte(bench: Bench) -> None:
    """Every byte there is, none at all, and 100,000 of them."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    for output in (EVERY_BYTE, b"", b"\xff" * 100_000):
        call = caller.invoke(name)
        await provider.answer(await given(provider, call), output)
        expect.equal((await call.result()).output, output, "the output that the caller gets")


@check("ACT-1.10")
async def errors_come_back_as_they_are(bench: Bench) -> None:
    """A code of the provider's own with details, and an error beside ACTION_OK."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    error = action_pb2.ActionError(code="MY_OWN", message="é went wrong", details={"field": "x", "y": ""})
    for status in (action_pb2.ACTION_ERROR, action_pb2.ACTION_OK):
        call = caller.invoke(name)
        await provider.answer(await given(provider, call), status=status, error=error)
        expect.equal((await call.result()).error, error, "the error that the caller gets")


@check("ACT-1.11")
async def the_older_name_calls_the_same(bench: Bench) -> None:
    """A call by ActionBroker.Invoke reaches the provider, and its result the caller."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    call = bench.peer("caller").invoke(name, b"in", broker=True, id="mine")
    taken = await given(provider, call)
    expect.equal(taken.payload, b"in", "the payload that the provider is given")
    await provider.answer(taken, b"out")
    result = await call.result()
    expect.equal((result.id, result.output), ("mine", b"out"), "id and output that the caller gets")


@check("ACT-1.12")
async def names_of_calls_are_bounded(bench: Bench) -> None:
    """An id, then an x-agent-id, of 256 bytes are refused; of 255 bytes they are taken."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    for culprit, size in (("id", 256), ("x-agent-id", 256), ("id", 255), ("x-agent-id", 255)):
        text = "é" * (size // 2) + "x" * (size % 2)  # bytes are counted, not characters
        fields: dict[str, Any] = {"id": text} if culprit == "id" else {"headers": signed(text)}
        call = caller.invoke(name, **fields)
        if size > 255:
            refused = await answered(call, provider)
            expect.result(
                refused, "ACTION_ERROR", f"an {culprit} of 256 bytes", code="INVALID_INPUT", names=culprit
            )
        else:
            await provider.answer(await given(provider, call))
            expect.result(await call.result(), "ACTION_OK", f"an {culprit} of 255 bytes")


@check("ACT-2.1")
async def an_unknown_capability_is_not_found(bench: Bench) -> None:
    """Nobody offers it; then somebody does."""
    name = bench.capability("nothing")
    caller = bench.peer("caller")
    refused = await caller.call(name, id="mine", timeout_ms=60_000)
    expect.result(refused, "ACTION_ERROR", "a call of what nobody offers", code="NOT_FOUND", names=name)
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    call = caller.invoke(name, id="mine", timeout_ms=60_000)
    await provider.answer(await given(provider, call))
    expect.result(await call.result(), "ACTION_OK", "the same call once somebody offers it")


@check("ACT-2.1")
async def what_is_no_name_is_not_found(bench: Bench) -> None:
    """An empty name and others that no capability can have: nobody offers them."""
    caller = bench.peer("caller")
    for name in ("", "a b", "x" * 300, "*", ">"):
        refused = await caller.call(name)
        expect.result(refused, "ACTION_ERROR", f"a call of {name[:20]!r}", code="NOT_FOUND")


@check("ACT-2.2")
async def an_unknown_version_is_not_found(bench: Bench) -> None:
    """The capability is offered as 1.0 and called as 2.0; then as 1.0."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[descriptor(name, "1.0")])
    caller = bench.peer("caller")
    refused = await answered(caller.invoke(name, version="2.0"), provider)
    expect.result(
        refused,
        "ACTION_ERROR",
        "a call of a version that nobody offers",
        code="NOT_FOUND",
        names=[name, "2.0"],
    )
    call = caller.invoke(name, version="1.0")
    await provider.answer(await given(provider, call))
    expect.result(await call.result(), "ACTION_OK", "a call of the version that is offered")


@check("ACT-2.3")
async def versions_are_compared_exactly(bench: Bench) -> None:
    """What looks much like 1.0, or means the same to people, is another version."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[descriptor(name, "1.0")])
    unversioned = await bench.join(bench.id("unversioned"), capabilities=[name])
    caller = bench.peer("caller")
    for version in ("1", "1.", "1.0.0", "1.0 ", "v1.0", "*", ">=1.0"):
        refused = await answered(caller.invoke(name, version=version), provider, unversioned)
        expect.result(refused, "ACTION_ERROR", f"a call of version {version!r}", code="NOT_FOUND")


@check("ACT-2.4")
async def no_version_means_any(bench: Bench) -> None:
    """The capability is offered as 1.0 only, and called without a version."""
    name = bench.capability("c")
    provider = await bench.join(bench.id("provider"), capabilities=[descriptor(name, "1.0")])
    call = bench.peer("caller").invoke(name)
    taken = await given(provider, call)
    await provider.answer(taken)
    expect.result(await call.result(), "ACTION_OK", "a call without a version")


@check("ACT-2.5")
async def a_provider_without_a_stream_is_unavailable(bench: Bench) -> None:
    """The provider is registered only; then it opens its stream."""
    name = bench.capability("c")
    peer = bench.peer("provider")
    await peer.register(bench.id("provider"), capabilities=[name])
    caller = bench.peer("caller")
    refused = await caller.call(name, timeout_ms=60_000)
    expect.result(
        refused, "ACTION_RETRYABLE", "a call without a live provider", code="UNAVAILABLE", names=name
    )
    provider = await peer.stream(bench.id("provider"))
    call = caller.invoke(name, timeout_ms=60_000)
    await provider.answer(await given(provider, call))
    expect.result(await call.result(), "ACTION_OK", "the same call once the provider is there")


@check("ACT-2.6")
async def refusals_come_under_the_callers_id(bench: Bench) -> None:
    """Of the bridge's answers: not found, unavailable, invalid, and timed out."""
    name, absent = bench.capability("c"), bench.capability("absent")
    provider = await bench.join(bench.id("provider"), capabilities=[name])
    await bench.peer().register(bench.id("absent"), capabilities=[absent])
    caller = bench.peer("caller")
    asked: dict[str, dict[str, Any]] = {
        "nobody": {"capability": bench.capability("nobody")},
        "absent": {"capability": absent},
    }
    for own, fields in {**asked, "negative": {"capability": name, "timeout_ms": -1}}.items():
        result = await caller.call(**fields, id=own)
        expect.equal(result.id, own, f"the id of the answer ({result.error.code})")
    late = caller.invoke(name, id="late", timeout_ms=100)
    await given(provider, late)
    await open_calls(bench, caller, 1)
    await bench.pass_time(0.1)
    expect.equal((await late.result()).id, "late", "the id of the answer (TIMEOUT)")
    expect.nothing(await calls_in(provider), "further calls given to the provider")
