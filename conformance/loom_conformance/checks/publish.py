"""PUB-1, PUB-4, PUB-6.1: who receives an event, how often, in which order."""

from __future__ import annotations

import asyncio

from loom_conformance import Bench, check, expect
from loom_conformance.hearing import BACKGROUND, BATCHED, REALTIME, agent_in, heard, payloads, subscription

BURST = 350
BURST_BYTES = 32_000


@check("PUB-1.1")
async def every_agent_that_subscribed_hears_it(bench: Bench) -> None:
    """Agents subscribe by the topic itself, by `*`, by `>`, two of them alike: each hears the event."""
    topic = bench.topic("orders.new")
    patterns = {
        "exact": "orders.new",
        "same": "orders.new",
        "star": "orders.*",
        "rest": "orders.>",
        "all": ">",
    }
    agents = [await bench.join(bench.id(who), bench.topic(pattern)) for who, pattern in patterns.items()]
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(topic, b"1")
    for agent, events in zip(agents, await heard(publisher, *agents), strict=True):
        expect.equal(events, [b"1"], f"what {agent.who} heard")


@check("PUB-1.2")
async def once_although_several_patterns_match(bench: Bench) -> None:
    """An agent subscribes to one topic in four ways; each of two events comes once."""
    patterns = [bench.topic(pattern) for pattern in ("orders.new", "orders.*", "*.new", ">")]
    subscriber = await bench.join(bench.id("subscriber"), *patterns)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("orders.new"), b"1")
    await publisher.publish(bench.topic("orders.old"), b"2")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"1", b"2"], "one delivery of each event although several patterns match")


@check("PUB-1.2")
async def once_although_a_topic_is_named_twice(bench: Bench) -> None:
    """An agent names the same topic twice in its registration; an event comes once."""
    topic = bench.topic("orders.new")
    subscriber = await bench.join(bench.id("subscriber"), topic, topic)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(topic, b"1")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"1"], "one delivery although the topic was subscribed to twice")


@check("PUB-1.3")
async def who_did_not_subscribe_hears_nothing(bench: Bench) -> None:
    """One agent subscribes to the topic, one to others, one to none: only the first hears the event."""
    topic = bench.topic("orders.new")
    others = [bench.topic(pattern) for pattern in ("orders", "orders.old", "invoices.*", "orders.new.>")]
    hearer = await bench.join(bench.id("hearer"), topic)
    elsewhere = await bench.join(bench.id("elsewhere"), *others)
    deaf = await bench.join(bench.id("deaf"))
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(topic, b"1")
    said, nothing, none = await heard(publisher, hearer, elsewhere, deaf)
    expect.equal(said, [b"1"], "what the subscriber of the topic heard")
    expect.nothing(nothing, "what the subscriber of other topics heard")
    expect.nothing(none, "what an agent without subscriptions heard")


@check("PUB-1.4")
async def a_publisher_hears_itself(bench: Bench) -> None:
    """An agent publishes to a topic that it hears: it receives its own event."""
    topic = bench.topic("orders.new")
    agent = await bench.join(bench.id("agent"), topic)
    await agent.publish(topic, b"1")
    expect.equal(await payloads(agent), [b"1"], "what the publisher heard of its own event")


@check("PUB-1.5")
async def without_echo_a_publisher_does_not_hear_itself(bench: Bench) -> None:
    """An agent with `echo=false` publishes to a topic that it and another hear: only the other gets it."""
    topic = bench.topic("orders.new")
    other = await bench.join(bench.id("other"), topic)
    agent = await bench.join(bench.id("agent"), topic, features=["subscriptions"], echo=False)
    await agent.publish(topic, b"1")
    own, others = await heard(agent, agent, other)
    expect.equal(others, [b"1"], "what the other agent heard")
    expect.nothing(own, "what the publisher with echo=false heard of its own event")


@check("PUB-1.6")
async def without_echo_an_agent_hears_the_others(bench: Bench) -> None:
    """An agent with `echo=false` receives what another publishes to a topic that both hear."""
    topic = bench.topic("orders.new")
    agent = await bench.join(bench.id("agent"), topic, features=["subscriptions"], echo=False)
    other = await bench.join(bench.id("other"), topic)
    await other.publish(topic, b"1")
    await agent.publish(topic, b"2")
    await other.publish(topic, b"3")
    _, events = await heard(other, other, agent)
    expect.equal(events, [b"1", b"3"], "what the agent with echo=false heard of the other's events")


@check("PUB-1.7")
async def the_same_event_id_twice_is_two_events(bench: Bench) -> None:
    """Three publishes carry one and the same event id: the subscriber receives three events."""
    topic = bench.topic("orders.new")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    for payload in (b"1", b"1", b"2"):
        await publisher.publish(topic, payload, id="one-id")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"1", b"1", b"2"], "the deliveries of three publishes with one event id")


@check("PUB-1.8")
async def publishing_to_nobody_is_no_error(bench: Bench) -> None:
    """An agent publishes to a topic that nobody hears, then to one that somebody does: no answer comes."""
    subscriber = await bench.join(bench.id("subscriber"), bench.topic("heard"))
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("unheard"), b"1")
    expect.nothing(await publisher.until_pong(), "what came back for a publish that nobody hears")
    await publisher.publish(bench.topic("heard"), b"2")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"2"], "what the subscriber heard of the next publish")


