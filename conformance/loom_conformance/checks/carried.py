"""PUB-3: what arrives is what was published, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.v1 import event_pb2
from loom_conformance import Bench, check, expect, wire
from loom_conformance.hearing import heard

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

PUBLISH, DELIVERY = 1, 1
"""The members of ClientEvent and ServerEvent."""
TOPIC, EVENT = 1, 2
"""The fields of Publish and Delivery."""

UNKNOWN = {
    "a number": b"\xa0\x06\x96\x01",
    "eight bytes": b"\xa9\x06\x01\x02\x03\x04\x05\x06\x07\x08",
    "text": b"\xb2\x06\x05later",
    "a group": b"\xbb\x06\x08\x05\x12\x02ab\xbc\x06",
    "a group within a group": b"\xc3\x06\xcb\x06\xd2\x06\x01x\xcc\x06\xc4\x06",
    "four bytes": b"\xcd\x06\xff\xff\xff\xff",
    "the first number that is not known": b"\x52\x03new",
    "the largest number there is": b"\xfa\xff\xff\xff\x0f\x01z",
}
"""Fields of an event that nobody knows yet, of every wire type."""

ODD_WAYS = {
    "fields in the reverse order": b"\x48\x05\x32\x01p\x12\x01t\x0a\x01i",
    "a field twice": b"\x0a\x01i\x0a\x01j\x32\x01p\x32\x01q",
    "defaults written out": b"\x0a\x00\x12\x00\x18\x00\x32\x00\x3d\x00\x00\x00\x00\x48\x00",
    "a number with more bytes than it needs": b"\x18\x81\x80\x80\x00\x48\x85\x00",
    "a length with more bytes than it needs": b"\x0a\x81\x00i",
    "a negative number": b"\x48\xfb\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "a map entry with its value first": b"\x2a\x06\x12\x01v\x0a\x01k",
    "a map key twice": b"\x2a\x06\x0a\x01k\x12\x01v\x2a\x06\x0a\x01k\x12\x01w",
    "a map entry without key and value": b"\x2a\x00",
    "a map entry with an unknown field": b"\x2a\x09\x0a\x01k\x12\x01v\x1a\x01x",
    "labels between other fields": b"\x42\x01a\x0a\x01i\x42\x01b",
    "a number that is not a number": b"\x3d\x00\x00\xc0\x7f",
}
"""Events that are encoded as no library would do it, and are well-formed all the same."""


@check("PUB-3.1")
async def the_topic_is_the_concrete_one(bench: Bench) -> None:
    """Agents that subscribed by patterns are told the topic that was published to."""
    patterns = ["orders.new", "orders.*", "*.new", ">"]
    agents = [
        await bench.join(bench.id(f"agent{n}"), bench.topic(pattern)) for n, pattern in enumerate(patterns)
    ]
    publisher = await bench.join(bench.id("publisher"))
    topic = bench.topic("orders.new")
    await publisher.publish(topic, b"1")
    await publisher.until_pong()
    for pattern, agent in zip(patterns, agents, strict=True):
        topics = [delivery.topic for delivery in await agent.deliveries()]
        expect.equal(topics, [topic], f"the topic of the delivery to the subscriber of {pattern}")


@check("PUB-3.2")
async def every_field_arrives(bench: Bench) -> None:
    """Events with every field set, at the ends of its range, arrive with every field as it was."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    every_byte = bytes(range(256))
    sent = [
        event_pb2.Event(
            id="é-1",
            type="paper.submitted",
            timestamp_ms=stamp,
            source="an agent, for people",
            metadata={"k": "v"},
            payload=every_byte,
            confidence=confidence,
            tags=["b", "a", "b", ""],
            priority=priority,
        )
        for stamp, confidence, priority in (
            (1_700_000_000_000, 0.25, 7),
            (2**63 - 1, 1e38, 2**31 - 1),
            (-(2**63), -0.0, -(2**31)),
        )
    ]
    for event in sent:
        await publisher.send(publish=event_pb2.Publish(topic=topic, event=event))
    await publisher.until_pong()
    deliveries = await subscriber.deliveries()
    expect.equal(len(deliveries), len(sent), "how many events arrived")
    for event, delivery in zip(sent, deliveries, strict=True):
        for field in event.DESCRIPTOR.fields:
            got, expected = getattr(delivery.event, field.name), getattr(event, field.name)
            expect.equal(got, expected, f"the event's {field.name}")


