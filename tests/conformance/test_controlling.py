"""Steps about the testing control."""

from __future__ import annotations

import grpc
import pytest

from loom_conformance.controlling import agent_in, now, refused
from loom_conformance.expect import Violation, counting
from loom_conformance.stream import End
from tests.conformance.benches import a_bench


async def test_an_agent_in_a_snapshot():
    async with a_bench() as bench:
        await bench.join("a")
        assert (await agent_in(bench, "a")).state == "STREAMING"
        with pytest.raises(Violation, match="the snapshot: expected the agent b, got nothing of it"):
            await agent_in(bench, "b")


async def test_the_time_of_a_namespace():
    async with a_bench() as bench:
        begin = await now(bench)
        await bench.control.advance(1)
        assert await now(bench) == begin + 1_000_000
        other = bench.beside("other")
        await bench.control.ask("CreateNamespace", namespace=other, virtual_clock=True)
        assert await now(bench, other) == await now(bench, other)


def test_a_refusal():
    counting()
    refused(End(grpc.StatusCode.NOT_FOUND, "no x"), grpc.StatusCode.NOT_FOUND, "it", names="x")
    with pytest.raises(Violation, match="it: expected NOT_FOUND, got an answer"):
        refused(b"", grpc.StatusCode.NOT_FOUND, "it")
    with pytest.raises(Violation, match="it: the gRPC status: expected NOT_FOUND, got OK"):
        refused(End(grpc.StatusCode.OK, ""), grpc.StatusCode.NOT_FOUND, "it")
