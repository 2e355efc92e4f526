"""Which participant an agent belongs to."""

from __future__ import annotations

import asyncio

import pytest

from loom import joining
from loom.endpoint import Endpoint
from loom.errors import LoomError
from loom.joining import Group, take_part

HERE = Endpoint("127.0.0.1:1", "of-a-test")


class Member:
    def busy(self) -> list[str]:
        return []


@pytest.fixture
def group():
    group = Group(HERE, liveness=True)
    yield group
    group.close()


async def test_agents_of_a_loop_share_a_participant_that_joins_later(group):
    first, second = (
        await take_part(HERE, Member()),
        await take_part(Endpoint("proxy:2", "of-a-test"), Member()),
    )
    assert first is second is group.participant()
    assert first.endpoint == HERE
    assert first.liveness
    assert not first.has_joined


async def test_what_holds_the_test_holds_its_participants(group):
    participant = await take_part(HERE, Member())
    group.hold("the test")
    group.hold("the test")
    group.release("the test")
    assert participant._report(is_quiet=True).busy == ["the test"]
    group.release("the test")
    assert participant._report(is_quiet=True).busy == []


async def test_a_participant_that_lost_its_bridge_is_replaced(group):
    first = await take_part(HERE, Member())
    first._lose("killed")
    assert await take_part(HERE, Member()) is not first


async def test_after_the_test_nobody_belongs_to_it(group):
    group.close()
    with pytest.raises(LoomError):  # it would join at once, and there is no bridge
        await take_part(HERE, Member())


async def test_an_agent_that_cannot_join_takes_no_part():
    member = Member()
    with pytest.raises(LoomError):
        await take_part(Endpoint("127.0.0.1:1", "elsewhere"), member)
    assert not any(participant.is_used for participant in joining._programs)


async def test_a_call_of_the_test_s_own_is_under_way_and_awaited(group):
    async with group.calling(30) as traffic:
        participant = group.participant()
        assert participant.is_used
        report = participant._report(is_quiet=True)
        assert [call.number for call in report.calls] == [traffic.number]
        assert report.awaited_us == 30_000_000
    assert not participant.is_used
    assert participant.next_timer() is None


async def test_a_program_of_its_own_joins_at_once(loom_bridge):
    loom_bridge.space.group.close()  # as in a process where there is no test
    first, second = Member(), Member()
    participant = await take_part(loom_bridge.endpoint, first)
    assert participant.has_joined
    assert await take_part(loom_bridge.endpoint, second) is participant
    await participant.leave(first)
    await participant.leave(second)
    assert not participant.has_joined


async def test_an_eager_group_joins_at_once_and_any_other_when_told(loom_bridge):
    group, member = loom_bridge.space.group, Member()
    participant = await take_part(loom_bridge.endpoint, member)
    assert not participant.has_joined
    await group.join()
    assert participant.has_joined
    await participant.leave(member)
    group.is_eager = True
    assert (await take_part(loom_bridge.endpoint, member)).has_joined
    await participant.leave(member)
    async with group.calling(1):
        assert participant.has_joined
    assert not participant.has_joined


async def test_those_of_other_loops_join_too(loom_bridge):
    group, member = loom_bridge.space.group, Member()
    beside = loom_bridge._beside

    async def in_thread() -> None:
        def run() -> None:
            beside.wait_for(take_part(loom_bridge.endpoint, member))

        await asyncio.to_thread(run)

    await in_thread()
    (participant,) = group._loops.values()
    await group.join()
    assert participant.has_joined
    await asyncio.to_thread(beside.wait_for, participant.leave(member))
