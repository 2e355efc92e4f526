"""Taking part in a virtual clock (CTL-3), spoken by hand: what one is told, and what it must say."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

from loom.testing.v1 import control_pb2 as c
from loom.v1 import agent_pb2, stream_pb2
from tests.bridge.conftest import below
from tests.loom_testing.peers import MALFORMED, PATIENCE, Peer, refused

Status = grpc.StatusCode
SECOND = 1_000_000


class Player:
    """A participant, played by the test."""

    def __init__(self, peer: Peer, name: str = "player", namespace: str = "ns") -> None:
        self.peer, self.name = peer, name
        self.namespace = below(peer.namespace, namespace)
        self.call: Any = peer.control.Participate()
        self.start = self.turn = 0

    async def say(self, **message: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.call.write(c.ParticipateRequest(**message))

    async def join(self) -> c.ParticipateResponse:
        await self.say(join=c.Join(namespace=self.namespace, participant=self.name))
        told = await self.told()
        self.start = told.now_us
        return told

    async def told(self) -> c.ParticipateResponse:
        async with asyncio.timeout(PATIENCE):
            told = await self.call.read()
        assert told is not grpc.aio.EOF, await self.call.code()
        self.turn = told.turn
        return told

    async def report(self, *busy: str, next_in: int = 0, **more: Any) -> None:
        """Reports; `next_in` counts from its joining, and is awaited unless `awaited_us` says otherwise."""
        moment = self.start + next_in if next_in else 0
        more = {"awaited_us": moment, "next_of": self.name, **more}
        await self.say(report=c.Report(turn=self.turn, busy=busy, next_us=moment, **more))

    async def play(self, *timers: int) -> list[int]:
        """Plays an idle participant with these timers until reports are no longer asked for."""
        fired, left = [], sorted(timers)
        while True:
            told = await self.told()
            if told.fire:
                assert left[0] <= told.now_us - self.start
                fired.append(left.pop(0))
            if not told.report:
                return fired
            await self.report(next_in=left[0] if left else 0)

    async def ended(self) -> tuple[grpc.StatusCode, str]:
        """How the bridge ended the stream."""
        async with asyncio.timeout(PATIENCE):
            try:
                while await self.call.read() is not grpc.aio.EOF:
                    pass
            except grpc.aio.AioRpcError:
                pass
            return await self.call.code(), await self.call.details()

    def tagged(self, number: int) -> tuple[tuple[str, str], ...]:
        """The metadata of one of its calls."""
        return (("loom-namespace", self.namespace), ("loom-participant", f"{self.name}/{number}"))


async def create(peer: Peer, namespace: str = "ns", *, virtual: bool = True, **fields: Any) -> int:
    request = c.CreateNamespaceRequest(
        namespace=below(peer.namespace, namespace), virtual_clock=virtual, **fields
    )
    return (await peer.control.CreateNamespace(request)).now_us


def advance(peer: Peer, by_us: int, *, patience_ms: int = 0) -> Any:
    return peer.control.Advance(
        c.AdvanceRequest(namespace=below(peer.namespace, "ns"), by_us=by_us, patience_ms=patience_ms),
        timeout=60,
    )


def jump(peer: Peer) -> Any:
    return peer.control.Jump(c.JumpRequest(namespace=below(peer.namespace, "ns")), timeout=60)


@pytest.fixture
async def player(peer):
    await create(peer)
    player = Player(peer)
    await player.join()
    yield player
    player.call.cancel()


# Joining.


@pytest.mark.parametrize("liveness", [False, True])
async def test_who_joins_is_told_the_time(peer, liveness):
    now = await create(peer, liveness=liveness)
    player = Player(peer)
    assert await player.join() == c.ParticipateResponse(turn=1, now_us=now, liveness=liveness)
    player.call.cancel()


async def test_a_registration_says_whether_there_is_a_clock_to_join(peer, connect):
    await create(peer)
    await create(peer, "one", virtual=False)
    assert (await connect("ns").register("a")).virtual_clock
    assert not (await connect("one").register("a")).virtual_clock
    assert not (await connect("ns").register("a b")).virtual_clock  # refused


@pytest.mark.parametrize(
    ("message", "status", "words"),
    [
        ({"report": c.Report(turn=1)}, Status.INVALID_ARGUMENT, "no Join"),
        ({}, Status.INVALID_ARGUMENT, "no Join"),
        ({"join": c.Join(namespace="there-is-none", participant="p")}, Status.NOT_FOUND, "no namespace"),
        ({"join": c.Join(participant="a b")}, Status.INVALID_ARGUMENT, "malformed"),
        ({"join": c.Join(participant="")}, Status.INVALID_ARGUMENT, "malformed"),
        ({"join": c.Join(participant="x" * 65)}, Status.INVALID_ARGUMENT, "malformed"),
    ],
)
async def test_who_joins_wrongly_is_refused(peer, message, status, words):
    await create(peer)
    player = Player(peer)
    if "join" in message and not message["join"].namespace:
        message["join"].namespace = player.namespace
    await player.say(**message)
    code, details = await player.ended()
    assert (code, words in details) == (status, True), details


async def test_a_real_clock_is_not_joined(peer):
    await create(peer, virtual=False)
    player = Player(peer)
    await player.say(join=c.Join(namespace=player.namespace, participant="p"))
    assert (await player.ended())[0] is Status.FAILED_PRECONDITION


async def test_the_newest_of_an_id_wins(peer, player):
    again = Player(peer)
    await again.join()
    code, details = await player.ended()
    assert (code, "joined under this id" in details) == (Status.ABORTED, True)
    assert (await asyncio.gather(advance(peer, SECOND), again.play()))[0].fired == 0
    again.call.cancel()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"join": c.Join(participant="player")}, "no Report"),
        ({}, "no Report"),
        ({"report": c.Report()}, "about turn 0; the last was 1"),
        ({"report": c.Report(turn=2)}, "about turn 2; the last was 1"),
        ({"report": c.Report(turn=1, calls=[c.OpenCall(number=1)] * 2)}, "twice"),
    ],
)
async def test_who_says_what_it_should_not_is_put_out(peer, player, message, words):
    await player.say(**message)
    code, details = await player.ended()
    assert (code, words in details) == (Status.INVALID_ARGUMENT, True), details
    assert (await advance(peer, SECOND)).fired == 0  # and holds nobody up


async def test_bytes_that_are_no_message_put_it_out(peer):
    call = peer.channel.stream_stream("/loom.testing.v1.Control/Participate")()
    await call.write(b"\xff")
    async with refused(*MALFORMED):
        await call.read()


async def test_with_the_namespace_it_ends(peer, player):
    await peer.control.Reset(c.ResetRequest(namespace=player.namespace))
    assert await player.ended() == (Status.UNAVAILABLE, "the namespace was reset")


@pytest.mark.parametrize("tag", ["", "player", "player/0", "player/x", "a b/1", "player/01"])
async def test_a_malformed_tag_is_refused(peer, player, tag):
    metadata = (("loom-namespace", player.namespace), ("loom-participant", tag))
    async with refused(Status.INVALID_ARGUMENT) as details:
        await peer.bridge.Heartbeat(stream_pb2.HeartbeatRequest(), metadata=metadata)
    assert "ID/NUMBER" in details[0]


async def test_on_a_real_clock_a_tag_means_nothing(peer):
    metadata = (("loom-namespace", peer.namespace + ".real"), ("loom-participant", "what ever"))
    await peer.bridge.Heartbeat(stream_pb2.HeartbeatRequest(timestamp_ms=1), metadata=metadata)


# Advancing.


async def test_each_timer_fires_at_its_time_one_after_the_other(peer, player):
    advancing = advance(peer, 10 * SECOND)
    assert await player.play(3 * SECOND, 3 * SECOND, 7 * SECOND, 11 * SECOND) == [
        3 * SECOND,
        3 * SECOND,
        7 * SECOND,
    ]
    answer = await advancing
    assert (answer.now_us - player.start, answer.fired) == (10 * SECOND, 3)


async def test_the_bridge_s_own_deadline_comes_first_at_the_same_time(peer, player, connect):
    """A registration lapses after 30 s; the participant sees it gone when its timer of 30 s fires."""
    await connect("ns").register("a")
    advancing = advance(peer, 30 * SECOND)
    await player.told()
    await player.report(next_in=30 * SECOND)
    while not (told := await player.told()).fire:
        await player.report(next_in=30 * SECOND)
    held = await peer.control.Snapshot(c.SnapshotRequest(namespace=player.namespace))
    assert (list(held.agents), told.now_us - player.start) == ([], 30 * SECOND)
    await player.report()
    await player.play()
    assert (await advancing).fired == 2


async def test_all_know_the_time_before_a_timer_fires(peer, player):
    other = Player(peer, "other")
    await other.join()
    seen: list[tuple[str, int, bool]] = []

    async def play(who: Player, next_in: int) -> None:
        while (told := await who.told()).report:
            seen.append((who.name, (told.now_us - who.start) // SECOND, told.fire))
            next_in = 0 if told.fire else next_in
            await who.report(next_in=next_in)

    await asyncio.gather(advance(peer, 9 * SECOND), play(player, 5 * SECOND), play(other, 5 * SECOND))
    fired = [(name, now) for name, now, fire in seen if fire]
    assert fired == [("other", 5), ("player", 5)]  # by the owner's name
    first = seen.index(("other", 5, True))
    assert {("player", 5, False), ("other", 5, False)} <= set(seen[:first])
    other.call.cancel()


async def test_the_clock_waits_for_who_is_busy(peer, player):
    advancing = advance(peer, 10 * SECOND)
    await player.told()
    await player.report(next_in=5 * SECOND)
    assert (await player.told()).fire
    await player.report("player is handling t", next_in=6 * SECOND)
    held = await peer.control.Snapshot(c.SnapshotRequest(namespace=player.namespace))
    assert held.now_us - player.start == 5 * SECOND
    await player.report(next_in=6 * SECOND)
    assert (await player.told()).fire
    await player.report()
    await player.play()
    assert (await advancing).fired == 2


async def test_who_never_comes_to_rest_is_named(peer, player):
    advancing = advance(peer, 10 * SECOND, patience_ms=200)
    await player.told()
    await player.report("researcher is handling paper.submitted", "a\nb")
    async with refused(Status.DEADLINE_EXCEEDED) as details:
        await advancing
    assert details == [
        'the clock waits for what is not idle: researcher is handling paper.submitted; "a\\u{a}b"'
    ]
    assert not (await player.told()).report
    advancing = advance(peer, SECOND)
    await player.play()
    assert (await advancing).now_us - player.start == SECOND


async def test_who_does_not_answer_is_named_by_its_agents(peer, player):
    stream = peer.bridge.EventStream(metadata=player.tagged(1))
    response = await peer.bridge.RegisterAgent(
        agent_pb2.AgentRegisterRequest(agent_id="frozen"), metadata=player.tagged(2)
    )
    assert response.success
    await stream.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="frozen")))
    await stream.initial_metadata()
    async with refused(Status.DEADLINE_EXCEEDED) as details:
        await advance(peer, 10 * SECOND, patience_ms=200)
    assert "frozen does not answer: its event loop is blocked, or its process frozen" in details[0]
    stream.cancel()


async def test_who_dies_does_not_hold_the_clock(peer, player):
    advancing = advance(peer, 10 * SECOND)
    await player.told()
    await player.report("busy for ever")
    player.call.cancel()
    assert (await advancing).now_us - player.start == 10 * SECOND


async def test_a_message_that_is_under_way_is_waited_for(peer, player):
    """The bridge has sent a welcome; until the participant says that it has come, time stands still."""
    await peer.bridge.RegisterAgent(
        agent_pb2.AgentRegisterRequest(agent_id="a", features=["session"]), metadata=player.tagged(1)
    )
    stream = peer.bridge.EventStream(metadata=player.tagged(2))
    await stream.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id="a")))
    assert (await stream.read()).HasField("welcome")
    advancing = advance(peer, SECOND, patience_ms=200)
    for calls in ([], [c.OpenCall(number=2, sent=1)], [c.OpenCall(number=2, sent=2, received=1)]):
        await player.told()
        await player.report(calls=calls)
        async with refused(Status.DEADLINE_EXCEEDED) as details:
            await advancing
        assert "messages of a are still under way" in details[0]
        assert not (await player.told()).report
        advancing = advance(peer, SECOND, patience_ms=200)
    right = [c.OpenCall(number=2, sent=1, received=1)]
    await player.told()
    await player.report(calls=right)
    assert (await player.told()).now_us - player.start == SECOND
    await player.report(calls=right)
    assert (await advancing).now_us - player.start == SECOND
    stream.cancel()


async def test_an_advance_waits_a_time_within_reason(peer, player):
    async with refused(Status.INVALID_ARGUMENT) as details:
        await advance(peer, 1, patience_ms=600_001)
    assert details == ["patience_ms is 600001; at most 600000"]


# Jumping.


async def test_a_jump_goes_where_the_next_timer_is_awaited(peer, player):
    jumping = jump(peer)
    await player.told()
    await player.report(next_in=1800 * SECOND)
    told = await player.told()
    assert (told.fire, told.now_us - player.start) == (True, 1800 * SECOND)
    await player.report()
    assert (await jumping).now_us - player.start == 1800 * SECOND
    assert not (await player.told()).report


async def test_what_nobody_awaits_is_no_reason_to_jump(peer, player):
    jumping = jump(peer)
    await player.told()
    await player.report(next_in=3 * SECOND, awaited_us=0)
    advancing = advance(peer, SECOND)
    assert (await player.told()).now_us - player.start == SECOND
    await player.report(next_in=3 * SECOND, awaited_us=0)
    assert (await advancing).fired == 0
    await player.report(next_in=3 * SECOND, awaited_us=player.start + 5 * SECOND)
    told = await player.told()
    assert (told.fire, told.now_us - player.start) == (True, 3 * SECOND)
    await player.report()
    await jumping


async def test_a_jump_refuses_where_an_agent_takes_no_part(peer, player, connect):
    stranger = await connect("ns").join("stranger", "t")
    jumping = jump(peer)
    await player.told()
    await player.report(next_in=SECOND)
    async with refused(Status.FAILED_PRECONDITION) as details:
        await jumping
    assert details[0] == (
        "nobody knows whether stranger is idle: it takes no part in the clock of this namespace; "
        "use Advance, or connect it with an SDK that takes part (CTL-3)"
    )
    stranger.call.cancel()


async def test_a_jump_that_is_cancelled_asks_for_no_more_reports(peer, player):
    jumping = jump(peer)
    assert (await player.told()).report
    jumping.cancel()
    assert not (await player.told()).report


async def test_a_real_clock_does_not_jump(peer):
    await create(peer, virtual=False)
    async with refused(Status.FAILED_PRECONDITION, Status.NOT_FOUND):
        await jump(peer)
