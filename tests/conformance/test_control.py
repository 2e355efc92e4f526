import grpc
import pytest

from loom_conformance.expect import Violation
from loom_conformance.stream import End
from tests.conformance.benches import a_bench


async def test_time_state_and_writes():
    async with a_bench() as bench:
        agent = await bench.join("a", "t")
        assert await bench.control.advance(1) == 0
        assert (await bench.control.agent("a")).state == "STREAMING"
        assert await bench.control.agent("nobody") is None
        assert await bench.control.counter("published") == 0
        await bench.control.hold("a")
        assert (await bench.control.agent("a")).held
        await bench.control.release("a")
        await bench.control.disconnect("a")
        assert (await agent.end()).code is not grpc.StatusCode.OK
        await bench.control.reset()
        answer = await bench.control.outcome("Snapshot")
        assert isinstance(answer, End)


async def test_what_fails_is_a_violation():
    async with a_bench() as bench:
        with pytest.raises(Violation, match=r"Control\.Hold: expected an answer, got NOT_FOUND"):
            await bench.control.hold("nobody")
