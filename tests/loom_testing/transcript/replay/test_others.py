"""The others in a replay: they send again, and take what comes."""

from __future__ import annotations

import pytest

from loom.channel import open_channel
from loom_testing import LoomBridge
from loom_testing.transcript import Entry, Kind, Way
from loom_testing.transcript.replay.bindings import Bindings
from loom_testing.transcript.replay.others import Missing, Others
from tests.loom_testing.transcript.story import STREAM, Story


def entry(
    way: Way, name: str, body: dict | None = None, rpc: str = STREAM, kind: Kind = Kind.MESSAGE
) -> Entry:
    return Entry("a", way, kind, name, rpc, 1, body)


async def play(others: Others, story: Story) -> None:
    for one in story.transcript(causal=False).entries:
        await (others.send(one) if one.way is Way.SENT else others.expect(one))


async def test_an_agent_joins_publishes_and_leaves(loom_bridge: LoomBridge):
    story = Story()
    story.join("a", "t", features=["session", "confirm"])
    event = story.event("a", b'{"n":1}')
    story.publish("a", "t", event, confirm=True, pub_seq=1)
    story.receipt("a", 1)
    story.deliver("a", "t", event)
    story.recorder.half_close("a", STREAM)
    story.recorder.status("a", STREAM, "OK")
    bindings = Bindings()
    async with open_channel(loom_bridge.endpoint) as channel, loom_bridge.probe() as probe:
        others = Others(channel, loom_bridge.namespace, bindings, 5)
        await play(others, story)
        assert (await probe.expect("t", n=1)).id == bindings.value("${event:1}")
        assert (await loom_bridge.snapshot()).agents.keys() == {"probe"}
        await others.close()
    assert bindings.value("${epoch:1}") > 0
    assert bindings.value("${registration:1}") > 0


@pytest.mark.loom(clock="real", limits={"heartbeat_interval_ms": 100})
async def test_who_shows_life_is_not_taken_for_dead(loom_bridge: LoomBridge):
    story = Story()
    for who in ("alive", "silent"):
        story.join(who, features=["session", "confirm"])
    entries = story.transcript(causal=False).entries
    async with open_channel(loom_bridge.endpoint) as channel:
        played = {
            "alive": Others(channel, loom_bridge.namespace, Bindings(), 5, alive=0.02),
            "silent": Others(channel, loom_bridge.namespace, Bindings(), 5),
        }
        for one in entries:
            others = played[one.who]
            await (others.send(one) if one.way is Way.SENT else others.expect(one))
        await played["silent"].expect(Entry("silent", Way.RECEIVED, Kind.STATUS, "UNAVAILABLE", STREAM, 1))
        agents = (await loom_bridge.snapshot()).agents
        assert {name: agent.state for name, agent in agents.items()}["alive"] == "STREAMING"
        assert "silent" not in agents or agents["silent"].state != "STREAMING"
        for others in played.values():
            await others.close()


async def test_what_does_not_come_is_missing(loom_bridge: LoomBridge):
    story = Story()
    story.join("a", "t")
    async with open_channel(loom_bridge.endpoint) as channel:
        others = Others(channel, loom_bridge.namespace, Bindings(), 0.1)
        for one in story.transcript(causal=False).entries[:4]:
            await (others.send(one) if one.way is Way.SENT else others.expect(one))
        with pytest.raises(Missing):
            await others.expect(entry(Way.RECEIVED, "delivery", {"topic": "t"}))
        await others.send(entry(Way.SENT, "", kind=Kind.HALF_CLOSE))
        with pytest.raises(Missing):
            await others.expect(entry(Way.RECEIVED, "delivery", {"topic": "t"}))
        await others.close()


async def test_a_call_and_giving_it_up(loom_bridge: LoomBridge):
    request = {"id": "${call:1}", "capability": "c", "payload": {"n": "${id:1}"}}
    async with open_channel(loom_bridge.endpoint) as channel, loom_bridge.probe(offers={"c": 5}) as probe:
        others = Others(channel, loom_bridge.namespace, Bindings(), 5)
        await others.send(entry(Way.SENT, "request", request, "ForwardAction"))
        await others.expect(
            entry(Way.RECEIVED, "response", {"id": "${call:1}", "output": 5}, "ForwardAction")
        )
        assert len(probe.calls) == 1
        await others.send(entry(Way.SENT, "", None, "ForwardAction", Kind.RESET))
        await others.heartbeat(-1)
        await others.close()


async def test_entries_that_need_nothing(loom_bridge: LoomBridge):
    async with open_channel(loom_bridge.endpoint) as channel:
        others = Others(channel, loom_bridge.namespace, Bindings(), 0.1)
        for kind in (Kind.HEADERS, Kind.HALF_CLOSE, Kind.RESET):
            await others.send(entry(Way.SENT, "", kind=kind))
        await others.expect(entry(Way.RECEIVED, "welcome"))
        await others.expect(entry(Way.RECEIVED, "response", {}, "ForwardAction"))
        await others.close()
