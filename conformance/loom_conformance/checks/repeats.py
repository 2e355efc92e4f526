"""PUB-9: a confirmed publish that is sent again is accepted once, and for how long that is known."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from loom_conformance import Bench, check, expect
from loom_conformance.hearing import payloads, receipts
from loom_conformance.stream import PATIENCE

if TYPE_CHECKING:
    from loom_conformance.peer import Peer
    from loom_conformance.stream import Stream

FEATURES = ["confirm"]
PRODUCER, OTHER = 77, 2**64 - 1
"""What clients choose when they start."""


@check("PUB-9.12")
async def a_repeat_is_not_delivered_again(bench: Bench) -> None:
    """On one stream a publish is sent thrice under its number, once with other content: it arrives once."""
    world = await _World.begin(bench)
    publisher = await world.come()
    for payload, number in ((b"1", 1), (b"2", 2), (b"1", 1), (b"other", 1), (b"3", 3)):
        await world.confirm(publisher, number, payload)
    await publisher.until_pong()
    expect.equal(await payloads(world.subscriber), [b"1", b"2", b"3"], "what was heard of repeated publishes")


@check("PUB-9.13")
async def a_repeat_has_the_same_receipt(bench: Bench) -> None:
    """A publish reaches one agent; it is sent again to two, and to none: the receipt is the same."""
    world = await _World.begin(bench)
    publisher = await world.come()
    await world.confirm(publisher, 1)
    got = await receipts(publisher)
    await bench.join(bench.id("second"), world.topic)
    await world.confirm(publisher, 1)
    got += await receipts(publisher)
    await world.subscriber.half_close()
    await world.subscriber.end()
    await world.confirm(publisher, 1)
    got += await receipts(publisher)
    expect.equal(got, [(1, 1, "")] * 3, "the receipts of a publish and its repeats (ref, matched, code)")


@check("PUB-9.14")
async def a_repeat_after_leaving_is_known(bench: Bench) -> None:
    """An agent publishes, leaves, comes back under the same producer and sends it again: it arrives once."""
    world = await _World.begin(bench)
    publisher = await world.come()
    await world.confirm(publisher, 1)
    await receipts(publisher)
    await world.leave(publisher)
    publisher = await world.come()
    await world.confirm(publisher, 1)
    await world.confirm(publisher, 2)
    expect.equal(
        await receipts(publisher), [(1, 1, ""), (2, 1, "")], "the receipts of the repeat and the next one"
    )
    expect.equal(await payloads(world.subscriber), [b"1", b"2"], "what was heard of both")


@check("PUB-9.14")
async def a_repeat_on_a_newer_stream_is_known(bench: Bench) -> None:
    """An agent publishes, opens a newer stream under the same producer, sends it again: it arrives once."""
    world = await _World.begin(bench)
    older = await world.come()
    await world.confirm(older, 1)
    await receipts(older)
    newer = await world.peer.stream(world.agent_id, producer=PRODUCER)
    await older.end()
    await world.confirm(newer, 1)
    await world.confirm(newer, 2)
    expect.equal(
        await receipts(newer), [(1, 1, ""), (2, 1, "")], "the receipts of the repeat and the next one"
    )
    expect.equal(await payloads(world.subscriber), [b"1", b"2"], "what was heard of both")


@check("PUB-9.14")
async def what_the_receipt_was_lost_of_is_known(bench: Bench) -> None:
    """A stream breaks before its receipts are read; back again, the agent sends all anew: it arrives once."""
    world = await _World.begin(bench)
    publisher = await world.come()
    for number in (1, 2, 3):
        await world.confirm(publisher, number)
    first = [(await world.subscriber.delivery()).event.payload for _ in range(3)]
    await world.lose(publisher, await bench.join(bench.id("watcher"), features=FEATURES))
    publisher = await world.come()
    for number in (1, 2, 3, 4):
        await world.confirm(publisher, number)
    got = await receipts(publisher)
    expect.equal(got, [(number, 1, "") for number in (1, 2, 3, 4)], "the receipts after the reconnect")
    expect.equal(first + await payloads(world.subscriber), [b"1", b"2", b"3", b"4"], "what was heard in all")


@check("PUB-9.15")
async def a_refusal_is_an_outcome_too(bench: Bench) -> None:
    """The number of a refused publish is used for a good one: the receipt says refused, nothing arrives."""
    world = await _World.begin(bench)
    publisher = await world.come()
    await publisher.publish(bench.topic("a..b"), confirm=True, pub_seq=1)
    seen = [event.receipt for event in await publisher.until_pong() if event.WhichOneof("msg") == "receipt"]
    got = [(receipt.ref, receipt.matched, receipt.code) for receipt in seen]
    await world.confirm(publisher, 1, b"good")
    got += await receipts(publisher)
    expect.equal(got, [(1, 0, "INVALID_TOPIC")] * 2, "the receipts of both (ref, matched, code)")
    expect.nothing(await payloads(world.subscriber), "what was heard of a number that was refused")
    await world.confirm(publisher, 2, b"good")
    await publisher.until_pong()
    expect.equal(await payloads(world.subscriber), [b"good"], "what was heard of the next number")


@check("PUB-9.16")
async def each_producer_counts_for_itself(bench: Bench) -> None:
    """An agent comes back under another producer and begins again at 1: its publish is a new one."""
    world = await _World.begin(bench)
    for producer in (PRODUCER, OTHER, PRODUCER):
        publisher = await world.come(producer)
        await world.confirm(publisher, 1, b"of %d" % producer)
        await publisher.until_pong()
        await world.leave(publisher)
    expected = [b"of %d" % PRODUCER, b"of %d" % OTHER]
    expect.equal(await payloads(world.subscriber), expected, "what was heard under number 1 of two producers")


@check("PUB-9.17")
async def each_agent_counts_for_itself(bench: Bench) -> None:
    """Two agents happen to have the same producer number, and both publish under number 1: both arrive."""
    world = await _World.begin(bench)
    one = await world.come()
    other_id = bench.id("other")
    peer = bench.peer("other")
    await peer.register(other_id, features=FEATURES)
    other = await peer.stream(other_id, producer=PRODUCER)
    await world.confirm(one, 1, b"of one")
    await one.until_pong()
    await world.confirm(other, 1, b"of another")
    await other.until_pong()
    expect.equal(
        await payloads(world.subscriber), [b"of one", b"of another"], "what was heard of both agents"
    )


@check("PUB-9.18")
async def without_a_producer_nothing_is_known(bench: Bench) -> None:
    """A client without a producer uses a number twice on one stream, once on the next: all three arrive."""
    world = await _World.begin(bench)
    publisher = await world.come(0)
    await world.confirm(publisher, 1, b"first")
    await world.confirm(publisher, 1, b"second")
    got = await receipts(publisher)
    await world.leave(publisher)
    publisher = await world.come(0)
    await world.confirm(publisher, 1, b"third")
    got += await receipts(publisher)
    expect.equal(got, [(1, 1, "")] * 3, "the receipts (ref, matched, code)")
    expect.equal(await payloads(world.subscriber), [b"first", b"second", b"third"], "what was heard")


# How many, and for how long.


@check("PUB-9.19", limits={"producer_outcomes": 8})
async def the_last_outcomes_are_kept(bench: Bench) -> None:
    """As many publishes as the limit allows, after many others, are sent again: none arrives again."""
    world = await _World.begin(bench)
    publisher = await world.come()
    most = int(world.limits.producer_outcomes)
    for number in range(1, 20 + most):
        await world.confirm(publisher, number)
    await publisher.until_pong()
    await world.subscriber.until_pong()
    for number in range(20, 20 + most):
        await world.confirm(publisher, number)
    got = await receipts(publisher)
    expect.equal(got, [(number, 1, "") for number in range(20, 20 + most)], "the receipts of the repeats")
    expect.nothing(await payloads(world.subscriber), f"what was heard of {most} repeats")


@check("PUB-9.19")
async def as_many_outcomes_as_the_limit_says(bench: Bench) -> None:
    """The first and last of as many publishes as the bridge tells are sent again: neither arrives again."""
    world = await _World.begin(bench)
    publisher = await world.come()
    most = int(world.limits.producer_outcomes)
    await world.confirm(publisher, 1)
    for number in range(2, most):
        await publisher.publish(bench.topic("unheard"), confirm=True, pub_seq=number)
    await world.confirm(publisher, most)
    expect.equal(len(await receipts(publisher)), most, "how many receipts came")
    for number in (1, most):
        await world.confirm(publisher, number, b"again")
    expect.equal(await receipts(publisher), [(1, 1, ""), (most, 1, "")], "the receipts of the repeats")
    expect.equal(await payloads(world.subscriber), [b"1", b"%d" % most], "what was heard in all")


@check("PUB-9.20", limits={"producer_outcomes": 8})
async def older_outcomes_are_forgotten(bench: Bench) -> None:
    """After the limit's number of further publishes the first is sent again: it is a new publish."""
    world = await _World.begin(bench)
    publisher = await world.come()
    most = world.limits.producer_outcomes
    expect.equal(most, 8, "the limit that the bridge tells")
    for number in range(1, most + 2):
        await world.confirm(publisher, number)
    await world.confirm(publisher, 1, b"again")
    await publisher.until_pong()
    got = await payloads(world.subscriber)
    expect.equal(got[most + 1 :], [b"again"], "what was heard of a publish whose outcome is too old")


