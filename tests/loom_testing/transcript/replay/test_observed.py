"""What an agent under test is seen to do."""

from __future__ import annotations

import asyncio

from loom_testing.transcript import Entry, Kind, Way
from loom_testing.transcript.replay.observed import Observed, acts, told
from tests.loom_testing.transcript.story import order


def test_only_the_agents_own_is_kept_and_each_given_out_once():
    observed = Observed("prices")
    for item in order().recorder._head:
        observed.see(item)
    assert {entry.who for entry in observed.open} == {"prices"}
    assert [entry.name for entry in observed.open if acts(entry)] == ["action_result"]
    assert [entry.name or entry.kind for entry in observed.open if told(entry)] == [
        Kind.HEADERS,
        "action_call",
    ]


async def test_who_waits_gets_the_first_that_fits():
    observed = Observed("prices")
    for item in order().recorder._head:
        observed.see(item)
    first = await observed.first(acts, 1)
    assert first is not None
    assert first.body["output"] == 12.5
    assert await observed.first(acts, 0) is None


async def test_a_fence_is_a_heartbeat_of_its_number():
    observed = Observed("a")
    assert not await observed.fence(-3, 0)
    waiting = asyncio.create_task(observed.fence(-3, 10))
    await asyncio.sleep(0)
    observed.heard(-4)
    observed.heard(-3)
    assert await waiting


def test_what_an_sdk_does_by_itself_is_nothing_of_the_agents():
    for name in ("ack", "ping", "goodbye"):
        assert not acts(Entry("a", Way.SENT, Kind.MESSAGE, name, "EventStream"))
    assert not told(Entry("a", Way.RECEIVED, Kind.MESSAGE, "response", "RegisterAgent"))
    assert not told(Entry("a", Way.RECEIVED, Kind.MESSAGE, "receipt", "EventStream"))
    assert acts(Entry("a", Way.SENT, Kind.MESSAGE, "request", "ForwardAction"))
