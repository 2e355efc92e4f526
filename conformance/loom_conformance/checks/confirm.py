"""PUB-9: receipts: what a confirmed publish is answered, and how many it says are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_conformance import Bench, check, expect
from loom_conformance.hearing import agent_in, payloads, receipts, subscription, waiting

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

LARGEST = 2**64 - 1


@check("PUB-9.1")
async def each_confirmed_publish_has_one_receipt(bench: Bench) -> None:
    """Four publishes are confirmed under numbers of all sizes: each gets one receipt, in order, no code."""
    publisher = await _publisher(bench)
    await bench.join(bench.id("subscriber"), bench.topic("t"))
    numbers = (1, 2, 77, LARGEST)
    for number in numbers:
        await _confirm(bench, publisher, number)
    got = await receipts(publisher)
    expect.equal(got, [(number, 1, "") for number in numbers], "the receipts (ref, matched, code)")


@check("PUB-9.2")
async def who_does_not_ask_gets_no_receipt(bench: Bench) -> None:
    """Publishes that do not ask, also with a `pub_seq`, come beside one that does: only it is answered."""
    publisher = await _publisher(bench)
    await publisher.publish(bench.topic("t"), b"1")
    await publisher.publish(bench.topic("t"), b"2", pub_seq=2)
    await _confirm(bench, publisher, 3)
    await publisher.publish(bench.topic("t"), b"4", pub_seq=4)
    expect.equal(await receipts(publisher), [(3, 0, "")], "the receipts (ref, matched, code)")


@check("PUB-9.3")
async def matched_counts_agents(bench: Bench) -> None:
    """One agent after another comes, one of them with three patterns: `matched` counts each once."""
    publisher = await _publisher(bench)
    patterns = {"one": ["t"], "two": ["t", "*", ">"], "deaf": ["other"], "three": [">"]}
    matched = []
    for number, (who, topics) in enumerate(patterns.items(), 1):
        await bench.join(bench.id(who), *map(bench.topic, topics))
        await _confirm(bench, publisher, number)
        matched += [count for _, count, _ in await receipts(publisher)]
    expect.equal(matched, [1, 2, 2, 3], "matched, as one, two, a deaf one and a third are there")


@check("PUB-9.4")
async def nobody_there_is_an_answer(bench: Bench) -> None:
    """Nobody hears the topic, then somebody does, then it has left: `matched` is 0, 1 and 0, no code."""
    publisher = await _publisher(bench)
    await _confirm(bench, publisher, 1)
    subscriber = await bench.join(bench.id("subscriber"), bench.topic("t"))
    await _confirm(bench, publisher, 2)
    got = await receipts(publisher)
    await subscriber.half_close()
    await subscriber.end()
    await _confirm(bench, publisher, 3)
    got += await receipts(publisher)
    expect.equal(got, [(1, 0, ""), (2, 1, ""), (3, 0, "")], "the receipts (ref, matched, code)")


@check("PUB-9.4")
async def only_a_registration_is_nobody(bench: Bench) -> None:
    """The only subscriber has registered and not opened its stream: `matched` is 0."""
    publisher = await _publisher(bench)
    response = await bench.peer("absent").register(bench.id("absent"), bench.topic("t"))
    expect.true(response.success, "the registration", got=response.error_message)
    await _confirm(bench, publisher, 1)
    expect.equal(await receipts(publisher), [(1, 0, "")], "the receipt while nobody has a stream")


@check("PUB-9.5", needs=["subscriptions"])
async def observers_do_not_count(bench: Bench) -> None:
    """Observers alone make `matched` 0, beside a plain subscriber 1; they hear both events."""
    publisher = await _publisher(bench)
    observers = [
        await _agent(bench, who, subscription(bench.topic(pattern), observer=True))
        for who, pattern in (("narrow", "t"), ("wide", ">"))
    ]
    await _confirm(bench, publisher, 1)
    first = await receipts(publisher)
    await bench.join(bench.id("subscriber"), bench.topic("t"))
    await _confirm(bench, publisher, 2)
    expect.equal(
        first + await receipts(publisher), [(1, 0, ""), (2, 1, "")], "the receipts (ref, matched, code)"
    )
    for observer in observers:
        expect.equal(await payloads(observer), [b"1", b"2"], f"what {observer.who} heard")


@check("PUB-9.6", needs=["subscriptions"])
async def an_observer_that_also_subscribes_counts(bench: Bench) -> None:
    """One agent observes and subscribes plainly, another observes and is in a group: each counts once."""
    publisher = await _publisher(bench)
    watching = subscription(bench.topic(">"), observer=True)
    agents = [
        await _agent(bench, "plain", watching, subscription(bench.topic("t"))),
        await _agent(bench, "member", subscription(bench.topic("t"), group="g"), watching),
    ]
    await _confirm(bench, publisher, 1)
    expect.equal(await receipts(publisher), [(1, 2, "")], "the receipt with two that also observe")
    for agent in agents:
        expect.equal(await payloads(agent), [b"1"], f"what {agent.who} heard")


@check("PUB-9.7", needs=["subscriptions"])
async def a_group_counts_as_one(bench: Bench) -> None:
    """A group of three counts as one, a second group as another, one agent in both groups alone as one."""
    publisher = await _publisher(bench)
    topic = bench.topic("t")
    for number in range(3):
        await _agent(bench, f"g{number}", subscription(topic, group="g"))
    await _confirm(bench, publisher, 1)
    await _agent(bench, "h", subscription(topic, group="h"))
    await _confirm(bench, publisher, 2)
    both = [subscription(bench.topic("u"), group=group) for group in "gh"]
    await _agent(bench, "both", *both)
    await _confirm(bench, publisher, 3, topic="u")
    got = await receipts(publisher)
    expect.equal(got, [(1, 1, ""), (2, 2, ""), (3, 1, "")], "the receipts (ref, matched, code)")


@check("PUB-9.8", needs=["subscriptions"])
async def the_publisher_counts_if_it_hears_itself(bench: Bench) -> None:
    """A publisher that hears the topic counts; with `echo=false` it does not; another agent always does."""
    topic = bench.topic("t")
    await bench.join(bench.id("other"), topic)
    vain = await _publisher(bench, topic)
    await _confirm(bench, vain, 1)
    expect.equal(await receipts(vain), [(1, 2, "")], "the receipt of one that hears itself")
    await vain.half_close()
    await vain.end()
    humble = await bench.join(bench.id("humble"), topic, features=["confirm", "subscriptions"], echo=False)
    await _confirm(bench, humble, 1)
    expect.equal(await receipts(humble), [(1, 1, "")], "the receipt of one with echo=false")


@check("PUB-9.9", needs=["control"], limits={"queue_events": 1})
async def a_receipt_does_not_wait_for_slow_subscribers(bench: Bench) -> None:
    """A subscriber's queue is full: a publisher's receipt comes and counts it, while the event waits."""
    slow = await bench.join(bench.id("slow"), bench.topic("t"))
    await bench.join(bench.id("quick"), bench.topic("t"))
    publisher = await _publisher(bench)
    await bench.control.hold(slow.agent_id)
    for number in (1, 2):
        await _confirm(bench, publisher, number)
    await waiting(bench, slow, 1)
    got = [await publisher.receipt() for _ in range(2)]
    matched = [(receipt.ref, receipt.matched) for receipt in got]
    expect.equal(matched, [(1, 2), (2, 2)], "ref and matched of the receipts while an event waits")
    expect.equal((await agent_in(bench, slow)).waiting_events, 1, "how many events wait then")


# What is refused.


@check("PUB-9.10")
async def the_err_has_the_number(bench: Bench) -> None:
    """Confirmed publishes with a bad topic and a bad time to live are refused by errs with their numbers."""
    publisher = await _publisher(bench)
    await _refused_ones(bench, publisher)
    errs = [event.err for event in await publisher.until_pong() if event.WhichOneof("msg") == "err"]
    got = [(err.ref, err.code) for err in errs]
    expect.equal(got, [("7", "INVALID_TOPIC"), ("8", "INVALID_TTL")], "the errs (ref, code)")


@check("PUB-9.11")
async def what_is_refused_has_a_receipt_too(bench: Bench) -> None:
    """Confirmed publishes that are refused get receipts with the err's code; the next good one a good one."""
    publisher = await _publisher(bench)
    await bench.join(bench.id("subscriber"), bench.topic("t"))
    await _refused_ones(bench, publisher)
    await _confirm(bench, publisher, 9)
    seen = [event.receipt for event in await publisher.until_pong() if event.WhichOneof("msg") == "receipt"]
    got = [(receipt.ref, receipt.matched, receipt.code) for receipt in seen]
    expected = [(7, 0, "INVALID_TOPIC"), (8, 0, "INVALID_TTL"), (9, 1, "")]
    expect.equal(got, expected, "the receipts (ref, matched, code)")


async def _publisher(bench: Bench, *topics: str) -> Stream:
    return await bench.join(bench.id("publisher"), *topics, features=["confirm"])


async def _agent(bench: Bench, who: str, *wanted: Any) -> Stream:
    return await bench.join(bench.id(who), features=["subscriptions"], subscriptions=wanted)


async def _confirm(bench: Bench, publisher: Stream, number: int, *, topic: str = "t") -> None:
    await publisher.publish(bench.topic(topic), b"%d" % number, confirm=True, pub_seq=number)


async def _refused_ones(bench: Bench, publisher: Stream) -> None:
    await publisher.publish(bench.topic("a..b"), confirm=True, pub_seq=7)
    await publisher.publish(bench.topic("t"), confirm=True, pub_seq=8, metadata={"loom.ttl_ms": "0"})
