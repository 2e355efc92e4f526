import dataclasses

import pytest

from loom_conformance.backlog import Backlog, without_ballast
from tests.conformance.benches import a_bench


async def backlog_of(bench, **fields):
    subscriber = await bench.peer("s", narrow=True).join("s", "t")
    publisher = await bench.join("p")
    return subscriber, Backlog(bench, subscriber, publisher, "t", **fields)


async def test_events_stay_in_the_bridge_until_the_end():
    async with a_bench() as bench:
        subscriber, backlog = await backlog_of(bench)
        await backlog.begin()
        await backlog.publish(b"1", b"2", type="x")
        assert (await bench.control.agent("s")).queued_events == 2
        await backlog.end()
        deliveries = without_ballast(await subscriber.until_pong())
        assert [(item.event.payload, item.event.type) for item in deliveries] == [(b"1", "x"), (b"2", "x")]


@pytest.mark.parametrize("controlled", [True, False])
async def test_with_ballast_they_stay_although_nothing_is_held(controlled):
    async with a_bench() as bench:
        if not controlled:
            bench.declared = dataclasses.replace(
                bench.declared, features=bench.declared.features - {"control"}
            )
        subscriber, backlog = await backlog_of(bench, **({"ballast": 100} if controlled else {}))
        await backlog.begin()
        await backlog.publish(b"1")
        told = await bench.control.agent("s")
        assert not told.held
        assert told.queued_events > 0
        await backlog.end()
        seen = await subscriber.until_pong()
        assert len(seen) == 101
        assert [item.event.payload for item in without_ballast(seen)] == [b"1"]