@check("PUB-9.21")
async def outcomes_do_not_age_on_a_live_stream(bench: Bench) -> None:
    """A publish is sent again on its stream long after: it does not arrive again."""
    world = await _World.begin(bench)
    publisher = await world.come()
    await world.confirm(publisher, 1)
    await receipts(publisher)
    await bench.pass_time(world.limits.producer_ms / 1000 + 1)
    await world.confirm(publisher, 1)
    expect.equal(await receipts(publisher), [(1, 1, "")], "the receipt of the repeat")
    expect.equal(await payloads(world.subscriber), [b"1"], "what was heard of a publish and its late repeat")


@check("PUB-9.22")
async def outcomes_outlive_the_agent(bench: Bench) -> None:
    """An agent publishes, leaves, comes back just in time and sends it again: it does not arrive again."""
    world = await _World.begin(bench)
    publisher = await world.come()
    await world.confirm(publisher, 1)
    await receipts(publisher)
    await world.leave(publisher)
    await bench.pass_time(world.limits.producer_ms / 1000 - 1)
    publisher = await world.come()
    await world.confirm(publisher, 1)
    expect.equal(await receipts(publisher), [(1, 1, "")], "the receipt of the repeat")
    expect.equal(
        await payloads(world.subscriber), [b"1"], "what was heard of a publish and its repeat in time"
    )


