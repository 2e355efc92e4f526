import grpc
import pytest

from loom.v1 import action_pb2, stream_pb2
from loom_conformance.expect import Violation
from loom_conformance.stream import End
from tests.conformance.benches import a_bench


async def test_an_agent_with_a_session_has_read_its_welcome():
    async with a_bench() as bench:
        agent = await bench.join("a", features=["session"])
        assert agent.welcome.epoch > 0
        assert agent.registration.features == ["session"]
        assert (await bench.join("b")).welcome is None


async def test_a_refused_registration_is_a_violation():
    async with a_bench() as bench:
        with pytest.raises(Violation, match=r"the registration of a\.\.b: expected success, got .*a\.\.b"):
            await bench.join("a..b")


async def test_calls_and_what_is_callable():
    async with a_bench() as bench:
        provider = await bench.join("p", capabilities=["echo"])
        caller = bench.peer("caller")
        assert [item.name for item in await caller.capabilities()] == ["echo"]
        call = caller.invoke("echo", b"in", broker=True)
        assert not call.done
        await provider.answer(await provider.action_call(), b"out")
        assert (await call.result()).output == b"out"
        assert call.done
        assert [item.rpc for item in bench.tape.crossings if item.who == "caller"] == [
            "ListCapabilities",
            "ListCapabilities",
            "Invoke",
            "Invoke",
        ]


async def test_a_caller_that_gives_up_has_an_outcome_but_no_result():
    async with a_bench() as bench:
        provider = await bench.join("p", capabilities=["slow"])
        call = bench.peer().invoke("slow")
        await provider.action_call()
        call.cancel()
        outcome = await call.outcome()
        assert isinstance(outcome, End)
        assert outcome.code is grpc.StatusCode.CANCELLED
        with pytest.raises(Violation, match="expected a result, got CANCELLED"):
            await call.result()


async def test_raw_bytes_give_the_answers_bytes_or_how_it_failed():
    async with a_bench() as bench:
        peer = bench.peer()
        request = stream_pb2.HeartbeatRequest(timestamp_ms=3).SerializeToString()
        answer = await peer.raw("/loom.v1.Bridge/Heartbeat", request)
        assert stream_pb2.HeartbeatResponse.FromString(answer).timestamp_ms == 3
        end = await peer.raw("/loom.v1.Bridge/Nothing", b"")
        assert end.code is grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(Violation, match="expected an answer, got UNIMPLEMENTED"):
            await peer.unary("/loom.v1.Bridge/Nothing", action_pb2.ActionCall(), action_pb2.ActionResult)


async def test_what_is_open_ends_with_the_peer():
    async with a_bench() as bench:
        provider = await bench.join("p", capabilities=["slow"])
        peer = bench.peer()
        call = peer.invoke("slow")
        await provider.action_call()
        await peer.close()
        assert call.done
