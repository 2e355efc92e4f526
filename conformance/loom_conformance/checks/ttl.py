"""PUB-7 and the losses of PUB-6: how long events live; what is not delivered is told and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance import Bench, check, expect
from loom_conformance.backlog import Backlog, without_ballast
from loom_conformance.hearing import REALTIME, subscription

if TYPE_CHECKING:
    from loom.v1 import stream_pb2
    from loom_conformance.stream import Stream

TTL = "loom.ttl_ms"
LONG_AGO, FAR_AHEAD = 1_000, 4_102_444_800_000
"""The first second of 1970 and the first of 2100: what a publisher's clock may say."""


@check("PUB-7.1")
async def what_expired_in_the_queue_is_not_delivered(bench: Bench) -> None:
    """Events with a second to live stay in the queue for a second: they are not delivered."""
    subscriber, backlog = await _queued(bench)
    for number in range(3):
        await backlog.publish(b"late %d" % number, metadata={TTL: "1000"})
    await bench.pass_time(1)
    expect.nothing(await _delivered(subscriber, backlog), "what was delivered after its time to live")


@check("PUB-7.1")
async def an_expired_event_comes_to_nobody(bench: Bench) -> None:
    """An event expires for one agent while another took it at once: the first never gets it."""
    subscriber, backlog = await _queued(bench)
    prompt = await bench.join(bench.id("prompt"), bench.topic("t"))
    await backlog.publish(b"1", metadata={TTL: "500"})
    expect.equal(_named(await prompt.until_pong()), [b"1"], "what the one who took it at once heard")
    await bench.pass_time(0.6)
    expect.nothing(await _delivered(subscriber, backlog), "what was delivered after its time to live")
    expect.nothing(_named(await prompt.until_pong()), "what came later to the one who took it at once")


@check("PUB-7.2")
async def what_has_not_expired_is_delivered(bench: Bench) -> None:
    """Events stay in the queue for a little less than they may live: they are delivered."""
    subscriber, backlog = await _queued(bench)
    await backlog.publish(b"a second", metadata={TTL: "1000" if bench.virtual else "60000"})
    await backlog.publish(b"a day", metadata={TTL: "86400000"})
    await backlog.publish(b"the longest", metadata={TTL: "9999999999"})
    await bench.pass_time(0.999)
    got = await _delivered(subscriber, backlog)
    expect.equal(got, [b"a second", b"a day", b"the longest"], "what was delivered within its time to live")


@check("PUB-7.3")
async def an_event_expires_alone(bench: Bench) -> None:
    """Of events that lie queued in a row two expire: those before, between and after them come in order."""
    subscriber, backlog = await _queued(bench)
    for payload, ttl in (
        (b"1", ""),
        (b"2", "400"),
        (b"3", "90000"),
        (b"4", "500"),
        (b"5", ""),
        (b"6", "60000"),
    ):
        await backlog.publish(payload, metadata={TTL: ttl} if ttl else {})
    await bench.pass_time(0.6)
    got = await _delivered(subscriber, backlog)
    expect.equal(got, [b"1", b"3", b"5", b"6"], "what was delivered around the events that expired")


@check("PUB-7.4")
async def the_publishers_clock_does_not_matter(bench: Bench) -> None:
    """Events whose publisher's clock is far behind or ahead live as long as all others."""
    subscriber, backlog = await _queued(bench)
    for stamp in (LONG_AGO, FAR_AHEAD):
        await backlog.publish(b"short %d" % stamp, metadata={TTL: "500"}, timestamp_ms=stamp)
        await backlog.publish(b"long %d" % stamp, metadata={TTL: "60000"}, timestamp_ms=stamp)
    await bench.pass_time(0.6)
    expected = [b"long %d" % stamp for stamp in (LONG_AGO, FAR_AHEAD)]
    expect.equal(
        await _delivered(subscriber, backlog), expected, "what was delivered of events with odd clocks"
    )


# PUB-6: what is not delivered is told and counted.


