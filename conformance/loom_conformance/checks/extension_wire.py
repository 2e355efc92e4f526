"""BASE-8: the numbers of the extensions' fields, written and read by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from loom_conformance import Bench, check, expect
from loom_conformance.checks.base_wire import ACK, DELIVERY, ERR, PUBLISH, REGISTER, RESULT, member, unary
from loom_conformance.steps import ended, given, payloads
from loom_conformance.wire import decode, encode, one

if TYPE_CHECKING:
    from loom_conformance.peer import Peer
    from loom_conformance.stream import Stream
    from loom_conformance.wire import Field

SUBSCRIBE, UNSUBSCRIBE, GOODBYE = 101, 102, 104
"""The members of ClientEvent that are extensions."""
WELCOME, RECEIPT, CANCEL = 101, 103, 104
"""The members of ServerEvent that are extensions."""


async def _registered(peer: Peer, *fields: Field) -> bytes:
    """The answer to a registration by hand, which is accepted."""
    answer = await unary(peer, REGISTER, encode(*fields))
    expect.equal(one(answer, 1), 1, "field 1 of the answer to the registration (success)")
    return answer


async def _begun(peer: Peer, agent_id: str, *fields: Field) -> Stream:
    """A stream whose handshake was said by hand."""
    stream = peer.open()
    await stream.send_bytes(encode((ACK, encode((1, agent_id), *fields))), "a handshake by hand")
    await stream.accepted()
    return stream


def _number(data: bytes, field: int, what: str) -> int:
    value = one(data, field)
    expect.true(isinstance(value, int) and value > 0, what, expected="a number above 0", got=repr(value))
    assert isinstance(value, int)
    return value


@check("BASE-8.1")
async def the_numbers_of_a_registration_s_extensions(bench: Bench) -> None:
    """Registers by hand with features and without an echo, and reads the answer and a refusal by hand."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    answer = await _registered(peer, (1, agent_id), (2, topic), (101, "session"), (102, 0))
    expect.equal(one(answer, 101), b"session", "field 101 of the answer (features)")
    server = one(answer, 102)
    expect.true(isinstance(server, bytes), "field 102 (server)", expected="a message", got=repr(server))
    assert isinstance(server, bytes)
    told = [number for number, text in decode(server) if text]
    expect.equal(told, [1, 2, 3], "the fields of server (name, version, protocol)")
    limits = one(answer, 103)
    expect.true(isinstance(limits, bytes), "field 103 (limits)", expected="a message", got=repr(limits))
    _number(answer, 104, "field 104 of the answer (heartbeat_interval_ms)")
    number = _number(answer, 105, "field 105 of the answer (registration)")
    stream = await _begun(peer, agent_id, (103, number))
    expect.equal((await stream.read()).WhichOneof("msg"), "welcome", "the first message")
    await stream.publish(topic, b"to itself")
    expect.equal(await payloads(stream), [], "what comes back where field 102 is false (echo)")
    refusal = await unary(peer, REGISTER, encode((1, "no id")))
    expect.equal(one(refusal, 100), b"INVALID_AGENT_ID", "field 100 of a refusal (error_code)")


@check("BASE-8.2")
async def the_numbers_of_a_session(bench: Bench) -> None:
    """Begins a session by hand, and reads its Welcome and its first deliveries by hand."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    old = _number(await _registered(peer, (1, agent_id)), 105, "field 105 of the answer (registration)")
    await _registered(peer, (1, agent_id), (2, topic), (101, "session"))
    late = peer.open()
    await late.send_bytes(encode((ACK, encode((1, agent_id), (103, old)))), "a handshake that is out of date")
    what = "a handshake by field 103 of an Ack (registration)"
    await ended(late, grpc.StatusCode.FAILED_PRECONDITION, what, word="STALE_REGISTRATION")
    stream = await _begun(peer, agent_id)
    _number(await member(stream, WELCOME, "the Welcome"), 1, "field 1 of the Welcome (epoch)")
    for number in (1, 2):
        await stream.publish(topic)
        delivery = await member(stream, DELIVERY, "a delivery")
        expect.equal(one(delivery, 100), number, "field 100 of a delivery (seq)")


@check("BASE-8.3")
async def the_numbers_of_a_receipt(bench: Bench) -> None:
    """Publishes and repeats by hand, on two streams of one producer, and reads the receipts by hand."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    listener = await bench.join(bench.id("l"), topic)
    await _registered(peer, (1, agent_id), (101, "confirm"))
    event = encode((6, b"once"))
    for _ in range(2):
        stream = await _begun(peer, agent_id, (104, 7))
        publish = encode((1, topic), (2, event), (100, 1), (101, 5))
        await stream.send_bytes(encode((PUBLISH, publish)), "a confirmed publish by hand")
        receipt = await member(stream, RECEIPT, "a receipt")
        got = {number: one(receipt, number) for number in (1, 2)}
        expect.equal(got, {1: 5, 2: 1}, "fields 1 and 2 of the receipt (ref, matched)")
    expect.equal(
        await payloads(listener), [b"once"], "what is delivered under field 104 of the Ack (producer)"
    )
    publish = encode((1, "no topic"), (2, event), (100, 1), (101, 6))
    await stream.send_bytes(encode((PUBLISH, publish)), "a confirmed publish that is refused")
    await member(stream, ERR, "the err")
    receipt = await member(stream, RECEIPT, "a receipt")
    expect.equal(one(receipt, 3), b"INVALID_TOPIC", "field 3 of the receipt (code)")


