"""Participants: what they are told, what they report, and when all is settled."""

from __future__ import annotations

import asyncio

import pytest

from loom_testing import participants as participants_module
from loom_testing.clock import VirtualClock
from loom_testing.participants import OpenCall, Participants, Report, Tag, Told

NOW = 1_000


class Stream:
    """A stream's counts."""

    def __init__(self, agent: str = "a", sent: int = 0, received: int = 0) -> None:
        self.agent, self.sent, self.received, self.reading = agent, sent, received, True


@pytest.fixture
def all_of_them():
    return Participants()


@pytest.mark.parametrize("text", ["a/1", "A-z_0:9.x/999999999999999999", "x" * 64 + "/7"])
def test_a_tag_names_a_participant_and_a_call(text):
    name, _, number = text.partition("/")
    assert Tag.read(text) == Tag(name, int(number))


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a/", "/1", "a/0", "a/01", "a/-1", "a/1 ", "a b/1", "ä/1", "a/1٣", "a/1/2"),
        *("x" * 65 + "/1", "a/" + "9" * 19),
    ],
)
def test_a_malformed_tag_is_refused(text):
    with pytest.raises(ValueError, match="ID/NUMBER"):
        Tag.read(text)


# What they are told.


async def test_who_joins_is_told_the_time(all_of_them):
    participant = all_of_them.join("p", NOW)
    assert len(all_of_them) == 1
    assert await participant.next() == Told(1, NOW, fire=False, report=False)


async def test_reports_are_asked_for_while_somebody_watches(all_of_them):
    clock = VirtualClock()
    participant = all_of_them.join("p", NOW)
    with all_of_them.watched(clock):
        assert (await participant.next()).report
        with all_of_them.watched(clock):
            assert all_of_them.join("q", NOW)._told == Told(1, NOW, fire=False, report=True)
        assert participant._told is None
    assert not (await participant.next()).report


async def test_what_is_not_fetched_yet_is_made_part_of_what_follows(all_of_them):
    participant = all_of_them.join("p", NOW)
    participant.tell(NOW + 1, fire=True, report=True)
    participant.tell(NOW + 2, report=True)
    assert await participant.next() == Told(3, NOW + 2, fire=True, report=True)


async def test_who_joins_under_the_same_id_puts_the_other_out(all_of_them):
    first = all_of_them.join("p", NOW)
    second = all_of_them.join("p", NOW)
    assert await first.next() is None
    assert first.end == ("ABORTED", "another participant joined under this id")
    all_of_them.leave(first)  # who is out already takes nobody with it
    assert len(all_of_them) == 1
    all_of_them.leave(second)
    assert len(all_of_them) == 0


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a/b"])
async def test_a_malformed_id_is_refused(all_of_them, name):
    with pytest.raises(ValueError, match="malformed"):
        all_of_them.join(name, NOW)


async def test_there_are_only_so_many(all_of_them, monkeypatch):
    monkeypatch.setattr(participants_module, "MOST_PARTICIPANTS", 2)
    all_of_them.join("a", NOW)
    all_of_them.join("b", NOW)
    with pytest.raises(ValueError, match="as many as may"):
        all_of_them.join("c", NOW)
    all_of_them.join("b", NOW)


async def test_with_the_namespace_all_end(all_of_them):
    participant = all_of_them.join("p", NOW)
    all_of_them.close("the namespace was reset")
    assert await participant.next() is None
    assert participant.end == ("UNAVAILABLE", "the namespace was reset")


# What they report.


@pytest.mark.parametrize("turn", [0, 2])
async def test_a_report_about_what_was_not_told_is_refused(all_of_them, turn):
    participant = all_of_them.join("p", NOW)
    with pytest.raises(ValueError, match=f"about turn {turn}; the last was 1"):
        all_of_them.reported(participant, Report(turn))


async def test_without_participants_all_is_settled(all_of_them):
    assert all_of_them.problem() == ""
    all_of_them.began(Tag("elsewhere", 1))
    assert all_of_them.problem() == ""