@check("PUB-6.2", needs=["control"], limits={"queue_events": 2})
async def a_subscriber_hears_of_dropped_events(bench: Bench) -> None:
    """For a full realtime subscriber three events are dropped: it is told so before it gets the others."""
    subscriber, publisher = await _realtime(bench)
    await bench.control.hold(subscriber.agent_id)
    for number in range(5):
        await publisher.publish(bench.topic("t"), b"%d" % number)
    await publisher.until_pong()
    await bench.control.release(subscriber.agent_id)
    seen = await subscriber.until_pong()
    expect.equal(
        [event.WhichOneof("msg") for event in seen],
        ["err", "delivery", "delivery"],
        "what the subscriber got",
    )
    expect.err(seen[0], "EVENTS_DROPPED", "what the subscriber is told first", names="3")


@check("PUB-6.2", needs=["control"], limits={"queue_events": 2})
async def nothing_dropped_is_nothing_told(bench: Bench) -> None:
    """A realtime subscriber's queue is just full: nothing is told; overfull: once; and nothing after that."""
    subscriber, publisher = await _realtime(bench)
    for sent, told in ((2, 0), (3, 1), (2, 0)):
        await bench.control.hold(subscriber.agent_id)
        for number in range(sent):
            await publisher.publish(bench.topic("t"), b"%d" % number)
        await publisher.until_pong()
        await bench.control.release(subscriber.agent_id)
        errs = [event.err for event in await subscriber.until_pong() if event.WhichOneof("msg") == "err"]
        expect.equal(len(errs), told, f"how often dropped events are told of after {sent} of at most 2")


@check("PUB-6.3", limits={"queue_events": 2})
async def dropped_copies_are_counted(bench: Bench) -> None:
    """Five realtime events come for a queue of two: three are counted as dropped."""
    subscriber, publisher = await _realtime(bench)
    await bench.control.hold(subscriber.agent_id)
    for number in range(5):
        await publisher.publish(bench.topic("t"), b"%d" % number)
    await publisher.until_pong()
    expect.equal(await bench.control.counter("copies_dropped"), 3, "the counter copies_dropped")


@check("PUB-6.4")
async def expired_copies_are_counted(bench: Bench) -> None:
    """Two of three queued events expire: two are counted as expired."""
    subscriber, backlog = await _queued(bench)
    await backlog.publish(b"1", metadata={TTL: "1000"})
    await backlog.publish(b"2")
    await backlog.publish(b"3", metadata={TTL: "500"})
    await bench.pass_time(1)
    expect.equal(await bench.control.counter("copies_expired"), 2, "the counter copies_expired")
    expect.equal(await _delivered(subscriber, backlog), [b"2"], "what was delivered")


@check("PUB-6.5")
async def discarded_copies_are_counted(bench: Bench) -> None:
    """An agent is lost with three events queued: three are counted as discarded."""
    subscriber, backlog = await _queued(bench)
    await backlog.publish(b"1", b"2", b"3")
    await bench.control.disconnect(subscriber.agent_id)
    expect.equal(await bench.control.counter("copies_discarded"), 3, "the counter copies_discarded")


async def _queued(bench: Bench) -> tuple[Stream, Backlog]:
    """A subscriber whose events stay in the queue."""
    topic = bench.topic("t")
    subscriber = await bench.peer("subscriber", narrow=True).join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    backlog = Backlog(bench, subscriber, publisher, topic)
    await backlog.begin()
    return subscriber, backlog


async def _delivered(subscriber: Stream, backlog: Backlog) -> list[bytes]:
    """What the subscriber gets now, without the ballast."""
    await backlog.end()
    return _named(await subscriber.until_pong())


def _named(events: list[stream_pb2.ServerEvent]) -> list[bytes]:
    return [delivery.event.payload for delivery in without_ballast(events)]


async def _realtime(bench: Bench) -> tuple[Stream, Stream]:
    """A subscriber that may lose events, and a publisher."""
    wanted = [subscription(bench.topic("t"), qos=REALTIME)]
    subscriber = await bench.join(bench.id("subscriber"), features=["subscriptions"], subscriptions=wanted)
    return subscriber, await bench.join(bench.id("publisher"))
