"""One jump after the other, until they are stopped or can be no more."""

from __future__ import annotations

import threading

import pytest

from loom import Agent, Context
from loom_testing.harness import jumps as jumps_module
from loom_testing.harness.errors import HarnessError
from loom_testing.harness.jumps import Jumps


def test_what_is_never_begun_ends(loom_bridge):
    jumps = Jumps(loom_bridge.space, pytest.fail)
    assert not jumps.is_running
    jumps.stop()


def test_they_end_when_they_are_told_and_may_begin_again(loom_bridge):
    jumps = Jumps(loom_bridge.space, pytest.fail)
    for _ in range(2):
        jumps.start()
        assert jumps.is_running
        jumps.stop()
        assert not jumps.is_running
        assert "loom-clock" not in {thread.name for thread in threading.enumerate()}
    assert jumps.problem is None


async def test_an_agent_that_never_stops_setting_timers_ends_them(loom_bridge, monkeypatch):
    monkeypatch.setattr(jumps_module, "MOST_JUMPS", 5)
    me = Agent("me")

    @me.on("go")
    async def tick(ctx: Context) -> None:
        while True:
            await ctx.sleep(1)

    loom_bridge.clock.start_auto()
    async with loom_bridge.run(me, grace=0), loom_bridge.probe() as probe:
        await probe.emit("go")
        with pytest.raises(HarnessError, match="moved by itself 5 times: an agent sets another timer"):
            await probe.expect("never", timeout=30)
    loom_bridge.clock.stop_auto()


@pytest.mark.loom(clock="real")
def test_what_makes_them_fail_is_told_once(loom_bridge):
    told: list[HarnessError] = []
    over = threading.Event()

    def failed(problem: HarnessError) -> None:
        told.append(problem)
        over.set()

    jumps = Jumps(loom_bridge.space, failed)
    jumps.start()
    assert over.wait(10)
    jumps.stop()
    assert told == [jumps.problem]
    assert "the clock cannot move by itself" in str(jumps.problem)
