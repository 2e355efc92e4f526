import grpc
import pytest

from loom_conformance.expect import Violation, counted
from loom_conformance.steps import (
    answered_without,
    end_of,
    ended,
    given,
    is_unknown,
    open_call,
    passes,
    payloads,
)
from tests.conformance.benches import a_bench


async def test_a_registration_that_passes_and_one_that_does_not():
    async with a_bench() as bench:
        peer = bench.peer()
        assert (await passes(peer, "a", "t")).registration
        assert counted() == 1
        with pytest.raises(Violation, match=r"the registration of a, .*: expected success=true, got .*a\.\."):
            await passes(peer, "a", "a..")


async def test_who_is_unknown_and_who_is_not(monkeypatch):
    async with a_bench() as bench:
        peer = bench.peer()
        await is_unknown(peer, "a", "a handshake")
        await passes(peer, "a")
        monkeypatch.setattr("loom_conformance.stream.PATIENCE", 0.1)
        with pytest.raises(
            Violation, match="a handshake: expected that the bridge ends the stream, got nothing"
        ):
            await is_unknown(peer, "a", "a handshake")


async def test_a_call_that_is_given_and_one_that_is_not():
    async with a_bench() as bench:
        agent, caller = await bench.join("a", capabilities=["c"]), bench.peer()
        first = caller.invoke("c", b"in")
        call = await given(agent, first, "the call")
        assert call.payload == b"in"
        with pytest.raises(
            Violation, match=r"the call: expected a is given the call, got the answer .*NOT_FOUND"
        ):
            await given(agent, caller.invoke("d"), "the call")
        await agent.answer(call)
        await first.result()


async def test_a_call_that_is_answered_without_an_agent_and_one_that_is_not():
    async with a_bench() as bench:
        agent, caller = await bench.join("a", capabilities=["c"]), bench.peer()
        result = await answered_without(agent, caller.invoke("d"), "the call")
        assert result.error.code == "NOT_FOUND"
        with pytest.raises(Violation, match="the call: expected an answer without a, got a being sent"):
            await answered_without(agent, caller.invoke("c"), "the call")


async def test_what_comes_instead_of_a_call():
    async with a_bench() as bench:
        agent, caller = await bench.join("a", "t", capabilities=["c"]), bench.peer()
        await agent.publish("t")
        await agent.until_pong()
        await agent.publish("t")
        await caller.heartbeat(1)
        with pytest.raises(
            Violation, match=r"the call: what a is sent: expected 'action_call', got 'delivery'"
        ):
            await given(agent, caller.invoke("c"), "the call")


async def test_an_open_call_is_answered_when_the_agent_is_gone():
    async with a_bench() as bench:
        agent = await bench.join("a", capabilities=["c"])
        calling = await open_call(agent, bench.peer(), "c")
        assert not calling.done
        agent.reset()
        assert (await calling.result()).error.code == "PROVIDER_LOST"


async def test_how_a_stream_ends():
    async with a_bench() as bench:
        stream = bench.peer().open()
        await stream.half_close()
        status = grpc.StatusCode.INVALID_ARGUMENT
        end = await ended(stream, status, "a stream", word="HANDSHAKE_EXPECTED", names="Ack")
        assert end.code is status
        with pytest.raises(Violation, match="a stream: the details: expected to begin with NOT_REGISTERED"):
            await ended(stream, status, "a stream", word="NOT_REGISTERED")
        with pytest.raises(Violation, match="a stream: the gRPC status: expected OK, got INVALID_ARGUMENT"):
            await ended(stream, grpc.StatusCode.OK, "a stream")


async def test_a_stream_that_does_not_end(monkeypatch):
    async with a_bench() as bench:
        stream = await bench.join("a", "t")
        await stream.publish("t", b"1")
        assert await payloads(stream) == [b"1"]
        monkeypatch.setattr("loom_conformance.stream.PATIENCE", 0.05)
        with pytest.raises(
            Violation, match="the last word: expected that the bridge ends the stream, got nothing"
        ):
            await end_of(stream, "the last word")