async def test_who_has_not_answered_is_named_by_its_agents(all_of_them):
    participant = all_of_them.join("p", NOW)
    assert all_of_them.problem().startswith("participant p does not answer")
    all_of_them.began(Tag("p", 1), Stream("writer"))
    all_of_them.began(Tag("p", 2), Stream("researcher"))
    assert all_of_them.problem().startswith("researcher, writer does not answer")
    calls = {1: OpenCall(), 2: OpenCall()}
    all_of_them.reported(participant, Report(1, calls=calls))
    assert all_of_them.problem() == ""
    participant.tell(NOW, report=True)
    assert "does not answer" in all_of_them.problem()


async def test_who_is_busy_says_with_what(all_of_them):
    participant = all_of_them.join("p", NOW)
    all_of_them.reported(participant, Report(1, busy=("a is handling t", "b is handling u")))
    assert all_of_them.problem() == "a is handling t; b is handling u"


async def test_calls_that_only_one_side_knows_are_under_way(all_of_them):
    participant = all_of_them.join("p", NOW)
    all_of_them.reported(participant, Report(1, calls={1: OpenCall()}))
    assert all_of_them.problem() == "messages of participant p are still under way"
    all_of_them.began(Tag("p", 1))
    assert all_of_them.problem() == ""
    all_of_them.began(Tag("p", 2))
    assert all_of_them.problem()
    all_of_them.ended(Tag("p", 2))
    assert all_of_them.problem() == ""
    all_of_them.ended(Tag("p", 1))
    assert all_of_them.problem()


async def test_messages_that_only_one_side_has_counted_are_under_way(all_of_them):
    participant = all_of_them.join("p", NOW)
    stream = Stream("a", sent=2, received=3)
    all_of_them.began(Tag("p", 1), stream)

    def problem(**call) -> str:
        all_of_them.reported(participant, Report(1, calls={1: OpenCall(**call)}))
        return all_of_them.problem()

    assert problem(sent=3, received=2) == ""
    assert problem(sent=4, received=2)
    assert problem(sent=3, received=1)
    # What a side does not read may wait on the way.
    assert problem(sent=3, received=1, paused=True) == ""
    stream.reading = False
    assert problem(sent=4, received=2) == ""


async def test_whoever_waits_for_a_change_is_told(all_of_them):
    participant = all_of_them.join("p", NOW)
    for change in (
        lambda: all_of_them.reported(participant, Report(1)),
        lambda: all_of_them.ended(Tag("p", 1)),
        lambda: all_of_them.leave(participant),
        all_of_them.stir,
    ):
        waits = [asyncio.create_task(all_of_them.change()) for _ in range(2)]
        await asyncio.sleep(0)
        change()
        await asyncio.wait_for(asyncio.gather(*waits), 5)


async def test_bystanders_are_the_agents_of_those_who_take_no_part(all_of_them):
    all_of_them.join("p", NOW)
    streams = [
        (Stream("mine"), Tag("p", 1)),
        (Stream("stranger"), None),
        (Stream("absent"), Tag("q", 1)),
        (Stream(""), None),
    ]
    assert all_of_them.bystanders(streams) == ["a client before its handshake", "absent", "stranger"]


# Their timers.


async def test_the_timer_that_comes_first_fires_equal_ones_by_their_owner(all_of_them):
    told = {}
    for name, report in {
        "p": Report(1, next=20, next_of="zoe", awaited=30),
        "q": Report(1, next=20, next_of="bob"),
        "r": Report(1, next=40, next_of="ann", awaited=40),
        "s": Report(1),
    }.items():
        participant = told[name] = all_of_them.join(name, 10)
        await participant.next()
        all_of_them.reported(participant, report)
    assert all_of_them.next_deadline() == 20
    assert all_of_them.awaited() == 30
    assert not all_of_them.fire_next(19)
    assert all_of_them.fire_next(20)
    assert await told["q"].next() == Told(2, 20, fire=True, report=False)
    assert all(participant._told is None for participant in told.values())


async def test_without_timers_nothing_fires(all_of_them):
    participant = all_of_them.join("p", 10)
    assert all_of_them.next_deadline() is None
    all_of_them.reported(participant, Report(1))
    assert all_of_them.next_deadline() is None
    assert all_of_them.awaited() is None
    assert not all_of_them.fire_next(10**9)
