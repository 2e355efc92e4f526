"""Taking part in a test's clock: what is reported and when, and what happens when the bridge is gone."""

from __future__ import annotations

import asyncio

import pytest

from loom import participant as participant_module
from loom.endpoint import Endpoint
from loom.errors import BridgeUnavailable, LoomError
from loom.participant import Participant
from loom.testing.v1 import control_pb2 as c
from tests.loom.standing import Standing, quiet

SECOND = 1_000_000


class Member:
    """An agent that is busy, or is not."""

    def __init__(self, *busy: str) -> None:
        self.lines = list(busy)

    def busy(self) -> list[str]:
        return self.lines


@pytest.fixture
async def standing():
    return Standing()


def reports(standing: Standing) -> list[c.Report]:
    """What was reported and not looked at yet."""
    outbox = standing.participant._outbox
    return [outbox.get_nowait() for _ in range(outbox.qsize())]


# Reports.


async def test_nothing_is_reported_unasked(standing):
    standing.participant.enter(Member())
    standing.tell()
    standing.participant.begin_call().end()
    await quiet()
    assert reports(standing) == []


async def test_each_turn_is_answered_and_each_change(standing):
    standing.tell(report=True)
    await quiet()
    assert reports(standing) == [c.Report(turn=1)]
    traffic = standing.participant.begin_call()
    await quiet()
    traffic.give(2)
    traffic.take()
    await quiet()
    traffic.pause(True)
    await quiet()
    traffic.end()
    await quiet()
    assert [list(report.calls) for report in reports(standing)] == [
        [c.OpenCall(number=1)],
        [c.OpenCall(number=1, sent=2, received=1)],
        [c.OpenCall(number=1, sent=2, received=1, paused=True)],
        [],
    ]
    standing.tell(report=True)
    await quiet()
    assert reports(standing) == [c.Report(turn=2)]


async def test_what_does_not_change_is_not_told_again(standing):
    standing.tell(report=True)
    await quiet()
    reports(standing)
    standing.participant.touch()
    standing.participant.begin_call().end()
    await quiet()
    assert reports(standing) == []


async def test_it_reports_after_all_that_follows(standing):
    """A message comes in; a task of a task of its handler ends it."""
    member = Member("a is handling t")
    standing.participant.enter(member)
    standing.tell(report=True)

    async def handle() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        member.lines.clear()

    task = asyncio.create_task(handle())
    await quiet()
    assert task.done()
    assert [list(report.busy) for report in reports(standing)] == [[]]


async def test_who_is_busy_is_told_and_who_ends_it(standing):
    member = Member("b is handling u")
    standing.participant.enter(member)
    standing.participant.enter(Member("a is handling t"))
    standing.tell(report=True)
    await quiet()
    member.lines.clear()
    standing.participant.touch()
    await quiet()
    assert [list(report.busy) for report in reports(standing)] == [
        ["a is handling t", "b is handling u"],
        ["a is handling t"],
    ]


async def test_what_holds_the_program_is_told():
    held = ["the test is at work"]
    participant = Participant(Endpoint("127.0.0.1:1"), holds=lambda: held)
    participant.heed(c.ParticipateResponse(turn=1, report=True))
    await quiet()
    assert list(participant._outbox.get_nowait().busy) == held


async def test_a_loop_that_never_rests_is_told(standing, monkeypatch):
    monkeypatch.setattr("loom.quiet.RESTLESS_S", 0.01)
    told = asyncio.Event()

    async def spin() -> None:
        while not told.is_set():  # noqa: ASYNC110 - what never rests is what is looked at
            await asyncio.sleep(0)

    spinning = asyncio.create_task(spin())
    standing.tell(report=True)
    report = await standing.participant._outbox.get()
    assert list(report.busy) == ["an event loop that never rests: something in it runs again and again"]
    told.set()
    await spinning
    assert list((await standing.participant._outbox.get()).busy) == []


