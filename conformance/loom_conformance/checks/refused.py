"""PUB-5: which publishes are refused, how the publisher hears of it, and that nothing else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.v1 import event_pb2
from loom_conformance import Bench, check, expect, wire
from loom_conformance.expect import Violation, shown
from loom_conformance.hearing import heard, payloads, receipts, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loom_conformance.stream import Stream

TTL = "loom.ttl_ms"
BAD_TTLS = ("0", "", "-1", "+1", "1.5", "01", "1e3", "10000000000", " 5", "5 ", "5\n", "0x5", "\u0665")
GOOD_TTLS = ("1", "9", "10", "1000", "86400000", "9999999999")

GROUP, END = b"\xa3\x06", b"\xa4\x06"
"""A group of the unknown field 100 begins, and ends."""
DEEPEST = 64

CUT_OFF = {
    b"\x0a": b"\x0a\x00",
    b"\x0a\x05ab": b"\x0a\x02ab",
    b"\x0a\x01i\x32\x7fpayload": b"\x0a\x01i\x32\x07payload",
    b"\x0a\xff\xff\xff\xff\x0f": b"\x0a\x00",
    b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01": b"\x0a\x00",
    b"\x18\x80": b"\x18\x80\x01",
    b"\x3d\x00\x00\x00": b"\x3d\x00\x00\x00\x00",
    b"\x2a\x02\x0a\x05": b"\x2a\x03\x0a\x01k",
    b"\x2a\x04\x0a\x01k": b"\x2a\x03\x0a\x01k",
    b"\xa9\x06\x01\x02\x03": b"\xa9\x06\x01\x02\x03\x04\x05\x06\x07\x08",
}
"""Events that are cut off, and the same ones whole."""

NOT_UTF8 = {
    b"\x0a\x01\xff": b"\x0a\x01i",
    b"\x12\x02\xc3\x28": b"\x12\x02\xc3\xa9",
    b"\x22\x03\xed\xa0\x80": b"\x22\x03\xed\x9f\xbf",
    b"\x42\x02\xc0\x80": b"\x42\x01\x00",
    b"\x42\x04\xf4\x90\x80\x80": b"\x42\x04\xf4\x8f\xbf\xbf",
    b"\x2a\x06\x0a\x01\xff\x12\x01v": b"\x2a\x06\x0a\x01k\x12\x01v",
    b"\x2a\x06\x0a\x01k\x12\x01\xff": b"\x2a\x06\x0a\x01k\x12\x01v",
}
"""Events with a string that is not UTF-8 (id, type, source, tags, metadata), and the same ones in UTF-8."""

OTHER_TYPES = {
    b"\x08\x01": b"\x0a\x01i",
    b"\x15\x00\x00\x00\x00": b"\x12\x00",
    b"\x1a\x00": b"\x18\x00",
    b"\x30\x01": b"\x32\x00",
    b"\x3a\x00": b"\x3d\x00\x00\x00\x00",
    b"\x4d\x00\x00\x00\x00": b"\x48\x00",
    b"\x0b\x0c": b"\x0a\x00",
    b"\x28\x01": b"\x2a\x00",
    b"\x2a\x02\x08\x01": b"\x2a\x03\x0a\x01k",
}
"""Events with a known field of another wire type, and the same ones with its own."""

GROUPS = {
    GROUP * (DEEPEST + 1) + END * (DEEPEST + 1): GROUP * DEEPEST + END * DEEPEST,
    GROUP * 10_000 + END * 10_000: GROUP * DEEPEST + END * DEEPEST,
    GROUP: GROUP + END,
    END: GROUP + END,
    GROUP + b"\xac\x06": GROUP + END,
    GROUP + b"\xab\x06" + END + b"\xac\x06": GROUP + b"\xab\x06\xac\x06" + END,
}
"""Events with groups too deep, not ended, not begun, or crossed; and the same ones in order."""

NO_PROTOBUF = {
    b"\x00\x00": b"\x0a\x00",
    b"\x02\x00": b"\x0a\x00",
    GROUP + b"\x02\x00" + END: GROUP + b"\x0a\x00" + END,
    b"\xa6\x06": b"\xa2\x06\x00",
    b"\xa7\x06": b"\xa2\x06\x00",
    b"\x18" + b"\x80" * 10 + b"\x01": b"\x18" + b"\x80" * 9 + b"\x01",
    b"\x18" + b"\xff" * 9 + b"\x02": b"\x18" + b"\xff" * 9 + b"\x01",
    b"\xff\xff\xff\xff\xff\x01": b"\xfa\xff\xff\xff\x0f\x00",
    b"\x8a\x80\x80\x80\x80\x00\x00": b"\x8a\x80\x00\x00",
}
"""Events with a field number, wire type or number that protobuf does not have; the same ones without."""


@check("PUB-5.1")
async def a_wildcard_is_no_topic_to_publish_to(bench: Bench) -> None:
    """Publishes to patterns that agents have subscribed to are refused; to a topic they stand for, not."""
    patterns = ["orders.*", "orders.>", "*.new", ">"]
    subscriber = await bench.join(bench.id("subscriber"), *map(bench.topic, patterns))
    publisher = await bench.join(bench.id("publisher"))
    for pattern in patterns:
        await publisher.publish(bench.topic(pattern), b"bad")
        what = f"a publish to {pattern}"
        expect.err(await refusal(publisher), "INVALID_TOPIC", what, names=bench.topic(pattern))
    await publisher.publish(bench.topic("orders.new"), b"good")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"good"], "what was heard of publishes to patterns and to a topic")


@check("PUB-5.2")
async def a_malformed_topic_is_named(bench: Bench) -> None:
    """Publishes to malformed topics are refused with messages that show the topic; to a good one, not."""
    subscriber = await bench.join(bench.id("subscriber"), bench.topic("orders.new"))
    publisher = await bench.join(bench.id("publisher"))
    for topic in ("orders..new", "orders.new.", ".orders.new", "orders new", "orders.new!"):
        await publisher.publish(bench.topic(topic), b"bad")
        what = f"a publish to {topic!r}"
        expect.err(await refusal(publisher), "INVALID_TOPIC", what, names=bench.topic(topic))
    await publisher.publish(bench.topic("orders.new"), b"good")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"good"], "what was heard of publishes to malformed topics and to a good one")


@check("PUB-5.3")
async def a_publish_needs_an_event(bench: Bench) -> None:
    """A publish with a topic and nothing else is refused; with an empty event it is not."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.send(publish=event_pb2.Publish(topic=topic))
    expect.err(await refusal(publisher), "INVALID_EVENT", "a publish without an event", names="event")
    await publisher.send(publish=event_pb2.Publish(topic=topic, event=event_pb2.Event()))
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b""], "what was heard of publishes without an event and with an empty one")