@check("PUB-9.22")
async def the_time_begins_when_the_agent_is_gone(bench: Bench) -> None:
    """An agent is away, there, and away again, each for more than half of the time: its outcome is known."""
    world = await _World.begin(bench)
    most = world.limits.producer_ms / 1000
    publisher = await world.come()
    await world.confirm(publisher, 1)
    await receipts(publisher)
    await world.leave(publisher)
    await bench.pass_time(most * 0.6)
    publisher = await world.come()
    await bench.pass_time(most * 0.6)
    await world.confirm(publisher, 1)
    await receipts(publisher)
    await world.leave(publisher)
    await bench.pass_time(most * 0.6)
    publisher = await world.come()
    await world.confirm(publisher, 1)
    expect.equal(await receipts(publisher), [(1, 1, "")], "the receipt of the last repeat")
    expect.equal(await payloads(world.subscriber), [b"1"], "what was heard of a publish and its repeats")


@check("PUB-9.23")
async def outcomes_are_forgotten_in_the_end(bench: Bench) -> None:
    """An agent publishes, leaves, comes back too late and sends it again: it is a new publish."""
    world = await _World.begin(bench)
    publisher = await world.come()
    await world.confirm(publisher, 1, b"early")
    await receipts(publisher)
    await world.leave(publisher)
    await bench.pass_time(world.limits.producer_ms / 1000 + 1)
    publisher = await world.come()
    await world.confirm(publisher, 1, b"late")
    await publisher.until_pong()
    expect.equal(await payloads(world.subscriber), [b"early", b"late"], "what was heard under one number")


class _World:
    """A subscriber, and a publisher that comes and goes."""

    def __init__(self, peer: Peer, agent_id: str, topic: str, subscriber: Stream) -> None:
        self.peer = peer
        self.agent_id = agent_id
        self.topic = topic
        self.subscriber = subscriber
        self.limits: Any = subscriber.registration.limits

    @classmethod
    async def begin(cls, bench: Bench) -> _World:
        topic = bench.topic("t")
        subscriber = await bench.join(bench.id("subscriber"), topic)
        return cls(bench.peer("publisher"), bench.id("publisher"), topic, subscriber)

    async def come(self, producer: int = PRODUCER) -> Stream:
        """Registers the publisher and opens its stream under a producer."""
        response = await self.peer.register(self.agent_id, features=FEATURES)
        expect.true(response.success, "the registration of the publisher", got=response.error_message)
        return await self.peer.stream(self.agent_id, producer=producer)

    async def leave(self, publisher: Stream) -> None:
        """Ends its stream in order."""
        await publisher.half_close()
        await publisher.end()

    async def lose(self, publisher: Stream, watcher: Stream) -> None:
        """Breaks its stream, and waits until the bridge knows: then its replies have no receiver."""
        publisher.reset()
        patience = time.monotonic() + PATIENCE
        for number in itertools.count(1):
            await watcher.publish(f"agent.{self.agent_id}.replies", confirm=True, pub_seq=number)
            if not (await watcher.receipt()).matched:
                return
            here = time.monotonic() < patience
            expect.true(here, "the publisher, its stream broken", expected="gone", got="still there")

    async def confirm(self, publisher: Stream, number: int, payload: bytes = b"") -> None:
        """Publishes under a number, and asks for a receipt."""
        await publisher.publish(self.topic, payload or b"%d" % number, confirm=True, pub_seq=number)
