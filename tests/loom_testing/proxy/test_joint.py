"""A test's clock as it is known behind the proxy."""

from __future__ import annotations

import asyncio

import pytest

from loom.endpoint import Endpoint
from loom.testing.v1 import control_pb2 as c
from loom_testing.driver import Refused
from loom_testing.proxy.dialling import Dial
from loom_testing.proxy.joint import JointClock
from tests.loom_testing.peers import PATIENCE, until
from tests.loom_testing.proxy.memory import virtual_namespace

S = 1_000_000


class Heard:
    """What a clock tells."""

    def __init__(self) -> None:
        self.passed: list[float] = []
        self.over: list[JointClock] = []


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
async def joint(bridge, peer, heard):
    await virtual_namespace(peer)
    joint = JointClock("ns", Dial(Endpoint(bridge.address)), heard.passed.append, heard.over.append)
    joint.start()
    await joint.joined()
    yield joint
    await joint.close()


async def advance(peer, micros: int) -> None:
    request = c.AdvanceRequest(namespace="ns", by_us=micros, patience_ms=5_000)
    await peer.control.Advance(request, timeout=PATIENCE)


async def test_it_knows_the_time_and_tells_how_it_passes(joint, peer, heard):
    before = joint.now()
    assert before > 0
    await advance(peer, 5 * S)
    assert joint.now() == before + 5 * S
    assert sum(heard.passed) == 5


async def test_its_timers_fire_each_at_its_time(joint, peer):
    begin, fired = joint.now(), []
    for number, seconds in enumerate((3, 1, 2)):
        joint.call_at(begin + seconds * S, "me", lambda n=number: fired.append((n, joint.now() - begin)))
    joint.call_at(begin + S, "me", lambda: fired.append((9, 0))).cancel()
    await advance(peer, 2 * S)
    assert fired == [(1, S), (2, 2 * S)]
    await advance(peer, 2 * S)
    assert fired[-1] == (0, 3 * S)


async def test_timers_of_the_same_time_fire_by_their_owners(joint, peer):
    when, fired = joint.now() + S, []
    for owner in "cab":
        joint.call_at(when, owner, lambda owner=owner: fired.append(owner))
    await advance(peer, S)
    assert fired == ["a", "b", "c"]


def reported(joint: JointClock) -> list[tuple[int, int, int]]:
    return [(call.number, call.sent, call.received) for call in joint._how_it_stands().calls]


async def test_what_only_waits_for_room_counts_as_sent(joint):
    number, traffic = joint.begin_call(lambda: 2)
    traffic.sent, traffic.received = 3, 1
    assert reported(joint) == [(number, 5, 1)]
    assert joint.tag(number).endswith(f"/{number}")
    joint.end_call(number)
    joint.end_call(number)  # once more is as good
    assert reported(joint) == []


async def test_who_is_behind_and_busy_is_reported(joint, peer):
    before = joint.now()
    me = joint.participants.join("me", before)
    report = joint._how_it_stands()
    assert "does not answer" in report.busy[0]
    joint.participants.leave(me)
    assert list(joint._how_it_stands().busy) == []


async def test_the_earliest_of_all_is_reported_and_whose_it_is(joint):
    joint.call_at(joint.now() + 2 * S, "b", lambda: None)
    assert joint._how_it_stands().next_of == "b"
    joint.call_at(joint.now() + 2 * S, "a", lambda: None)
    report = joint._how_it_stands()
    assert (report.next_of, report.next_us, report.awaited_us) == (
        "a",
        joint.now() + 2 * S,
        joint.now() + 2 * S,
    )


async def test_the_end_of_the_namespace_lets_go_of_all_that_waits(joint, peer, heard):
    fired = []
    joint.call_at(joint.now() + 10 * S, "me", lambda: fired.append("late"))
    me = joint.participants.join("me", joint.now())
    await peer.control.Reset(c.ResetRequest(namespace="ns"), timeout=PATIENCE)
    await until(lambda: bool(heard.over))
    assert heard.over == [joint]
    assert fired == ["late"]
    assert me.end is not None
    assert me.end[0] == "UNAVAILABLE"


async def test_a_namespace_that_is_not_there_is_refused_at_once(bridge, heard):
    joint = JointClock("nowhere", Dial(Endpoint(bridge.address)), heard.passed.append, heard.over.append)
    joint.start()
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            await joint.joined()
        assert caught.value.status == "NOT_FOUND"
    assert heard.over == [joint]
    await joint.close()


async def test_a_bridge_that_is_away_is_waited_for(bridge, peer, heard):
    await virtual_namespace(peer)
    dial = Dial(Endpoint("127.0.0.1:1"))
    joint = JointClock("ns", dial, heard.passed.append, heard.over.append)
    joint.start()
    joining = asyncio.create_task(joint.joined())
    dial.endpoint = Endpoint(bridge.address)
    await joining
    assert joint.now() > 0
    await joint.close()


@pytest.mark.parametrize("kept", [False, True])
async def test_a_bridge_that_goes_away_is_waited_for_by_who_needs_it(joint, bridge, heard, kept):
    joint.is_kept = kept
    await bridge.stop()
    if kept:
        assert heard.over == []
    else:
        await until(lambda: heard.over == [joint])


async def test_behind_the_proxy_time_goes_on_where_it_was(joint, peer):
    await advance(peer, 1_000 * S)
    before = joint.now()
    # Another bridge, whose clock begins elsewhere: here the same namespace, made anew.
    joint._now += 500 * S
    await joint.join_again()
    assert joint.now() == before + 500 * S
    await advance(peer, 3 * S)
    assert joint.now() == before + 503 * S


async def test_another_bridge_that_does_not_let_it_is_told(joint, peer):
    await joint._stop()
    await peer.control.Reset(c.ResetRequest(namespace="ns"), timeout=PATIENCE)
    with pytest.raises(ConnectionError, match="lets nobody take part in the clock of ns"):
        await joint.join_again()
