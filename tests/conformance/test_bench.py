import asyncio
import signal
import sys

import grpc
import pytest

from loom_conformance import expect
from loom_conformance.bench import Bench
from loom_conformance.declared import ask
from loom_conformance.expect import Violation
from loom_conformance.program import Program
from loom_conformance.target import Target
from loom_testing import FakeBridge
from tests.conformance.benches import a_bench, a_check, nothing


async def test_each_check_is_alone_in_a_namespace_of_its_own():
    async with a_bench() as bench:
        await bench.join("a", "t")
        assert [agent.agent_id for agent in (await bench.control.snapshot()).agents] == ["a"]
        other = bench.peer(namespace="another")
        assert await other.capabilities() == []
        assert (bench.id("a"), bench.topic("t.>"), bench.capability("c")) == ("a", "t.>", "c")


async def test_without_namespaces_its_names_are_its_own():
    async with a_bench(namespaces=False) as bench:
        assert bench.namespace == ""
        assert bench.id("a") == f"a-{bench.nonce}"
        assert bench.topic("t.>") == f"{bench.nonce}.t.>"
        assert bench.capability("c") == f"c-{bench.nonce}"
        subscriber = await bench.join(bench.id("s"), bench.topic("t"))
        await subscriber.publish(bench.topic("t"), b"1")
        assert [item.event.payload for item in await subscriber.deliveries()] == [b"1"]


async def test_time_passes_at_once_where_the_clock_is_virtual():
    async with a_bench() as bench:
        provider = await bench.join("p", capabilities=["slow"])
        call = bench.peer().invoke("slow", timeout_ms=3_600_000)
        await provider.action_call()
        await bench.pass_time(3600)
        expect.result(await call.result(), "ACTION_TIMEOUT", "the call", code="TIMEOUT")


async def test_time_is_real_where_there_is_no_control():
    async with a_bench(testing=False) as bench:
        assert not bench.virtual
        before = asyncio.get_running_loop().time()
        await bench.pass_time(0.01)
        assert asyncio.get_running_loop().time() >= before + 0.009
        with pytest.raises(RuntimeError, match="needs="):
            _ = bench.control


async def test_a_check_may_ask_for_the_real_clock_and_for_limits():
    async with a_bench(clock="real", limits={"event_bytes": 10}) as bench:
        assert not bench.virtual
        agent = await bench.join("a")
        assert agent.registration.limits.event_bytes == 10


async def test_a_fence_gives_what_came_before_it():
    async with a_bench() as bench:
        subscriber = await bench.join("s", "t")
        publisher = await bench.join("p")
        await publisher.publish("t", b"1")
        said, heard = await bench.fence(publisher, subscriber)
        assert said == []
        assert [event.delivery.event.payload for event in heard] == [b"1"]


async def test_eventually_asks_again_and_gives_up():
    async with a_bench() as bench:
        answers = iter([0, 0, 5])

        async def three_times():
            return next(answers)

        assert await bench.eventually(three_times, "it comes") == 5

        async def never():
            return False

        with pytest.raises(Violation, match=r"it comes: expected it to become true, got not within 0\.01 s"):
            await bench.eventually(never, "it comes", within=0.01)


async def test_a_check_can_have_a_bridge_of_its_own_and_send_it_signals():
    command = [sys.executable, "-m", "loom_testing", "serve", "--port", "0", "--json", "--grace", "0"]
    async with FakeBridge() as bridge:
        target = Target(bridge.address, start=lambda: Program.started(command))
        declared = await ask(target)
        assert "process" in declared.features
        async with Bench(target, declared, a_check(nothing)) as bench:
            program = await bench.program()
            assert (await bench.peer_of(program).heartbeat(3)).timestamp_ms == 3
            program.signal(signal.SIGTERM)
            assert await program.wait(10) == 0


async def test_without_a_way_to_start_one_there_is_no_bridge_of_its_own():
    async with a_bench() as bench:
        with pytest.raises(RuntimeError, match="process"):
            await bench.program()
        with pytest.raises(RuntimeError, match="plain"):
            await bench.program(testing=False)


async def test_the_control_of_a_bridge_of_its_own():
    command = [sys.executable, "-m", "loom_testing", "serve", "--port", "0", "--json", "--testing"]
    async with FakeBridge() as bridge:
        target = Target(bridge.address, start=lambda: Program.started(command))
        async with Bench(target, await ask(target), a_check(nothing)) as bench:
            program = await bench.program()
            control = bench.control_of(program, "there")
            await control.create(virtual=True, limits={})
            await bench.peer_of(program, namespace="there").join("a")
            assert [agent.agent_id for agent in (await control.snapshot()).agents] == ["a"]


async def test_further_namespaces_end_with_the_check():
    async with FakeBridge(testing=True) as bridge:
        target = Target(bridge.address)
        declared = await ask(target)
        before = len(bridge.namespaces)
        async with Bench(target, declared, a_check(nothing)) as bench:
            expect.counting()
            other = bench.peer(namespace=bench.beside("other"))
            await other.join("a")
            assert bench.beside("other") == f"{bench.namespace}.other"
            assert len(bridge.namespaces) == before + 2
        assert len(bridge.namespaces) == before


async def test_without_namespaces_there_are_no_further_ones():
    async with a_bench(namespaces=False) as bench:
        with pytest.raises(RuntimeError, match="needs="):
            bench.beside("other")


async def test_a_check_may_ask_for_liveness_on_its_virtual_clock():
    async with a_bench(liveness=True) as bench:
        agent = await bench.join("a", features=["session"])
        await bench.pass_time(20)
        assert [event.err.code for event in (await agent.end()).events] == ["HEARTBEAT_TIMEOUT"]


async def test_a_connection_that_the_check_can_cut():
    async with a_bench() as bench:
        relay = await bench.relay()
        agent = await bench.peer("far", through=relay).join("a", "t")
        await agent.publish("t", b"1")
        assert [item.event.payload for item in await agent.deliveries()] == [b"1"]
        relay.cut()
        assert (await agent.end()).code is grpc.StatusCode.UNAVAILABLE


async def test_a_narrow_connection_takes_in_little_before_it_is_read():
    async with a_bench() as bench:
        agents = [await bench.peer(narrow=narrow).join(f"a{narrow}", "t") for narrow in (False, True)]
        publisher = await bench.join("p")
        for _ in range(100):
            await publisher.publish("t", b"x" * 5_000)
        await publisher.until_pong()
        queued = [(await bench.control.agent(agent.agent_id)).queued_events for agent in agents]
        assert queued[0] < queued[1]
