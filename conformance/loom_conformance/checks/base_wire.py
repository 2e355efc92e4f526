"""BASE-1: the numbers of the base level's fields, written and read by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from loom_conformance import Bench, check, expect
from loom_conformance.expect import Violation
from loom_conformance.stream import End
from loom_conformance.wire import decode, encode, entry, one

if TYPE_CHECKING:
    from loom_conformance.peer import Peer
    from loom_conformance.stream import Stream

REGISTER = "/loom.v1.Bridge/RegisterAgent"
FORWARD = "/loom.v1.Bridge/ForwardAction"
HEARTBEAT = "/loom.v1.Bridge/Heartbeat"
LIST = "/loom.v1.ActionBroker/ListCapabilities"
PUBLISH, ACK, PING, RESULT = 1, 2, 3, 4
"""The members of ClientEvent."""
DELIVERY, PONG, ERR, CALL = 1, 2, 3, 4
"""The members of ServerEvent."""


async def unary(peer: Peer, method: str, data: bytes) -> bytes:
    """What a unary call answers, as bytes."""
    answer = await peer.raw(method, data)
    if isinstance(answer, End):
        raise Violation(f"{method} by {peer.who}", "an answer", f"{answer.code.name} ({answer.details})")
    return answer


async def member(stream: Stream, number: int, what: str) -> bytes:
    """The next message on the stream, which must be this member of ServerEvent and nothing besides."""
    await stream.read()
    fields = decode(stream.data)
    expect.equal([field for field, _ in fields], [number], f"{what}: the fields of the ServerEvent")
    content = fields[0][1]
    expect.true(isinstance(content, bytes), f"{what}: field {number}", expected="a message", got="a number")
    assert isinstance(content, bytes)
    return content


@check("BASE-1.1")
async def the_numbers_of_a_registration(bench: Bench) -> None:
    """Registers by hand, and reads the answer by hand; the topics and the capability are in effect."""
    peer, topics = bench.peer("client"), [bench.topic("t"), bench.topic("u")]
    name, agent_id = bench.capability("c"), bench.id("a")
    parts = [(2, topic) for topic in topics]
    request = encode((1, agent_id), *parts, (3, encode((1, name), (2, "7"))), (4, entry("key", "value")))
    answer = await unary(peer, REGISTER, request)
    expect.equal(one(answer, 1), 1, "field 1 of the answer (success)")
    expect.equal(one(answer, 2) or b"", b"", "field 2 of the answer (error_message)")
    agent = await peer.stream(agent_id)
    for topic in topics:
        await agent.publish(topic)
    expect.equal([each.topic for each in await agent.deliveries()], topics, "what field 2 subscribes to")
    listed = [(item.name, item.version) for item in await peer.capabilities() if item.name == name]
    expect.equal(listed, [(name, "7")], "what field 3 offers")
    answer = await unary(peer, REGISTER, encode((1, agent_id), (2, "no topic")))
    expect.equal(one(answer, 1) or 0, 0, "field 1 of a refusal (success)")
    reason = one(answer, 2)
    named = isinstance(reason, bytes) and b"no topic" in reason
    expect.true(
        named, "field 2 of a refusal (error_message)", expected="the culprit's name", got=repr(reason)
    )


@check("BASE-1.2")
async def the_numbers_of_an_event(bench: Bench) -> None:
    """Publishes by hand, and reads the delivery by hand."""
    topic = bench.topic("t")
    agent = await bench.join(bench.id("a"), topic)
    event = encode((1, "event"), (2, "type"), (3, 4), (5, entry("key", "value")), (6, b"payload"), (8, "tag"))
    await agent.send_bytes(encode((PUBLISH, encode((1, topic), (2, event)))), "a publish by hand")
    delivery = await member(agent, DELIVERY, "a delivery")
    expect.equal(one(delivery, 1), topic.encode(), "field 1 of the delivery (topic)")
    expect.equal(one(delivery, 2), event, "field 2 of the delivery (event)")


@check("BASE-1.3")
async def the_numbers_of_a_handshake(bench: Bench) -> None:
    """Says a handshake by hand: it is accepted for that agent."""
    peer, agent_id, topic = bench.peer("client"), bench.id("a"), bench.topic("t")
    await unary(peer, REGISTER, encode((1, agent_id), (2, topic)))
    stream = peer.open()
    await stream.send_bytes(encode((ACK, encode((1, agent_id)))), "a handshake by hand")
    await stream.accepted()
    await stream.publish(topic)
    expect.equal([each.topic for each in await stream.deliveries()], [topic], "what the stream receives")


@check("BASE-1.4")
async def the_numbers_of_a_heartbeat(bench: Bench) -> None:
    """Pings by hand, on a stream and by the unary call, and reads the answers by hand."""
    peer = bench.peer("client")
    agent = await peer.join(bench.id("a"))
    await agent.send_bytes(encode((PING, encode((1, 42)))), "a ping by hand")
    pong = await member(agent, PONG, "a pong")
    unary_pong = await unary(peer, HEARTBEAT, encode((1, 42)))
    for answer, what in ((pong, "the pong"), (unary_pong, "the unary answer")):
        expect.equal(decode(answer), [(1, 42), (2, b"ok")], f"the fields of {what}")


@check("BASE-1.5")
async def the_numbers_of_an_error(bench: Bench) -> None:
    """Publishes nothing by hand, and reads the err by hand."""
    agent = await bench.join(bench.id("a"))
    await agent.send_bytes(encode((PUBLISH, encode((1, bench.topic("t"))))), "a publish without an event")
    err = await member(agent, ERR, "an err")
    expect.equal(one(err, 1), b"INVALID_EVENT", "field 1 of the err (code)")
    message = one(err, 2)
    said = isinstance(message, bytes) and b"event" in message
    expect.true(
        said, "field 2 of the err (message)", expected="what is wrong with the event", got=repr(message)
    )


@check("BASE-1.6")
async def the_numbers_of_a_call(bench: Bench) -> None:
    """Calls by hand, and reads by hand what the provider is given."""
    name = bench.capability("c")
    agent = await bench.join(bench.id("a"), capabilities=[name])
    request = encode(
        (1, "mine"), (2, name), (4, b"payload"), (5, entry("key", "value")), (6, 5000), (7, "thread"), (8, 2)
    )
    calling = asyncio.create_task(bench.peer("caller").raw(FORWARD, request))
    call = await member(agent, CALL, "a call")
    own = one(call, 1)
    expect.true(own not in (None, b""), "field 1 of the call (id)", expected="the bridge's id", got=repr(own))
    expect.equal(one(call, 2), name.encode(), "field 2 of the call (capability)")
    expect.equal(one(call, 4), b"payload", "field 4 of the call (payload)")
    expect.equal(one(call, 5), entry("key", "value"), "field 5 of the call (headers)")
    left = one(call, 6)
    expect.true(
        isinstance(left, int) and 0 < left <= 5000,
        "field 6 of the call (timeout_ms)",
        expected="from 1 to 5000",
        got=repr(left),
    )
    expect.equal(one(call, 7), b"thread", "field 7 of the call (correlation_id)")
    expect.equal(one(call, 8), 2, "field 8 of the call (qos)")
    assert isinstance(own, bytes)
    await agent.send_bytes(encode((RESULT, encode((1, own)))), "a result by hand")
    await calling


@check("BASE-1.6")
async def the_number_of_a_version(bench: Bench) -> None:
    """Calls a version by hand, one that is offered and one that is not: field 3 is what is compared."""
    name, caller = bench.capability("c"), bench.peer("caller")
    request = encode((1, bench.id("a")), (3, encode((1, name), (2, "1"))))
    provider = bench.peer("a")
    await unary(provider, REGISTER, request)
    agent = await provider.stream(bench.id("a"))
    refused = await unary(caller, FORWARD, encode((2, name), (3, "2")))
    expect.equal(one(refused, 2), 1, "the status of a call of another version (ACTION_ERROR)")
    calling = asyncio.create_task(caller.raw(FORWARD, encode((2, name), (3, "1"))))
    call = await member(agent, CALL, "a call of the version")
    expect.equal(one(call, 3), b"1", "field 3 of the call (version)")
    await agent.send_bytes(encode((RESULT, encode((1, one(call, 1) or b"")))), "a result by hand")
    await calling


@check("BASE-1.7")
async def the_numbers_of_a_result(bench: Bench) -> None:
    """Answers a call by hand, with an output and an error, and reads by hand what the caller gets."""
    name = bench.capability("c")
    agent = await bench.join(bench.id("a"), capabilities=[name])
    calling = asyncio.create_task(bench.peer("caller").raw(FORWARD, encode((1, "mine"), (2, name))))
    call = await agent.action_call()
    error = encode((1, "OWN_CODE"), (2, "own words"), (3, entry("key", "value")))
    result = encode((1, call.id), (2, 1), (3, b"output"), (4, error))
    await agent.send_bytes(encode((RESULT, result)), "a result by hand")
    answer = await calling
    expect.true(isinstance(answer, bytes), "the answer to the caller", expected="a result", got=repr(answer))
    assert isinstance(answer, bytes)
    got = {number: one(answer, number) for number in (1, 2, 3)}
    expect.equal(got, {1: b"mine", 2: 1, 3: b"output"}, "fields 1 to 3 of the result (id, status, output)")
    told = one(answer, 4)
    expect.true(
        isinstance(told, bytes), "field 4 of the result (error)", expected="a message", got=repr(told)
    )
    assert isinstance(told, bytes)
    fields = {number: one(told, number) for number in (1, 2, 3)}
    words = {1: b"OWN_CODE", 2: b"own words", 3: entry("key", "value")}
    expect.equal(fields, words, "fields 1 to 3 of the error (code, message, details)")


@check("BASE-1.8")
async def the_numbers_of_a_listing(bench: Bench) -> None:
    """Registers a capability by hand, and reads the listing by hand."""
    peer, name, agent_id = bench.peer("client"), bench.capability("c"), bench.id("a")
    metadata = entry("input_schema", "{}")
    descriptor = encode((1, name), (2, "7"), (3, 3), (4, metadata))
    await unary(peer, REGISTER, encode((1, agent_id), (3, descriptor)))
    await peer.stream(agent_id)
    answer = await unary(peer, LIST, b"")
    listed = [item for number, item in decode(answer) if number == 1 and isinstance(item, bytes)]
    own = [item for item in listed if one(item, 1) == name.encode()]
    expect.equal(len(own), 1, "how often the capability is in field 1 of the listing")
    got = {number: one(own[0], number) for number in (2, 3, 4)}
    expect.equal(got, {2: b"7", 3: 3, 4: metadata}, "fields 2 to 4 of it (version, provider, metadata)")


@check("BASE-1.9")
async def the_numbers_of_the_bridge_s_own_statuses(bench: Bench) -> None:
    """Calls what nobody offers, what nobody can take now, and what is not answered in time."""
    caller, name, away = bench.peer("caller"), bench.capability("c"), bench.capability("away")
    nobody = await unary(caller, FORWARD, encode((2, bench.capability("nobody"))))
    expect.equal(one(nobody, 2), 1, "the status of a call that nobody offers (ACTION_ERROR)")
    await unary(bench.peer("away"), REGISTER, encode((1, bench.id("away")), (3, encode((1, away)))))
    later = await unary(caller, FORWARD, encode((2, away)))
    expect.equal(one(later, 2), 3, "the status of a call that nobody can take now (ACTION_RETRYABLE)")
    agent = await bench.join(bench.id("a"), capabilities=[name])
    calling = asyncio.create_task(caller.raw(FORWARD, encode((2, name), (6, 50))))
    await agent.action_call()
    await bench.pass_time(0.1)
    late = await calling
    expect.true(isinstance(late, bytes), "a call that is not answered", expected="a result", got=repr(late))
    assert isinstance(late, bytes)
    expect.equal(one(late, 2), 2, "the status of a call that is not answered in time (ACTION_TIMEOUT)")