@check("PUB-5.4")
async def a_cut_off_event_is_refused(bench: Bench) -> None:
    """Events that end within a field, or whose field is longer than what is left, are refused; whole, not."""
    await _refuses_events(bench, CUT_OFF, "an event that is cut off")


@check("PUB-5.5")
async def a_string_must_be_utf8(bench: Bench) -> None:
    """Events with a string that is not UTF-8, in whatever field, are refused; with UTF-8 they are not."""
    await _refuses_events(bench, NOT_UTF8, "an event with a string that is not UTF-8")


@check("PUB-5.6")
async def a_known_field_must_be_of_its_type(bench: Bench) -> None:
    """Events with a known field of another wire type are refused; with its own they are not."""
    await _refuses_events(bench, OTHER_TYPES, "an event with a field of another wire type")


@check("PUB-5.7")
async def groups_are_nested_in_order_and_not_too_deep(bench: Bench) -> None:
    """Events with groups 65 deep, not ended, not begun or crossed are refused; 64 deep in order, not."""
    await _refuses_events(bench, GROUPS, "an event with groups out of order")


@check("PUB-5.8")
async def what_protobuf_does_not_have_is_refused(bench: Bench) -> None:
    """Events with field number 0, wire types 6 and 7 and numbers over 64 bits are refused; without, not."""
    await _refuses_events(bench, NO_PROTOBUF, "an event that is no protobuf")


@check("PUB-5.9")
async def a_bad_ttl_is_refused(bench: Bench) -> None:
    """Events whose `loom.ttl_ms` is no whole number from 1, or too large, are refused; others are not."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    for ttl in BAD_TTLS:
        await publisher.publish(topic, b"bad", metadata={TTL: ttl})
        expect.err(await refusal(publisher), "INVALID_TTL", f"{TTL}={ttl!r}", names=TTL)
    await publisher.publish(topic, b"good", metadata={TTL: "60000"})
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"good"], "what was heard of events with bad times to live and with a good one")


@check("PUB-5.10")
async def the_whole_range_of_ttl_is_accepted(bench: Bench) -> None:
    """Events with times to live from 1 to 9999999999 ms are not refused; the long-lived ones arrive."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    for ttl in GOOD_TTLS:
        await publisher.publish(topic, ttl.encode(), metadata={TTL: ttl})
        expect.nothing(await publisher.until_pong(), f"what came back for {TTL}={ttl}")
    arrived = await payloads(subscriber)
    missing = [ttl for ttl in GOOD_TTLS if int(ttl) >= 60_000 and ttl.encode() not in arrived]
    expect.nothing(missing, "the times to live of more than a minute with which events did not arrive")


@check("PUB-5.11")
async def an_err_says_which_event_it_is_about(bench: Bench) -> None:
    """Bad publishes of several kinds with ids of their own are refused: each err's ref is the event's id."""
    publisher = await bench.join(bench.id("publisher"), features=["session"])
    topic = bench.topic("t")
    await publisher.publish(bench.topic("a..b"), id="event-one")
    expect.err(await refusal(publisher), "INVALID_TOPIC", "a malformed topic", ref="event-one")
    await publisher.publish(topic, id="event two", metadata={TTL: "soon"})
    expect.err(await refusal(publisher), "INVALID_TTL", "a bad time to live", ref="event two")
    await publisher.publish(topic, id="")
    await publisher.publish(bench.topic("a.*"), id="")
    expect.err(await refusal(publisher), "INVALID_TOPIC", "a wildcard and an event without id", ref="")