async def test_its_timers_are_told_in_the_bridge_s_time(standing):
    standing.participant._offset = 5 * SECOND  # of the first that it was told
    standing.participant.call_in(3, "b", lambda: None, awaited=False)
    standing.participant.call_in(4, "a", lambda: None)
    standing.now = 5 * SECOND
    standing.tell(report=True)
    await quiet()
    (report,) = reports(standing)
    assert (report.next_us, report.next_of, report.awaited_us) == (8 * SECOND, "b", 9 * SECOND)


# Time.


async def test_only_one_timer_fires_at_a_time(standing):
    fired: list[str] = []
    for owner in ("b", "a"):
        standing.participant.call_in(1, owner, lambda owner=owner: fired.append(owner))
    standing.now = SECOND
    standing.tell()
    assert fired == []
    standing.tell(fire=True)
    assert fired == ["a"]
    standing.tell(fire=True)
    assert fired == ["a", "b"]
    standing.tell(fire=True)
    assert len(fired) == 2


async def test_time_does_not_go_back(standing):
    standing.now = 5 * SECOND
    standing.tell()
    standing.now = 3 * SECOND
    standing.tell()
    assert standing.participant.now() == 5


async def test_a_timer_far_beyond_reason_is_far_away(standing):
    timer = standing.participant.call_in(float("inf"), "a", lambda: None)
    assert timer.when == participant_module.MOST_S * SECOND


# The bridge.


async def test_without_the_bridge_time_is_real(standing, caplog):
    caplog.set_level("DEBUG", "loom.clock")
    fired, cancelled = asyncio.Event(), []
    standing.participant.call_in(0.02, "a", fired.set)
    standing.participant.call_in(0.01, "a", lambda: cancelled.append(1)).cancel()
    kept = standing.participant.call_in(0.01, "a", lambda: cancelled.append(2))
    before = standing.clock.now()
    standing.participant._lose("it was killed")
    kept.cancel()
    standing.participant._lose("again")
    assert caplog.text.count("time is real from here") == 1
    assert not standing.clock.is_virtual
    assert standing.clock.has_heartbeats
    async with asyncio.timeout(5):
        await fired.wait()
        await standing.clock.sleep(0.01)
    assert standing.clock.now() >= before + 0.03 - 0.001
    assert cancelled == []


async def test_joining_a_bridge_that_is_not_there():
    participant = Participant(Endpoint("127.0.0.1:1"))
    with pytest.raises(BridgeUnavailable):
        await participant.join()
    assert not participant.has_joined


async def test_it_joins_once_and_leaves_with_its_last_agent(loom_bridge):
    participant = Participant(loom_bridge.endpoint)
    members = Member(), Member()
    for member in members:
        participant.enter(member)
    await asyncio.gather(participant.join(), participant.join())
    assert participant.has_joined
    await loom_bridge.advance(1.5)
    assert participant.now() == 1.5
    await participant.leave(members[0])
    assert participant.has_joined
    await participant.leave(members[1])
    assert not participant.has_joined
    participant.enter(members[0])
    await loom_bridge.advance(1)
    await participant.join()
    assert participant.now() == 2.5
    await participant.leave(members[0])


async def test_a_bridge_that_refuses_says_why(loom_bridge):
    elsewhere = Endpoint(loom_bridge.address, "there-is-no-such-namespace")
    with pytest.raises(LoomError, match="there is no namespace"):
        await Participant(elsewhere).join()


async def test_when_its_namespace_ends_it_is_lost(loom_bridge):
    participant = Participant(loom_bridge.endpoint)
    member = Member()
    participant.enter(member)
    await participant.join()
    loom_bridge.host.control.reset(loom_bridge.namespace)
    async with asyncio.timeout(10):
        await asyncio.wait(participant._tasks, return_when=asyncio.FIRST_COMPLETED)
    assert participant.is_lost
    await participant.leave(member)