@check("PUB-3.3")
async def every_metadata_key_arrives(bench: Bench) -> None:
    """Metadata of the envelope, of tracing, of nobody's, with empty and foreign keys, all arrives."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    metadata = {
        "loom.thread_id": "thread",
        "loom.correlation_id": "correlation",
        "loom.sender": publisher.agent_id,
        "loom.reply_to": "agent.x.replies",
        "loom.ttl_ms": "60000",
        "loom.not_yet": "kept",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=1,b=2",
        "x-own": "",
        "": "no key",
        "Größe": "größer",
        "LOOM.SENDER": "not the same key",
    }
    await publisher.publish(topic, b"1", metadata=metadata)
    await publisher.until_pong()
    got = [dict(delivery.event.metadata) for delivery in await subscriber.deliveries()]
    expect.equal(len(got), 1, "how many events arrived")
    for key, value in metadata.items():
        expect.equal(got[0].get(key), value, f"the metadata under {key!r}")
    expect.equal(sorted(got[0]), sorted(metadata), "the keys of the metadata")


@check("PUB-3.4")
async def unknown_fields_arrive(bench: Bench) -> None:
    """Events with fields that no version knows, of every wire type, arrive with them."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    for what, unknown in UNKNOWN.items():
        got = await _carried(publisher, subscriber, topic, b"\x0a\x01i" + unknown + b"\x32\x01p", what)
        expect.true(unknown in got, f"an unknown field, {what}", expected=unknown.hex(" "), got=got.hex(" "))


@check("PUB-3.5")
async def events_arrive_byte_for_byte(bench: Bench) -> None:
    """Events that are encoded as no library would do it arrive in the very same bytes."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    for what, event in ODD_WAYS.items():
        got = await _carried(publisher, subscriber, topic, event, what)
        expect.equal(got.hex(" "), event.hex(" "), f"the bytes of an event with {what}")


@check("PUB-3.6")
async def an_empty_event_arrives(bench: Bench) -> None:
    """An event without any field arrives as an event, to an agent with a pattern and to one without."""
    topic = bench.topic("t")
    agents = [
        await bench.join(bench.id("exact"), topic),
        await bench.join(bench.id("wild"), bench.topic(">")),
    ]
    publisher = await bench.join(bench.id("publisher"))
    await publisher.send(publish=event_pb2.Publish(topic=topic, event=event_pb2.Event()))
    expect.nothing(await publisher.until_pong(), "what came back for an empty event")
    for agent in agents:
        deliveries = await agent.deliveries()
        expect.equal(len(deliveries), 1, f"how many deliveries of the empty event {agent.who} received")
        expect.true(deliveries[0].HasField("event"), "whether the delivery has an event", got="none")


@check("PUB-3.7")
async def deliveries_are_numbered(bench: Bench) -> None:
    """A session receives events of two topics and of itself: their deliveries are numbered 1, 2, 3 and on."""
    one, two = bench.topic("one"), bench.topic("two")
    subscriber = await bench.join(bench.id("subscriber"), one, two, features=["session"])
    publisher = await bench.join(bench.id("publisher"))
    for number in range(4):
        await publisher.publish((one, two)[number % 2], b"%d" % number)
    await publisher.publish(bench.topic("elsewhere"), b"not heard")
    await publisher.until_pong()
    await subscriber.publish(one, b"its own")
    numbers = [delivery.seq for delivery in await subscriber.deliveries()]
    expect.equal(numbers, [1, 2, 3, 4, 5], "the numbers of the deliveries")


async def _carried(publisher: Stream, subscriber: Stream, topic: str, event: bytes, what: str) -> bytes:
    """Publishes an event of these bytes: the bytes in which it arrives."""
    publish = wire.encode((TOPIC, topic), (EVENT, event))
    await publisher.send_bytes(wire.encode((PUBLISH, publish)), f"an event with {what}")
    await heard(publisher)
    await subscriber.delivery()
    delivery = wire.one(subscriber.data, DELIVERY)
    assert isinstance(delivery, bytes)
    got = wire.one(delivery, EVENT)
    return got if isinstance(got, bytes) else b""