@check("BASE-8.4")
async def the_numbers_of_an_error_s_extensions(bench: Bench) -> None:
    """Publishes what is refused, and is superseded: reads both errors by hand."""
    older = await bench.join(bench.id("a"))
    publish = encode((1, "no topic"), (2, encode((1, "event-7"))))
    await older.send_bytes(encode((PUBLISH, publish)), "a publish by hand")
    expect.equal(one(await member(older, ERR, "the err"), 100), b"event-7", "field 100 of the err (ref)")
    await bench.peer("newer").stream(older.agent_id)
    expect.equal(one(await member(older, ERR, "the last err"), 101), 1, "field 101 of the err (fatal)")


@check("BASE-8.5")
async def the_numbers_of_a_subscription(bench: Bench) -> None:
    """Registers a filter, two members of a group and an observer by hand: each hears what it should."""
    topic, shared, watched = bench.topic("t"), bench.topic("shared"), bench.topic("watched")
    wanted: dict[str, bytes] = {
        "filter": encode((1, topic), (2, "wanted")),
        "one": encode((1, shared), (4, "workers")),
        "two": encode((1, shared), (4, "workers")),
        "observer": encode((1, watched), (3, 2), (5, 1)),
    }
    streams = {}
    for name, subscription in wanted.items():
        peer, features = bench.peer(name), [(101, "subscriptions"), (101, "confirm")]
        await _registered(peer, (1, bench.id(name)), (100, subscription), *features)
        streams[name] = await _begun(peer, bench.id(name))
    publisher = await bench.join(bench.id("p"), features=["subscriptions"])
    for number, (where, kind) in enumerate(
        ((topic, "other"), (topic, "wanted"), (shared, ""), (watched, ""))
    ):
        await publisher.publish(where, str(number).encode(), type=kind)
    await publisher.until_pong()
    expect.equal(await payloads(streams["filter"]), [b"1"], "what passes field 2 (event_types)")
    members = [*await payloads(streams["one"]), *await payloads(streams["two"])]
    expect.equal(members, [b"2"], "what the members by field 4 (group) get between them")
    expect.equal(await payloads(streams["observer"]), [b"3"], "what the observer by field 5 gets")
    wrong = encode((1, bench.id("x")), (100, encode((1, topic), (3, 9))), (101, "subscriptions"))
    reason = one(await unary(bench.peer("wrong"), REGISTER, wrong), 2)
    named = isinstance(reason, bytes) and b"qos" in reason
    expect.true(named, "why field 3 (qos) is refused", expected="a word about its qos", got=repr(reason))
    both = encode((1, bench.id("x")), (100, encode((1, topic), (4, "g"), (5, 1))), (101, "subscriptions"))
    refused = one(await unary(bench.peer("both"), REGISTER, both), 1) or 0
    expect.equal(refused, 0, "success where fields 4 and 5 are both set (group, observer)")


@check("BASE-8.6")
async def the_numbers_of_a_change(bench: Bench) -> None:
    """Subscribes and unsubscribes by hand: what is published meanwhile comes, and nothing else."""
    topic = bench.topic("t")
    agent = await bench.join(bench.id("a"), features=["subscriptions"])
    change = encode((1, 7), (2, encode((1, topic))))
    for number, payload in ((SUBSCRIBE, b"while it hears"), (UNSUBSCRIBE, b"afterwards")):
        await agent.send_bytes(encode((number, change)), "a change by hand")
        receipt = await member(agent, RECEIPT, "the receipt of the change")
        expect.equal(one(receipt, 1), 7, "the ref of the receipt, as in field 1 of the change")
        await agent.publish(topic, payload)
        heard = [payload] if number == SUBSCRIBE else []
        expect.equal(await payloads(agent), heard, f"what is heard after field {number} of ClientEvent")


@check("BASE-8.7")
async def the_number_of_a_goodbye(bench: Bench) -> None:
    """Says goodbye by hand: the stream ends in order."""
    agent = await bench.join(bench.id("a"))
    await agent.send_bytes(encode((GOODBYE, encode((1, "done")))), "a goodbye by hand")
    await ended(agent, grpc.StatusCode.OK, "the stream after field 104 of ClientEvent (goodbye)")


@check("BASE-8.8")
async def the_numbers_of_a_cancel(bench: Bench) -> None:
    """A caller leaves, and the provider reads by hand what it is told."""
    name = bench.capability("c")
    agent = await bench.join(bench.id("a"), features=["cancel"], capabilities=[name])
    calling = bench.peer("caller").invoke(name)
    call = await given(agent, calling, "the call")
    calling.cancel()
    cancel = await member(agent, CANCEL, "the cancel")
    expect.equal(decode(cancel), [(1, call.id.encode()), (2, b"CANCELLED")], "the cancel's fields (id, code)")
    await agent.send_bytes(encode((RESULT, encode((1, call.id)))), "a result that comes too late")
