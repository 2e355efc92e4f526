"""Steps about calls: who is given one, and how many are open."""

from __future__ import annotations

import pytest

from loom_conformance import calling
from loom_conformance.calling import (
    answered,
    calls_in,
    descriptor,
    given,
    in_the_end,
    not_given,
    open_calls,
    signed,
    taker,
)
from loom_conformance.expect import Violation, counted
from tests.conformance.benches import a_bench


@pytest.fixture
async def bench():
    async with a_bench() as bench:
        yield bench


def test_descriptors_and_headers():
    assert dict(descriptor("c", "1", most=2).metadata) == {"loom.max_concurrency": "2"}
    assert (descriptor("c", "1").name, descriptor("c", "1").version) == ("c", "1")
    assert not descriptor("c").metadata
    assert signed("a", traceparent="x") == {"x-agent-id": "a", "traceparent": "x"}


async def test_a_call_as_its_provider_is_given_it(bench):
    provider = await bench.join("provider", capabilities=["c"])
    call = bench.peer().invoke("c", b"in")
    taken = await given(provider, call)
    assert taken.payload == b"in"
    assert await calls_in(provider) == []
    await provider.answer(taken, b"out")
    assert (await call.result()).output == b"out"


async def test_one_of_several_providers_takes_it_and_the_others_read_on(bench):
    idle = await bench.join("idle", "t")
    provider = await bench.join("provider", capabilities=["c"])
    stream, taken = await taker(bench.peer().invoke("c"), idle, provider)
    assert stream is provider
    assert taken.capability == "c"
    await provider.publish("t", b"later")
    assert (await idle.delivery()).event.payload == b"later"


async def test_a_call_that_was_answered_instead(bench):
    provider = await bench.join("provider")
    with pytest.raises(Violation, match=r"to be given to provider, got an answer to its caller: .*NOT_FOUND"):
        await given(provider, bench.peer().invoke("c"))


async def test_something_else_than_the_call(bench):
    provider = await bench.join("provider", "t")
    await provider.publish("t")
    await bench.join("other", capabilities=["c"])
    with pytest.raises(Violation, match=r"what provider received: expected the call, got .*delivery"):
        await given(provider, bench.peer().invoke("c"))


async def test_a_call_that_nothing_happens_to(bench, monkeypatch):
    monkeypatch.setattr(calling, "SETTLED_S", 0.1)
    bystander = await bench.join("bystander")
    await bench.join("provider", capabilities=["c"])
    with pytest.raises(Violation, match="or it to be given to bystander, got nothing"):
        await given(bystander, bench.peer().invoke("c"))


async def test_an_answer_of_the_bridge_s_own(bench):
    provider = await bench.join("provider", capabilities=["c"])
    caller = bench.peer()
    assert (await answered(caller.invoke("nothing"), provider)).error.code == "NOT_FOUND"
    with pytest.raises(
        Violation, match=r"an answer of the bridge's own, got provider being sent .*action_call"
    ):
        await answered(caller.invoke("c"), provider)


async def test_nothing_was_given(bench):
    provider = await bench.join("provider", capabilities=["c"])
    before = counted()
    await not_given(provider, "yet")
    assert counted() == before + 1
    caller = bench.peer()
    caller.invoke("c")
    await open_calls(bench, caller, 1)
    with pytest.raises(Violation, match="calls given to provider, by now: expected nothing"):
        await not_given(provider, "by now")


async def test_calls_and_callers_are_counted(bench, monkeypatch):
    monkeypatch.setattr(calling, "SETTLED_S", 0.05)
    await bench.join("provider", capabilities=["c"])
    caller = bench.peer()
    for _ in range(2):
        caller.invoke("c", id="same", headers=signed("caller"))
    await open_calls(bench, caller, 1, callers=2)
    with pytest.raises(Violation, match="the open calls: expected 2 with 2 callers, got 1 with 2 callers"):
        await open_calls(bench, caller, 2)


async def test_without_control_an_answer_has_to_do():
    async with a_bench(namespaces=False) as bench:
        await open_calls(bench, bench.peer(), 5)


async def test_a_call_that_takes_long(bench):
    provider = await bench.join("provider", capabilities=["c"])
    call = bench.peer().invoke("c")
    await provider.answer(await given(provider, call), b"out")
    result = await in_the_end(call)
    assert result.output == b"out"
