"""Steps about events: what each agent heard, what was refused, who waits."""

from __future__ import annotations

import pytest

from loom.v1 import event_pb2
from loom_conformance.expect import Violation, counted
from loom_conformance.hearing import (
    REALTIME,
    agent_in,
    heard,
    payloads,
    receipts,
    refusal,
    subscription,
    waiting,
)
from tests.conformance.benches import a_bench


@pytest.fixture
async def bench():
    async with a_bench(limits={"queue_events": 1}) as bench:
        yield bench


def test_a_subscription_with_options():
    wanted = subscription("t", "good", "fine", qos=REALTIME, group="g")
    assert list(wanted.event_types) == ["good", "fine"]
    assert (wanted.topic, wanted.group, wanted.HasField("qos")) == ("t", "g", True)
    assert not subscription("t").HasField("qos")


async def test_what_each_heard(bench):
    one, two = await bench.join("one", "t"), await bench.join("two", "*")
    publisher = await bench.join("publisher", "t")
    await publisher.publish("t", b"1")
    assert await heard(publisher, publisher, one, two) == [[b"1"], [b"1"], [b"1"]]
    assert await payloads(one) == []


async def test_a_publish_that_was_answered_is_not_just_heard(bench):
    publisher = await bench.join("publisher")
    before = counted()
    assert await heard(publisher) == []
    assert counted() == before + 1
    await publisher.publish("a..b")
    with pytest.raises(
        Violation, match=r"publisher received for its publishes: expected nothing, .*INVALID_TOPIC"
    ):
        await heard(publisher)


async def test_a_refusal_is_one_answer(bench):
    publisher = await bench.join("publisher")
    await publisher.send(publish=event_pb2.Publish(topic="t"))
    assert (await refusal(publisher)).err.code == "INVALID_EVENT"
    await publisher.publish("t")
    with pytest.raises(Violation, match=r"expected one err, got \[\]"):
        await refusal(publisher)


async def test_receipts_among_deliveries(bench):
    publisher = await bench.join("publisher", "t", features=["confirm"])
    await publisher.publish("t", confirm=True, pub_seq=1)
    await publisher.publish("u", confirm=True, pub_seq=2)
    assert await receipts(publisher) == [(1, 1, ""), (2, 0, "")]
    await publisher.publish("a..b", confirm=True, pub_seq=3)
    with pytest.raises(Violation, match=r"expected receipts only, got .*INVALID_TOPIC"):
        await receipts(publisher)


async def test_who_waits(bench):
    slow, publisher = await bench.join("slow", "t"), await bench.join("publisher")
    await bench.control.hold("slow")
    for _ in range(2):
        await publisher.publish("t")
    await waiting(bench, slow, 1)
    assert (await agent_in(bench, publisher)).paused
    with pytest.raises(Violation, match="that 2 events wait for slow"):
        await waiting(bench, slow, 2, within=0.05)


async def test_an_agent_that_is_gone(bench):
    agent = await bench.join("agent")
    await bench.control.disconnect("agent")
    with pytest.raises(Violation, match="the agent agent: expected it to be there"):
        await agent_in(bench, agent)
