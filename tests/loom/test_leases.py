"""Who holds which channel, and when it is closed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import grpc
import pytest

from loom import Agent
from loom.endpoint import Endpoint
from loom.errors import BridgeUnavailable
from loom.leases import Lease
from loom.v1 import action_pb2
from tests.loom.base_level import BaseLevelBridge

ALONE = Endpoint("127.0.0.1:1")
TOGETHER = replace(ALONE, shares_connection=True)


def is_closed(lease: Lease) -> bool:
    return lease.channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def test_each_has_its_own_unless_the_endpoint_says_otherwise():
    first, second = Lease(ALONE), Lease(ALONE)
    assert first.channel is not second.channel
    await first.end()
    assert (is_closed(first), is_closed(second)) == (True, False)
    await second.end()


async def test_the_last_who_holds_a_shared_one_closes_it():
    first, second = Lease(TOGETHER), Lease(TOGETHER.with_namespace("other"))
    assert (first.channel, first.bridge) == (second.channel, second.bridge)
    await first.end()
    assert not is_closed(second)
    await second.end()
    assert is_closed(second)
    third = Lease(TOGETHER)
    assert third.channel is not second.channel
    await third.end()


async def test_one_in_doubt_stays_with_who_holds_it_and_goes_to_nobody_else():
    first, second = Lease(TOGETHER), Lease(TOGETHER)
    first.doubt()
    third = Lease(TOGETHER)
    assert second.channel is not third.channel
    await first.end()
    second.doubt()
    assert not is_closed(second)
    await second.end()
    fourth = Lease(TOGETHER)
    assert fourth.channel is third.channel
    await third.end()
    await fourth.end()


async def test_one_more_hold_is_had_only_where_somebody_shares():
    assert Lease.of_another(TOGETHER) is None
    assert Lease.of_another(ALONE) is None
    first = Lease(TOGETHER)
    second = Lease.of_another(TOGETHER)
    assert second is not None
    assert second.channel is first.channel
    assert Lease.of_another(ALONE) is None
    await first.end()
    assert not is_closed(second)
    await second.end()
    assert is_closed(first)


async def test_bridges_are_told_apart():
    first, second = Lease(TOGETHER), Lease(replace(TOGETHER, address="127.0.0.1:2"))
    assert first.channel is not second.channel
    await first.end()
    await second.end()


def test_every_event_loop_has_its_own_also_where_one_was_closed_with_it():
    async def take() -> Lease:
        return Lease(TOGETHER)

    first, second = asyncio.run(take()), asyncio.run(take())
    assert first.channel is not second.channel
    assert first.forget()
    assert second.forget()


async def test_a_call_under_way_is_given_up_with_its_agent_and_nobody_elses():
    async with BaseLevelBridge() as bridge:
        endpoint = Endpoint(bridge.address, shares_connection=True)
        slow = Agent("slow", endpoint=endpoint)
        begun, may_end = asyncio.Event(), asyncio.Event()

        @slow.capability("work")
        async def work() -> str:
            begun.set()
            await may_end.wait()
            return "done"

        async with slow, Agent("other", endpoint=endpoint) as other:
            stays = asyncio.create_task(other.context().tool("work"))
            await begun.wait()
            begun.clear()
            client = slow._worker._client
            goes = asyncio.create_task(client.invoke(action_pb2.ActionCall(id="2", capability="work")))
            await begun.wait()
            await client._let_go()
            with pytest.raises(BridgeUnavailable, match="was lost before the answer came"):
                await goes
            may_end.set()
            async with asyncio.timeout(10):
                assert await stays == "done"
