"""Faults between a bridge and its agents: each of them, on each kind of bridge."""

from __future__ import annotations

import asyncio

import pytest

from loom.errors import DeadlineExceeded, LoomError
from loom_testing.faults import FaultError, UnfiredError
from loom_testing.transcript import Kind
from tests.bridge.weather import PAUSE_S, make

LARGE = "x" * 3_000_000
TOLD = {"before": "disconnected", "after": "disconnected after it"}
MOMENTS = ("register", "registered", "handshake", "welcome", "receipt", "ack", "publish")


async def faults_told(bridge) -> list[tuple[str, str]]:
    """What the transcript tells of faults: whom they concerned, and what was done."""
    entries = (await bridge.transcript()).entries
    return [(entry.who, entry.name) for entry in entries if entry.kind is Kind.FAULT]


async def test_a_lost_reply(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.drop(type="reply", times=1) as lost:
            asking = asyncio.create_task(probe.request("ask", "x", timeout=1800))
            await lost.happened()
            await loom_bridge.advance(1800)
            with pytest.raises(DeadlineExceeded):
                await asking
            assert await probe.request("ask", "y") == "hello y"
        assert lost.fired == 1
        assert await faults_told(loom_bridge) == [("greeter", "dropped")]


async def test_a_message_that_comes_twice(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.duplicate(agent="greeter", kind="delivery", times=1):
            await probe.emit("visitor.arrived", "x")
            for _ in range(2):
                await probe.expect("visitor.greeted", "hello x")
        await probe.expect_none("visitor.greeted", within=0)


async def test_what_is_published_twice_is_delivered_once(loom_bridge):
    """The bridge knows it by its number."""
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.duplicate(agent="greeter", kind="publish", times=1):
            await probe.emit("visitor.arrived", "x")
            await probe.expect("visitor.greeted", "hello x")
            await loom_bridge.settle()
            await probe.expect_none("visitor.greeted", within=0)


async def test_messages_out_of_order(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.reorder(agent="greeter", kind="delivery") as reordered:
            for number in "1234":
                await probe.emit("visitor.arrived", number)
            await probe.expect_in_order(*[("visitor.greeted", f"hello {number}") for number in "2143"])
        assert reordered.fired == 2


async def test_a_message_that_nothing_overtakes(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.reorder(agent="greeter", kind="delivery"):
            await probe.emit("visitor.arrived", "x")
            await loom_bridge.settle()
            await probe.expect_none("visitor.greeted", within=0)
        await probe.expect("visitor.greeted", "hello x")


async def test_a_message_that_is_late_by_the_tests_clock(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.delay(3600, agent="greeter", kind="publish", times=1):
            await probe.emit("visitor.arrived", "x")
            await loom_bridge.advance(3599)
            await probe.expect_none("visitor.greeted", within=0)
            await loom_bridge.advance(1)
            await probe.expect("visitor.greeted", "hello x")


async def test_a_late_message_is_late_also_when_the_fault_has_ended(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.delay(10, agent="greeter", kind="publish"):
            await probe.emit("visitor.arrived", "x")
            await loom_bridge.settle()
        await probe.expect_none("visitor.greeted", within=0)
        await loom_bridge.advance(10)
        await probe.expect("visitor.greeted", "hello x")


async def test_who_leaves_waits_for_no_clock(loom_bridge):
    before = await loom_bridge.clock.now()
    async with loom_bridge.probe() as probe:
        with loom_bridge.faults.delay(3600, agent="greeter", kind="publish"):
            async with loom_bridge.run(make(), grace=0):
                await probe.emit("visitor.arrived", "x")
                await loom_bridge.settle()
                await probe.expect_none("visitor.greeted", within=0)
        await probe.expect("visitor.greeted", "hello x")
    assert await loom_bridge.clock.now() == before


async def test_much_may_wait_behind_a_late_message(loom_bridge):
    """More than a window of HTTP/2 holds: who sends must not have to wait for a clock that waits for it."""
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.delay(10, agent="probe", kind="publish", times=1):
            emitting = [
                asyncio.create_task(probe.emit("visitor.arrived", f"{number:020000}")) for number in range(20)
            ]
            await loom_bridge.settle()
            assert not any(task.done() for task in emitting)
            await loom_bridge.advance(10)
            await asyncio.gather(*emitting)
            for number in range(20):
                await probe.expect("visitor.greeted", f"hello {number:020000}")


async def test_two_faults_on_one_message(loom_bridge):
    faults = loom_bridge.faults
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with (
            faults.duplicate(agent="greeter", kind="delivery", times=1),
            faults.delay(5, agent="greeter", kind="delivery", times=1),
        ):
            await probe.emit("visitor.arrived", "x")
            await loom_bridge.advance(4)
            await probe.expect_none("visitor.greeted", within=0)
            await loom_bridge.advance(1)
            await probe.expect("visitor.greeted", "hello x")
            await probe.expect("visitor.greeted", "hello x")


async def test_a_slow_link(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.slow(1, agent="greeter", kind="delivery"):
            await probe.emit("visitor.arrived", "x")
            await loom_bridge.settle()
            await probe.expect_none("visitor.greeted", within=0)
            await loom_bridge.advance(1000)
            await probe.expect("visitor.greeted")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_connection(loom_bridge, when):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.disconnect(agent="greeter", kind="delivery", times=1, when=when) as lost:
            await probe.emit("visitor.arrived", "x")
            await lost.happened()
        await loom_bridge.advance(PAUSE_S)
        assert await probe.call("wording", name="x") == "hi x"
        assert ("greeter", TOLD[when]) in await faults_told(loom_bridge)


async def test_a_connection_that_is_lost_at_once(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.disconnect(agent="greeter") as lost:
            assert lost.fired == 1
        await loom_bridge.advance(PAUSE_S)
        assert await probe.call("wording", name="x") == "hi x"


@pytest.mark.parametrize(
    "kind", ["register", "registered", "handshake", "welcome", "receipt", "ack", "publish"]
)
async def test_a_connection_lost_at_every_moment(loom_bridge, kind):
    """Whatever crosses when the connection is lost: the agent comes back, and all that was said arrives."""
    with loom_bridge.faults.disconnect(agent="greeter", kind=kind, times=1, optional=kind == "ack") as lost:
        starting = asyncio.create_task(_started(loom_bridge, "greeter"))
        await _passing(loom_bridge, starting)
        greeter = starting.result()
        async with loom_bridge.probe() as probe:
            await probe.emit("visitor.arrived", "x")
            await loom_bridge.settle()
            for _ in range(3):
                await loom_bridge.advance(PAUSE_S)
            await probe.expect("visitor.greeted", "hello x")
            assert lost.fired or kind == "ack"
            assert await probe.call("wording", name="x") == "hi x"
        await greeter.__aexit__(None, None, None)


async def _started(bridge, name):
    running = bridge.run(make(name))
    await running.__aenter__()
    return running


async def _passing(bridge, task) -> None:
    """Lets the test's time pass until something is done that waits for it."""
    for _ in range(20):
        if task.done():
            break
        await bridge.advance(PAUSE_S)
    await task


async def test_a_dead_cable(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.stall(agent="greeter") as stalled:
            assert stalled.fired == 1
            asking = asyncio.create_task(probe.call("wording", name="x", timeout=5))
            await loom_bridge.settle()
            assert not asking.done()
        assert await asking == "hi x"


async def test_nobody_gets_in(loom_bridge):
    with loom_bridge.faults.refuse(times=2) as refused:
        starting = asyncio.create_task(_started(loom_bridge, "greeter"))
        await refused.happened()
        await _passing(loom_bridge, starting)
    running = starting.result()
    assert refused.fired == 2
    assert await loom_bridge.call("wording", name="x") == "hi x"
    await running.__aexit__(None, None, None)


async def test_a_call_that_fails(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.fail("INTERNAL", "no such luck", capability="wording", times=1):
            with pytest.raises(LoomError, match="no such luck"):
                await probe.call("wording", name="x")
            assert await probe.call("wording", name="x") == "hi x"
    assert ("probe", "failed: INTERNAL") in await faults_told(loom_bridge)


@pytest.mark.parametrize("kind", ["delivery", "publish", "welcome", "registered"])
async def test_bytes_that_are_no_message(loom_bridge, kind):
    """Neither an agent nor a bridge dies of them: the stream is begun anew."""
    async with loom_bridge.probe() as probe:
        with loom_bridge.faults.corrupt("garbage", agent="greeter", kind=kind, times=1) as corrupted:
            starting = asyncio.create_task(_started(loom_bridge, "greeter"))
            await _passing(loom_bridge, starting)
            running = starting.result()
            await probe.emit("visitor.arrived", "x")
            await loom_bridge.advance(PAUSE_S)
        assert corrupted.fired == 1
        await loom_bridge.advance(PAUSE_S)
        assert await probe.call("wording", name="y") == "hi y"
        await running.__aexit__(None, None, None)


async def test_chance_comes_from_the_seed(loom_bridge):
    assert loom_bridge.faults.seed == loom_bridge.space.proxy.rules.chance.seed
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.drop(agent="greeter", kind="publish", probability=0.5) as lost:
            for number in range(20):
                await probe.emit("visitor.arrived", str(number))
            await loom_bridge.settle()
        assert 0 < lost.fired < 20
        assert lost.met == 20


async def test_a_script(loom_bridge, tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(
        '[[fault]]\ndo = "drop"\nagent = "greeter"\nkind = "publish"\nnth = 1\n'
        '[[fault]]\ndo = "delay"\nseconds = 5\nagent = "greeter"\nkind = "publish"\nnth = 2\n'
    )
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.script(path):
            for number in "12":
                await probe.emit("visitor.arrived", number)
            await loom_bridge.advance(5)
            await probe.expect("visitor.greeted", "hello 2")
    assert await faults_told(loom_bridge) == [("greeter", "dropped"), ("greeter", "delayed by 5 s")]


# What crosses undisturbed.


async def test_large_messages(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.drop(kind="goodbye", optional=True):
            assert await probe.call("wording", name=LARGE) == "hi " + LARGE
            await probe.emit("visitor.arrived", "x" * 900_000)
            await probe.expect("visitor.greeted", "hello " + "x" * 900_000)


async def test_all_has_arrived_when_all_is_settled(loom_bridge):
    """Also what is larger than a window, and waits for room."""
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.drop(kind="goodbye", optional=True):
            for number in range(10):
                await probe.emit("visitor.arrived", f"{number:0200000}")
            await loom_bridge.settle()
            snapshot = await loom_bridge.snapshot()
            for number in range(10):
                await probe.expect("visitor.greeted", f"hello {number:0200000}", timeout=0.001)
            assert set(snapshot.agents) == {"greeter", "probe"}


async def test_500_calls_at_once(loom_bridge):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.drop(kind="goodbye", optional=True):
            calls = (probe.call("wording", name=str(number)) for number in range(500))
            assert await asyncio.gather(*calls) == [f"hi {number}" for number in range(500)]


# What cannot be.


async def test_one_that_never_fired(loom_bridge):
    with pytest.raises(UnfiredError, match="never fired"), loom_bridge.faults.drop(type="reply"):
        pass


async def test_contradictions(loom_bridge):
    with (
        loom_bridge.faults.drop(kind="publish", optional=True),
        pytest.raises(FaultError, match="contradicts"),
        loom_bridge.faults.delay(1, kind="publish"),
    ):
        pass


@pytest.mark.loom(faults=False)
async def test_a_test_without_a_proxy_is_told_so(loom_bridge):
    with pytest.raises(Exception, match=r"add @pytest\.mark\.loom\(faults=True\) to the test"):
        _ = loom_bridge.faults


# Plain tests.


def test_plain_tests(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.run(make()), bridge.probe() as probe:
        with bridge.faults.fail("INTERNAL", "no", capability="wording", times=1) as failed:
            with pytest.raises(LoomError, match="no"):
                bridge.call("wording", name="x")
            failed.wait()
        assert bridge.call("wording", name="x") == "hi x"
        with bridge.faults.drop(agent="greeter", kind="publish", times=1) as lost:
            probe.emit("visitor.arrived", "1")
            lost.wait()
            probe.emit("visitor.arrived", "2")
            probe.expect("visitor.greeted", "hello 2")
        with bridge.faults.delay(5, agent="greeter", kind="publish"):
            probe.emit("visitor.arrived", "3")
            bridge.advance(5)
            probe.expect("visitor.greeted", "hello 3")
        with bridge.faults.disconnect(agent="greeter"):
            bridge.settle()
        bridge.advance(PAUSE_S)
        assert bridge.call("wording", name="x") == "hi x"


@pytest.mark.loom(clock="real")
def test_a_real_clock(loom_bridge):
    bridge = loom_bridge.sync
    late = bridge.faults.delay(0.05, agent="greeter", kind="publish")
    with bridge.run(make()), bridge.probe() as probe, late:
        probe.emit("visitor.arrived", "x")
        probe.expect("visitor.greeted", "hello x")
