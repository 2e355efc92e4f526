"""The bridge's own process, as a test takes it into its hands."""

from __future__ import annotations

import os

import pytest

from loom_testing.harness.errors import HarnessError, WrongPlaceError
from loom_testing.harness.lives import BridgeLife
from loom_testing.transcript.entry import Kind
from tests.loom_testing.harness.agents import greeter


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_restart_brings_another_process_under_the_same_address(loom_bridge):
    address, pid = loom_bridge.address, loom_bridge.process.pid
    await loom_bridge.process.restart()
    assert loom_bridge.address == address
    assert loom_bridge.process.pid != pid
    assert not is_running(pid)
    async with loom_bridge.run(greeter()):
        assert await loom_bridge.call("text.length", text="abc") == 3


async def test_agents_come_back_by_themselves(loom_bridge):
    async with loom_bridge.run(greeter()):
        await loom_bridge.process.kill()
        await loom_bridge.process.restart()
        await loom_bridge.advance(60)
        assert await loom_bridge.call("text.length", text="abc") == 3


async def test_a_bridge_that_is_gone_says_what_to_do(loom_bridge):
    await loom_bridge.process.kill()
    for act in loom_bridge.advance, loom_bridge.clock.advance:
        with pytest.raises(HarnessError, match=r"await loom_bridge\.process\.restart\(\) first"):
            await act(1)
    with pytest.raises(HarnessError, match="dead already"):
        await loom_bridge.process.kill()


async def test_a_transcript_tells_of_it(loom_bridge):
    await loom_bridge.process.restart()
    await loom_bridge.process.kill()
    told = [entry.name for entry in (await loom_bridge.transcript()).entries]
    assert told == ["the bridge: restart", "the bridge: kill"]


async def test_what_comes_of_it_stands_after_it(loom_bridge):
    async with loom_bridge.run(greeter()):
        await loom_bridge.process.kill()
        ends = [entry for entry in (await loom_bridge.transcript()).entries if entry.kind is Kind.RESET]
        await loom_bridge.process.restart()
        await loom_bridge.advance(60)
        await loom_bridge.joined("greeter")
    assert ends
    entries = (await loom_bridge.transcript()).entries
    told = [entry.name for entry in entries]
    broken = [place for place, entry in enumerate(entries) if entry.kind is Kind.RESET]
    assert told.index("the bridge: kill") < broken[0] < told.index("the bridge: restart")


def test_plain_tests(loom_bridge):
    bridge = loom_bridge.sync
    pid = bridge.process.pid
    with bridge.run(greeter()):
        bridge.process.kill()
        bridge.process.restart()
        assert bridge.process.pid != pid
        bridge.advance(60)
        assert bridge.call("text.length", text="abc") == 3


@pytest.mark.loom(clock="real")
def test_freezing_in_plain_tests(loom_bridge):
    bridge = loom_bridge.sync
    bridge.process.freeze()
    with pytest.raises(HarnessError, match=r"thaw\(\) first"):
        bridge.snapshot()
    bridge.process.thaw()
    assert bridge.snapshot().agents == {}


async def test_each_kind_of_test_has_its_own_way(loom_bridge):
    with pytest.raises(WrongPlaceError):
        loom_bridge.sync.process.kill()


def test_without_a_loop_nothing_can_be_awaited(loom_bridge):
    with pytest.raises(WrongPlaceError):
        loom_bridge.process.kill()


def test_a_bridge_that_is_shared_is_nobodys(loom_bridge, request):
    space = request.getfixturevalue("loom_bridge").space
    with pytest.raises(HarnessError, match=r"with others: @pytest\.mark\.loom\(process=True\)"):
        BridgeLife(space)