@check("PUB-5.12")
async def what_is_refused_is_delivered_to_nobody(bench: Bench) -> None:
    """Publishes that are refused for all kinds of reasons reach nobody, although all topics are heard."""
    topic = bench.topic("t")
    agents = [
        await bench.join(bench.id("all"), bench.topic(">")),
        await bench.join(bench.id("exact"), topic, bench.topic("t.*")),
    ]
    publisher = await bench.join(bench.id("publisher"))
    await _send_bad_ones(bench, publisher)
    for agent in agents:
        expect.nothing(await payloads(agent), f"what {agent.who} heard of refused publishes")
    await publisher.publish(topic, b"good")
    for agent, events in zip(agents, await heard(publisher, *agents), strict=True):
        expect.equal(events, [b"good"], f"what {agent.who} heard of the good publish")


@check("PUB-5.13")
async def a_stream_outlives_a_refused_publish(bench: Bench) -> None:
    """After each of several refused publishes the next good one on the same stream is delivered."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"), topic)
    for round_number in range(3):
        await _send_bad_ones(bench, publisher)
        good = b"good %d" % round_number
        await publisher.publish(topic, good)
        expect.equal(await payloads(publisher), [good], "what the publisher heard of its good publish")
        expect.equal(await payloads(subscriber), [good], "what the subscriber heard of the good publish")


@check("PUB-5.14")
async def a_receipt_needs_a_number(bench: Bench) -> None:
    """A publish that asks for a receipt without a `pub_seq` is refused; with one it gets its receipt."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"), features=["confirm"])
    await publisher.publish(topic, b"bad", confirm=True)
    expect.err(await refusal(publisher), "INVALID_MESSAGE", "confirm without pub_seq", names="pub_seq")
    await publisher.publish(topic, b"good", confirm=True, pub_seq=1)
    expect.equal(await receipts(publisher), [(1, 1, "")], "the receipts with a pub_seq")
    expect.equal(await payloads(subscriber), [b"good"], "what was heard of both publishes")


@check("PUB-5.15")
async def a_receipt_needs_its_feature(bench: Bench) -> None:
    """A session that did not agree on `confirm` asks for a receipt and is refused; one that did gets it."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    plain = await bench.join(bench.id("plain"))
    full = await bench.join(bench.id("full"), features=["confirm"])
    await plain.publish(topic, b"bad", confirm=True, pub_seq=1)
    expect.err(await refusal(plain), "FEATURE_REQUIRED", "confirm without the feature", names="confirm")
    await full.publish(topic, b"good", confirm=True, pub_seq=1)
    expect.equal(await receipts(full), [(1, 1, "")], "the receipts of a session with the feature")
    expect.equal(await payloads(subscriber), [b"good"], "what was heard of both publishes")


async def _refuses_events(bench: Bench, pairs: Mapping[bytes, bytes], what: str) -> None:
    """Publishes bad events, each with its good twin: only the twins are accepted, and arrive."""
    topic = bench.topic("t")
    subscriber = await bench.join(bench.id("subscriber"), topic)
    publisher = await bench.join(bench.id("publisher"))
    for bad, good in pairs.items():
        named = f"{what} ({bad[:12].hex(' ')}{'…' if len(bad) > 12 else ''})"
        await _publish_bytes(publisher, topic, bad, named)
        expect.err(await refusal(publisher), "INVALID_EVENT", named, names="event")
        expect.nothing(await subscriber.until_pong(), f"what was heard of {named}")
        await _publish_bytes(publisher, topic, good, "the same without the fault")
        answers = await publisher.until_pong()
        expect.nothing(answers, f"what came back for the good twin of {named} ({good[:12].hex(' ')})")
        expect.equal(len(await subscriber.deliveries()), 1, f"the deliveries of the good twin of {named}")


async def _publish_bytes(publisher: Stream, topic: str, event: bytes, what: str) -> None:
    await publisher.send_bytes(wire.encode((1, wire.encode((1, topic), (2, event)))), what)


async def _send_bad_ones(bench: Bench, publisher: Stream) -> None:
    """Publishes what is refused, in every way there is, and reads the errs."""
    topic = bench.topic("t")
    await publisher.publish(bench.topic("t.*"), b"wildcard")
    await publisher.publish(bench.topic("t..t"), b"malformed topic")
    await publisher.send(publish=event_pb2.Publish(topic=topic))
    await _publish_bytes(publisher, topic, b"\x0a\x05ab", "an event that is cut off")
    await publisher.publish(topic, b"bad ttl", metadata={TTL: "0"})
    answers = await publisher.until_pong()
    codes = [event.err.code for event in answers if event.WhichOneof("msg") == "err"]
    expected = ["INVALID_TOPIC", "INVALID_TOPIC", "INVALID_EVENT", "INVALID_EVENT", "INVALID_TTL"]
    if codes != expected:
        raise Violation("the answers to five bad publishes", str(expected), shown(answers))
