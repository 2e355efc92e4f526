"""Who plays whom in a replay, and what cannot be replayed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loom import Agent
from loom_testing.transcript import Entry, Kind, Transcript, TranscriptError, Way
from loom_testing.transcript.replay.script import Script
from tests.loom_testing.transcript.story import order


def steps(*names: str) -> Transcript:
    """An agent's entries: `r` it registers, `a` handshake, `p` ping, `g` goodbye, `.` its stream's end."""
    made = {
        "r": Entry("a", Way.SENT, Kind.MESSAGE, "request", "RegisterAgent", 1, {}),
        "R": Entry("a", Way.RECEIVED, Kind.MESSAGE, "response", "RegisterAgent", 1, {"success": True}),
        "a": Entry("a", Way.SENT, Kind.MESSAGE, "ack", "EventStream", 1, {}),
        "w": Entry("a", Way.RECEIVED, Kind.MESSAGE, "welcome", "EventStream", 1, {}),
        "e": Entry("a", Way.SENT, Kind.MESSAGE, "publish", "EventStream", 1, {}),
        "p": Entry("a", Way.SENT, Kind.MESSAGE, "ping", "EventStream", 1, {}),
        "P": Entry("a", Way.RECEIVED, Kind.MESSAGE, "pong", "EventStream", 1, {}),
        "g": Entry("a", Way.SENT, Kind.MESSAGE, "goodbye", "EventStream", 1, {}),
        ".": Entry("a", Way.RECEIVED, Kind.STATUS, "OK", "EventStream", 1),
        "x": Entry("a", Way.RECEIVED, Kind.RESET, "", "EventStream", 1),
    }
    return Transcript(tuple(made[name] for name in "".join(names)))


@pytest.mark.parametrize(
    ("told", "starts", "stops"),
    [
        ("rRaw", {0}, set()),
        ("rRaweg.", {0}, {5}),
        ("rRawerRpPg.", {0}, {5}),
        ("rRawg.rRaweg.", {0, 6}, {4, 11}),
        ("rRawexrRawe", {0}, set()),
    ],
)
def test_when_the_agent_comes_and_goes(told: str, starts: set[int], stops: set[int]):
    script = Script.of(steps(told), Agent("a"))
    assert (set(script.starts), set(script.stops)) == (starts, stops)


def test_an_agent_is_found_by_its_id_a_replica_by_its_name_and_anybody_by_a_role():
    transcript = order().transcript()
    assert Script.of(transcript, Agent("prices")).role == "prices"
    assert Script.of(transcript, Agent("shop", replicas=True)).role == "shop:${agent:1}"
    assert Script.of(transcript, Agent("other"), "prices").role == "prices"
    assert Script.of(transcript, Agent("other"), "shop:1").role == "shop:${agent:1}"


def test_its_own_id_is_bound():
    agent = Agent("shop", replicas=True)
    script = Script.of(order().transcript(), agent)
    assert script.bindings().text("shop:${agent:1}") == agent.id
    assert script.name == "shop:1"


def test_nobody_is_this_agent():
    with pytest.raises(
        TranscriptError, match="no agent 'x' was recorded; recorded were probe, shop:1, prices: name"
    ):
        Script.of(order().transcript(), Agent("x"))


def test_what_is_not_whole_cannot_be_replayed():
    with pytest.raises(TranscriptError, match="7 entries are missing"):
        Script.of(replace(order().transcript(), left_out=7), Agent("prices"))


def test_faults_that_no_bridge_repeats():
    transcript = order().transcript()
    for fault, said in [
        (Entry("prices", Way.BESIDE, Kind.FAULT, "frozen"), "'frozen' cannot be repeated"),
        (
            Entry("prices", Way.RECEIVED, Kind.FAULT, "dropped", "EventStream", 1),
            "met a message of prices itself",
        ),
    ]:
        with pytest.raises(TranscriptError, match=said):
            Script.of(replace(transcript, entries=(*transcript.entries, fault)), Agent("prices"))


def test_a_cut_connection_can_be_repeated():
    transcript = order().transcript()
    cut = Entry("prices", Way.BESIDE, Kind.FAULT, "disconnected")
    script = Script.of(replace(transcript, entries=(*transcript.entries, cut)), Agent("prices"))
    assert callable(script.control("disconnected"))