@check("PUB-1.9")
async def every_agent_hears_its_replies(bench: Bench) -> None:
    """An agent that subscribed to nothing receives what comes to its replies topic, and not to another's."""
    asking, other = bench.id("asking.agent"), bench.id("other")
    agent = await bench.join(asking)
    publisher = await bench.join(other)
    await publisher.publish(f"agent.{other}x.replies", b"not for it")
    await publisher.publish(f"agent.{asking}.replies", b"1")
    (events,) = await heard(publisher, agent)
    expect.equal(events, [b"1"], f"what the agent heard on agent.{asking}.replies")


@check("PUB-1.10")
async def registering_again_keeps_the_replies_topic(bench: Bench) -> None:
    """A live agent registers again with another topic: it still receives what comes to its replies topic."""
    name = bench.id("agent")
    peer = bench.peer("agent")
    agent = await peer.join(name, bench.topic("old"))
    expect.true((await peer.register(name, bench.topic("new"))).success, "the second registration")
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(f"agent.{name}.replies", b"1")
    await publisher.publish(bench.topic("new"), b"2")
    (events,) = await heard(publisher, agent)
    expect.equal(events, [b"1", b"2"], "what the agent heard on its replies topic and the new one")


# PUB-4: order.


@check("PUB-4.1")
async def events_of_one_stream_keep_their_order(bench: Bench) -> None:
    """300 events of different sizes go to three topics in turn; two agents hear all, in the order sent."""
    topics = [bench.topic(f"orders.{name}") for name in ("new", "old", "gone")]
    exact = await bench.join(bench.id("exact"), *topics)
    wild = await bench.join(bench.id("wild"), bench.topic("orders.*"), bench.topic(">"))
    publisher = await bench.join(bench.id("publisher"))
    sent = [b"%d:" % number + b"x" * (number % 7) for number in range(300)]
    for number, payload in enumerate(sent):
        await publisher.publish(topics[number % 3], payload)
    for agent, events in zip((exact, wild), await heard(publisher, exact, wild), strict=True):
        expect.equal(len(events), 300, f"how many events {agent.who} heard")
        out_of_place = [index for index, payload in enumerate(events) if payload != sent[index]]
        expect.nothing(out_of_place, f"the places at which {agent.who} heard events out of order")


@check("PUB-4.2", needs=["control"], limits={"queue_events": 4})
async def what_waited_for_a_full_queue_keeps_its_order(bench: Bench) -> None:
    """A subscriber takes nothing while thrice its queue comes; then it hears all of it in order."""
    topic = bench.topic("orders")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    await bench.control.hold(subscriber.agent_id)
    sent = [b"%d" % number for number in range(12)]
    for payload in sent:
        await publisher.publish(topic, payload)

    async def one_waits() -> bool:
        return (await agent_in(bench, subscriber)).waiting_events > 0

    await bench.eventually(one_waits, "that an event waits for a place in the queue")
    await bench.control.release(subscriber.agent_id)
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, sent, "the order of what had to wait for a full queue")


@check("PUB-4.3", needs=["control"])
async def qos_does_not_change_the_order(bench: Bench) -> None:
    """Events of one stream lie queued for subscriptions of all three QoS: they keep their order."""
    kinds = {"realtime": REALTIME, "batched": BATCHED, "background": BACKGROUND}
    subscriptions = [subscription(bench.topic(name), qos=qos) for name, qos in kinds.items()]
    subscriber = await bench.join(
        bench.id("subscriber"), features=["subscriptions"], subscriptions=subscriptions
    )
    publisher = await bench.join(bench.id("publisher"))
    await bench.control.hold(subscriber.agent_id)
    sent = []
    for number in range(3):
        for name in ("background", "batched", "realtime"):
            sent.append(f"{name} {number}".encode())
            await publisher.publish(bench.topic(name), sent[-1])
    await publisher.until_pong()
    await bench.control.release(subscriber.agent_id)
    expect.equal(await payloads(subscriber), sent, "the order of events of different QoS")


# PUB-6: nothing is lost.


@check("PUB-6.1")
async def a_burst_arrives_whole(bench: Bench) -> None:
    """More than ten megabytes come at once for one who reads only then: every event arrives."""
    topic = bench.topic("burst")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    for number in range(BURST):
        await publisher.publish(topic, number.to_bytes(4) + bytes(BURST_BYTES))
    (events,) = await heard(publisher, subscriber)
    got = {int.from_bytes(payload[:4]) for payload in events}
    expect.nothing(sorted(set(range(BURST)) - got), "the numbers of the events that were lost")


@check("PUB-6.1")
async def bursts_of_several_publishers_arrive_whole(bench: Bench) -> None:
    """Three agents publish 150 events each at the same time: two subscribers hear all of them."""
    topic = bench.topic("burst.one")
    subscribers = [
        await bench.join(bench.id("exact"), topic),
        await bench.join(bench.id("wild"), bench.topic(">")),
    ]
    publishers = [await bench.join(bench.id(f"publisher{number}")) for number in range(3)]

    async def burst(place: int) -> None:
        for number in range(150):
            await publishers[place].publish(topic, b"%d of %d" % (number, place))
        expect.nothing(await publishers[place].until_pong(), "what came back for the burst")

    await asyncio.gather(*(burst(place) for place in range(3)))
    sent = {b"%d of %d" % (number, place) for number in range(150) for place in range(3)}
    for subscriber in subscribers:
        events = await payloads(subscriber)
        expect.nothing(sorted(sent - set(events)), f"what {subscriber.who} did not hear")
        expect.equal(len(events), len(sent), f"how many events {subscriber.who} heard")
