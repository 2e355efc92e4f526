"""PUB-8: what a subscription says beside its topic: event types, QoS, observing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_conformance import Bench, check, expect
from loom_conformance.hearing import BACKGROUND, BATCHED, REALTIME, heard, subscription

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

TYPES = ("good", "fine", "goods", "goo", "Good", "good ", "good.more", "*", "")


@check("PUB-8.1")
async def only_the_types_that_are_named(bench: Bench) -> None:
    """Events of types that look alike are published: a subscription to two types gets those two only."""
    subscriber = await _agent(bench, subscription(bench.topic("t"), "good", "fine"))
    got = await _of_all_types(bench, subscriber)
    expect.equal(got, ["good", "fine"], "the types of the events that came through the filter")


@check("PUB-8.1")
async def a_star_is_no_type(bench: Bench) -> None:
    """Wildcards are for topics: a subscription to the event type `*` gets events of that very type only."""
    subscriber = await _agent(bench, subscription(bench.topic("t"), "*"))
    got = await _of_all_types(bench, subscriber)
    expect.equal(got, ["*"], "the types of the events that came through the filter")


@check("PUB-8.2")
async def without_types_every_type(bench: Bench) -> None:
    """A subscription without event types gets events of every type, also those that have none."""
    subscriber = await _agent(bench, subscription(bench.topic("t")))
    got = await _of_all_types(bench, subscriber)
    expect.equal(got, list(TYPES), "the types of the events that came")


@check("PUB-8.3")
async def one_matching_filter_is_enough(bench: Bench) -> None:
    """An agent subscribes thrice with different types, by topic and by pattern: it gets each event once."""
    subscriber = await _agent(
        bench,
        subscription(bench.topic("t"), "good"),
        subscription(bench.topic("t"), "fine", "good"),
        subscription(bench.topic("*"), "goods"),
    )
    got = await _of_all_types(bench, subscriber)
    expect.equal(got, ["good", "fine", "goods"], "the types of the events that came through any filter")


@check("PUB-8.3")
async def a_filter_does_not_narrow_another_subscription(bench: Bench) -> None:
    """An agent hears a topic plainly, and with a filter: it gets events of every type once."""
    subscriber = await bench.join(
        bench.id("subscriber"),
        bench.topic("t"),
        features=["subscriptions"],
        subscriptions=[subscription(bench.topic("t"), "good")],
    )
    got = await _of_all_types(bench, subscriber)
    expect.equal(got, list(TYPES), "the types of the events that came")


# QoS: what may be dropped when a queue is full.


@check("PUB-8.17", needs=["control"], limits={"queue_events": 2})
async def unset_qos_is_batched(bench: Bench) -> None:
    """Events come for a full queue, for a subscription whose QoS is unset: none is dropped."""
    subscriber = await _agent(bench, subscription(bench.topic("t")))
    got = await _through_a_full_queue(bench, subscriber)
    expect.equal(got, [b"0", b"1", b"2"], "what a subscriber without QoS got through a full queue")


@check("PUB-8.17", needs=["control"], limits={"queue_events": 2})
async def realtime_is_set_although_it_is_zero(bench: Bench) -> None:
    """The same for a subscription that sets QOS_REALTIME, the enum's zero: the oldest event is dropped."""
    subscriber = await _agent(bench, subscription(bench.topic("t"), qos=REALTIME))
    got = await _through_a_full_queue(bench, subscriber)
    expect.equal(got, [b"1", b"2"], "what a realtime subscriber got through a full queue")


@check("PUB-8.18", needs=["control"], limits={"queue_events": 2})
async def a_plain_topic_is_batched(bench: Bench) -> None:
    """Events come for a full queue, for a client of the base level: none is dropped."""
    subscriber = await bench.join(bench.id("subscriber"), bench.topic("t"))
    got = await _through_a_full_queue(bench, subscriber)
    expect.equal(got, [b"0", b"1", b"2"], "what a base-level subscriber got through a full queue")


@check("PUB-8.19", needs=["control"], limits={"queue_events": 2})
async def batched_holds_over_realtime(bench: Bench) -> None:
    """An agent hears a topic realtime and batched, named in this order: nothing is dropped for it."""
    wanted = [subscription(bench.topic("t"), qos=REALTIME), subscription(bench.topic("*"), qos=BATCHED)]
    got = await _through_a_full_queue(bench, await _agent(bench, *wanted))
    expect.equal(got, [b"0", b"1", b"2"], "what came of a topic heard realtime and batched")


@check("PUB-8.19", needs=["control"], limits={"queue_events": 2})
async def background_holds_over_realtime(bench: Bench) -> None:
    """An agent hears a topic background and realtime, named in this order: nothing is dropped for it."""
    wanted = [subscription(bench.topic("t"), qos=BACKGROUND), subscription(bench.topic("*"), qos=REALTIME)]
    got = await _through_a_full_queue(bench, await _agent(bench, *wanted))
    expect.equal(got, [b"0", b"1", b"2"], "what came of a topic heard background and realtime")


# Observers.


@check("PUB-8.20")
async def an_observer_receives(bench: Bench) -> None:
    """An observer of a topic and one of everything hear the events beside a plain subscriber and a group."""
    topic = bench.topic("t")
    observers = [
        await _agent(bench, subscription(topic, observer=True), who="narrow"),
        await _agent(bench, subscription(bench.topic(">"), observer=True), who="wide"),
    ]
    plain = await bench.join(bench.id("plain"), topic)
    member = await _agent(bench, subscription(topic, group="g"), who="member")
    publisher = await bench.join(bench.id("publisher"))
    for payload in (b"1", b"2"):
        await publisher.publish(topic, payload)
    everybody = (*observers, plain, member)
    for agent, events in zip(everybody, await heard(publisher, *everybody), strict=True):
        expect.equal(events, [b"1", b"2"], f"what {agent.who} heard")


async def _agent(bench: Bench, *wanted: Any, who: str = "subscriber") -> Stream:
    return await bench.join(bench.id(who), features=["subscriptions"], subscriptions=wanted)


async def _of_all_types(bench: Bench, subscriber: Stream) -> list[str]:
    """Publishes an event of each type; gives the types of those that the subscriber gets."""
    publisher = await bench.join(bench.id("publisher"))
    for name in TYPES:
        await publisher.publish(bench.topic("t"), name.encode(), type=name)
    (events,) = await heard(publisher, subscriber)
    return [event.decode() for event in events]


async def _through_a_full_queue(bench: Bench, subscriber: Stream) -> list[bytes]:
    """Holds the subscriber while one event more comes than its queue takes: what it gets, without errs."""
    quick = await bench.join(bench.id("quick"), bench.topic("t"))
    publisher = await bench.join(bench.id("publisher"))
    await bench.control.hold(subscriber.agent_id)
    for number in range(3):
        await publisher.publish(bench.topic("t"), b"%d" % number)
        await quick.delivery()  # the event has been taken, also where its publisher is read no further
    await bench.control.release(subscriber.agent_id)
    await publisher.until_pong()
    seen = await subscriber.until_pong()
    return [event.delivery.event.payload for event in seen if event.WhichOneof("msg") == "delivery"]
