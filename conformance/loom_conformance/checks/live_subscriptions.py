"""PUB-8: changing what a live session hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.v1 import stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.hearing import heard, payloads, refusal, subscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.v1 import agent_pb2
    from loom_conformance.stream import Stream

FEATURES = ["subscriptions"]


@check("PUB-8.21")
async def subscribing_takes_effect(bench: Bench) -> None:
    """A session subscribes while it lives: it hears what another publishes next, and nothing from before."""
    agent = await _agent(bench)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("new.one"), b"before")
    await publisher.until_pong()
    await _subscribe(agent, subscription(bench.topic("new.*")))
    await agent.until_pong()
    await publisher.publish(bench.topic("new.one"), b"after")
    (events,) = await heard(publisher, agent)
    expect.equal(events, [b"after"], "what was heard of the topic subscribed to")


@check("PUB-8.21")
async def subscribing_takes_effect_in_its_turn(bench: Bench) -> None:
    """On one stream an agent publishes, subscribes, publishes in one go: it hears the second event only."""
    agent = await _agent(bench)
    await agent.publish(bench.topic("new"), b"before")
    await _subscribe(agent, subscription(bench.topic("new")))
    await agent.publish(bench.topic("new"), b"after")
    expect.equal(
        await payloads(agent), [b"after"], "what was heard of what was published around the Subscribe"
    )


@check("PUB-8.21")
async def groups_and_filters_may_be_added(bench: Bench) -> None:
    """Two sessions join a group with a filter while they live: each event of the type goes to one of them."""
    members = [await _agent(bench, who=f"member{number}") for number in (1, 2)]
    for member in members:
        await _subscribe(member, subscription(bench.topic("new"), "good", group="g"))
        await member.until_pong()
    publisher = await bench.join(bench.id("publisher"))
    for number in range(4):
        await publisher.publish(bench.topic("new"), b"%d" % number, type="good")
        await publisher.publish(bench.topic("new"), b"bad", type="bad")
    got = await heard(publisher, *members)
    expect.equal(got, [[b"0", b"2"], [b"1", b"3"]], "what the members that joined while live heard")


@check("PUB-8.22")
async def subscribing_takes_nothing_away(bench: Bench) -> None:
    """A session that hears topics, plainly and with options, subscribes to one more: it hears all of them."""
    agent = await _agent(bench, "plain", wanted=[subscription(bench.topic("option"))])
    await _subscribe(agent, subscription(bench.topic("new")))
    await agent.until_pong()
    expect.equal(
        await _hears(bench, agent, "plain", "option", "new"),
        ["plain", "option", "new"],
        "the topics that it hears",
    )


@check("PUB-8.23")
async def all_of_a_subscribe_or_none(bench: Bench) -> None:
    """A Subscribe with one bad among good subscriptions adds none; without the bad one it adds all."""
    agent = await _agent(bench, "old")
    good = [subscription(bench.topic(name)) for name in ("one", "two")]
    bad = subscription(bench.topic("a..b"))
    for wanted in ([bad, *good], [good[0], bad, good[1]], [*good, bad]):
        await _subscribe(agent, *wanted)
        expect.err(await refusal(agent), "INVALID_TOPIC", "a Subscribe with one bad subscription")
        got = await _hears(bench, agent, "one", "two", "old")
        expect.equal(got, ["old"], "the topics heard after a refused Subscribe")
    await _subscribe(agent, *good)
    got = await _hears(bench, agent, "one", "two", "old")
    expect.equal(got, ["one", "two", "old"], "the topics heard after the good Subscribe")


@check("PUB-8.24")
async def a_bad_subscription_is_named(bench: Bench) -> None:
    """Subscriptions that are malformed in several ways are refused, each by an err that names it."""
    agent = await _agent(bench)
    topic = bench.topic("t")
    bad: list[tuple[agent_pb2.Subscription, str, str]] = [
        (subscription(bench.topic("a.>.b")), "INVALID_TOPIC", "a.>.b"),
        (subscription(bench.topic("a b")), "INVALID_TOPIC", "a b"),
        (subscription(topic, "good", ""), "INVALID_SUBSCRIPTION", topic),
        (subscription(topic, group="g h"), "INVALID_SUBSCRIPTION", "g h"),
        (subscription(topic, group="g", observer=True), "INVALID_SUBSCRIPTION", topic),
        (subscription(topic, qos=7), "INVALID_SUBSCRIPTION", topic),
    ]
    for number, (wanted, code, name) in enumerate(bad, 1):
        await _subscribe(agent, wanted, ref=number)
        answers = await agent.until_pong()
        expect.true(answers, f"the answers to a bad subscription to {wanted.topic}", got="none")
        expect.err(answers[0], code, f"a bad subscription to {wanted.topic}", ref=str(number), names=name)
    await _subscribe(agent, subscription(topic, "good", group="g", qos=2), ref=7)
    kinds = [event.WhichOneof("msg") for event in await agent.until_pong()]
    expect.equal(kinds, ["receipt"], "the answers to a good subscription")


@check("PUB-8.25")
async def unsubscribing_takes_effect(bench: Bench) -> None:
    """A session unsubscribes from what it registered and from what it added: it hears only what is left."""
    agent = await _agent(bench, "plain", "kept")
    await _subscribe(agent, subscription(bench.topic("added")), subscription(bench.topic("filtered"), "good"))
    await agent.until_pong()
    topics = ("plain", "kept", "added", "filtered")
    expect.equal(await _hears(bench, agent, *topics), list(topics), "the topics heard before the Unsubscribe")
    await _unsubscribe(agent, *(subscription(bench.topic(name)) for name in ("plain", "added", "filtered")))
    await agent.until_pong()
    expect.equal(await _hears(bench, agent, *topics), ["kept"], "the topics heard after the Unsubscribe")


@check("PUB-8.25")
async def an_unsubscribed_member_is_served_no_more(bench: Bench) -> None:
    """One of two members leaves the group while it lives: the other gets all events from then on."""
    wanted = [subscription(bench.topic("work"), group="g")]
    leaving = await _agent(bench, who="leaving", wanted=wanted)
    staying = await _agent(bench, who="staying", wanted=wanted)
    await _unsubscribe(leaving, *wanted)
    await leaving.until_pong()
    publisher = await bench.join(bench.id("publisher"))
    for number in range(3):
        await publisher.publish(bench.topic("work"), b"%d" % number)
    got = await heard(publisher, leaving, staying)
    expect.equal(got, [[], [b"0", b"1", b"2"]], "what the member that left and the one that stayed heard")


@check("PUB-8.26")
async def unsubscribing_minds_the_group(bench: Bench) -> None:
    """A session hears a topic plainly and in two groups: it takes these back one by one, and only these."""
    topic = bench.topic("t")
    agent = await _agent(bench, "t", wanted=[subscription(topic, group="g"), subscription(topic, group="h")])
    member = await _agent(bench, who="other", wanted=[subscription(topic, group="h")])
    publisher = await bench.join(bench.id("publisher"))
    seen = []
    for gone in ("", "g", "h"):
        await _unsubscribe(agent, subscription(topic, group=gone))
        await agent.until_pong()
        for _ in range(2):
            await publisher.publish(topic, gone.encode())
        seen.append([len(events) for events in await heard(publisher, agent, member)])
    expect.equal(
        seen,
        [[2, 1], [1, 1], [0, 2]],
        "how many of two events it and the other member of h heard, having left the topic, then g, then h",
    )


@check("PUB-8.27")
async def unsubscribing_from_nothing_is_accepted(bench: Bench) -> None:
    """A session takes back what it never subscribed to, together with what it did: the receipt is good."""
    agent = await _agent(bench, "heard", "kept")
    wanted = [subscription(bench.topic("never")), subscription(bench.topic("heard"))]
    for number in (1, 2):
        await _unsubscribe(agent, *wanted, ref=number)
        answers = await agent.until_pong()
        expect.equal(answers, [_receipt(number)], "the answers to an Unsubscribe of what is not there")
    expect.equal(await _hears(bench, agent, "heard", "kept"), ["kept"], "the topics heard after it")


@check("PUB-8.28")
async def the_replies_topic_stays(bench: Bench) -> None:
    """A session unsubscribes from its replies topic: it still hears it."""
    agent = await _agent(bench, "t")
    replies = f"agent.{agent.agent_id}.replies"
    await _unsubscribe(agent, subscription(replies), subscription(bench.topic("t")))
    await agent.until_pong()
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("t"), b"of t")
    await publisher.publish(replies, b"a reply")
    (events,) = await heard(publisher, agent)
    expect.equal(events, [b"a reply"], "what was heard after the Unsubscribe")


@check("PUB-8.29")
async def changes_have_receipts(bench: Bench) -> None:
    """Each change with a ref is answered by a receipt of that ref, a refused one by an err as well."""
    agent = await _agent(bench)
    good, bad = subscription(bench.topic("t")), subscription(bench.topic("a..b"))
    await _subscribe(agent, good, ref=5)
    expect.equal(await agent.until_pong(), [_receipt(5)], "the answers to a good Subscribe")
    await _unsubscribe(agent, good, ref=2**63)
    expect.equal(await agent.until_pong(), [_receipt(2**63)], "the answers to a good Unsubscribe")
    await _subscribe(agent, good, bad, ref=7)
    answers = await agent.until_pong()
    expect.equal(
        [event.WhichOneof("msg") for event in answers], ["err", "receipt"], "the answers to a bad one"
    )
    expect.equal(answers[1], _receipt(7, "INVALID_TOPIC"), "the receipt of a bad Subscribe")


@check("PUB-8.30")
async def without_a_ref_there_is_no_receipt(bench: Bench) -> None:
    """Changes without a ref are answered by nothing, a refused one by its err alone."""
    agent = await _agent(bench)
    good, bad = subscription(bench.topic("t")), subscription(bench.topic("a..b"))
    await _subscribe(agent, good)
    await _unsubscribe(agent, good)
    expect.nothing(await agent.until_pong(), "the answers to good changes without a ref")
    await _subscribe(agent, bad)
    expect.err(await refusal(agent), "INVALID_TOPIC", "a bad Subscribe without a ref", ref="")


@check("PUB-8.31")
async def changes_need_their_feature(bench: Bench) -> None:
    """A session without the feature tries both changes: each is refused, and it hears what it did before."""
    agent = await bench.join(bench.id("agent"), bench.topic("old"))
    await _subscribe(agent, subscription(bench.topic("new")))
    expect.err(await refusal(agent), "FEATURE_REQUIRED", "a Subscribe", names="subscriptions")
    await _unsubscribe(agent, subscription(bench.topic("old")))
    expect.err(await refusal(agent), "FEATURE_REQUIRED", "an Unsubscribe", names="subscriptions")
    expect.equal(await _hears(bench, agent, "old", "new"), ["old"], "the topics heard after both")
    full = await _agent(bench, "old", who="full")
    await _subscribe(full, subscription(bench.topic("new")))
    await _unsubscribe(full, subscription(bench.topic("old")))
    expect.nothing(await full.until_pong(), "what came back where the feature was agreed")
    got = await _hears(bench, full, "old", "new")
    expect.equal(got, ["new"], "the topics heard where the feature was agreed")


@check("PUB-8.32", limits={"subscriptions": 3})
async def the_number_of_subscriptions_is_limited(bench: Bench) -> None:
    """With room for three, a session that has one adds three, refused; two, accepted; one more, refused."""
    agent = await _agent(bench, "a")
    names = ("b", "c", "d")
    await _subscribe(agent, *(subscription(bench.topic(name)) for name in names))
    expect.err(await refusal(agent), "LIMIT_EXCEEDED", "one more than there is room for", names="3")
    expect.equal(await _hears(bench, agent, "a", *names), ["a"], "the topics heard after it")
    await _subscribe(agent, *(subscription(bench.topic(name)) for name in names[:2]))
    expect.nothing(await agent.until_pong(), "what came back for as many as there is room for")
    await _subscribe(agent, subscription(bench.topic("d")))
    expect.err(await refusal(agent), "LIMIT_EXCEEDED", "one more than there is room for", names="3")
    expect.equal(await _hears(bench, agent, "a", *names), ["a", "b", "c"], "the topics heard in the end")


async def _agent(
    bench: Bench, *topics: str, who: str = "agent", wanted: Sequence[agent_pb2.Subscription] = ()
) -> Stream:
    return await bench.join(bench.id(who), *map(bench.topic, topics), features=FEATURES, subscriptions=wanted)


async def _subscribe(agent: Stream, *wanted: Any, ref: int = 0) -> None:
    await agent.send(subscribe=stream_pb2.Subscribe(ref=ref, subscriptions=wanted))


async def _unsubscribe(agent: Stream, *unwanted: Any, ref: int = 0) -> None:
    await agent.send(unsubscribe=stream_pb2.Unsubscribe(ref=ref, subscriptions=unwanted))


async def _hears(bench: Bench, agent: Stream, *topics: str) -> list[str]:
    """Publishes to each topic: those of which the agent hears."""
    publisher = await bench.join(bench.id("publisher"))
    for topic in topics:
        await publisher.publish(bench.topic(topic), topic.encode(), type="good")
    (events,) = await heard(publisher, agent)
    await publisher.half_close()
    await publisher.end()
    return [event.decode() for event in events]


def _receipt(ref: int, code: str = "") -> stream_pb2.ServerEvent:
    return stream_pb2.ServerEvent(receipt=stream_pb2.Receipt(ref=ref, code=code))
