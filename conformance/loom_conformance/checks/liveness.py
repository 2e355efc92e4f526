"""SES-7: the Welcome, and who is taken for dead."""

from __future__ import annotations

import asyncio

import grpc

from loom.v1 import action_pb2, stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.backlog import Backlog
from loom_conformance.steps import ended, open_call, payloads
from loom_conformance.stream import Stream

NOTICED_S = 10.0
"""Within which time a dead connection is noticed."""


def patience(stream: Stream) -> float:
    """After how many seconds of silence a session is taken for dead."""
    interval: int = stream.registration.heartbeat_interval_ms
    return 3 * interval / 1000


# The Welcome.


@check("SES-7.1")
async def a_welcome_comes_first(bench: Bench) -> None:
    """A session takes over a stream with events in its queue: the Welcome comes before them."""
    topic, agent_id = bench.topic("t"), bench.id("a")
    older = await bench.peer("older", narrow=True).join(agent_id, topic, features=["session"])
    publisher = await bench.join(bench.id("p"))
    backlog = Backlog(bench, older, publisher, topic)
    await backlog.begin()
    await backlog.publish(b"1")
    newer = await bench.peer("newer").stream(agent_id)
    first = await newer.read()
    expect.equal(first.WhichOneof("msg"), "welcome", "the first message of the session")
    expect.true(first.welcome.epoch, "the Welcome's epoch", expected="a number", got="0")
    later = [event.WhichOneof("msg") for event in await newer.until_pong()]
    expect.true("welcome" not in later, "what comes after", expected="no other Welcome", got=str(later))


@check("SES-7.2")
async def a_welcome_promises_nothing(bench: Bench) -> None:
    """Sessions without `resume` and `flow` begin, also anew: their Welcomes are bare."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    for _ in range(2):
        agent = await peer.join(agent_id, features=["session"])
        assert agent.welcome is not None
        bare = stream_pb2.Welcome(epoch=agent.welcome.epoch)
        expect.equal(agent.welcome, bare, "the Welcome of a session with nothing but `session`")


# Silence.


@check("SES-7.3", liveness=True)
async def a_silent_client_is_taken_for_dead(bench: Bench) -> None:
    """A session says nothing for three heartbeat intervals: it is told so, and ended."""
    agent = await bench.join(bench.id("a"), features=["session"])
    await bench.pass_time(patience(agent) + 0.2)
    what = "the stream of a silent client"
    end = await ended(agent, grpc.StatusCode.UNAVAILABLE, what, word="HEARTBEAT_TIMEOUT")
    expect.equal(len(end.events), 1, "how many messages come before the end")
    expect.err(end.events[-1], "HEARTBEAT_TIMEOUT", "what the silent client is told", fatal=True)


@check("SES-7.4", liveness=True)
async def who_was_taken_for_dead_is_gone(bench: Bench) -> None:
    """A session says nothing for three heartbeat intervals: what it offered is not found any more."""
    name, caller = bench.capability("c"), bench.peer("caller")
    agent = await bench.join(bench.id("a"), features=["session"], capabilities=[name])
    await bench.pass_time(patience(agent) + 0.2)
    await agent.end()
    expect.result(await caller.call(name), "ACTION_ERROR", "a call of what it offered", code="NOT_FOUND")


@check("SES-7.5", liveness=True)
async def nobody_is_taken_for_dead_too_early(bench: Bench) -> None:
    """A session says nothing for almost three heartbeat intervals, twice: it goes on."""
    agent = await bench.join(bench.id("a"), features=["session"])
    for _ in range(2):
        await bench.pass_time(patience(agent) - 0.5)
        expect.equal(await agent.until_pong(), [], "what came while the client was silent")


@check("SES-7.6", liveness=True)
async def pings_keep_a_session_alive(bench: Bench) -> None:
    """A session says nothing but a ping in each heartbeat interval, for a long time: it goes on."""
    agent = await bench.join(bench.id("a"), features=["session"])
    for _ in range(7):
        await bench.pass_time(patience(agent) / 3)
        expect.equal(await agent.until_pong(), [], "what came besides the pong")


@check("SES-7.7", liveness=True)
async def whatever_it_says_keeps_a_session_alive(bench: Bench) -> None:
    """A session publishes and answers, and never pings, for a long time: it goes on."""
    topic = bench.topic("t")
    listener = await bench.join(bench.id("l"), topic)
    agent = await bench.join(bench.id("a"), features=["session"])
    for number in range(4):
        await bench.pass_time(patience(agent) - 0.5)
        await agent.publish(topic, str(number).encode())
        delivery = await listener.delivery()
        expect.equal(delivery.event.payload, str(number).encode(), "what the client published")
        await bench.pass_time(patience(agent) - 0.5)
        await agent.send(action_result=action_pb2.ActionResult(id="unknown"))
        expect.err(await agent.read(), "UNKNOWN_CALL", "the answer to a result of no call")


@check("SES-7.8", liveness=True)
async def a_silent_base_level_client_lives(bench: Bench) -> None:
    """A client without `session` says nothing for fifteen heartbeat intervals: it still receives."""
    topic = bench.topic("t")
    publisher = await bench.join(bench.id("p"))
    agent = await bench.join(bench.id("a"), topic)
    await bench.pass_time(5 * max(patience(agent), 3.0))
    await publisher.publish(topic, b"x")
    await publisher.until_pong()
    expect.equal(await payloads(agent), [b"x"], "what the client receives after its silence")


@check("SES-7.9", needs=["session"], liveness=True, limits={"queue_events": 1, "slow_consumer_ms": 600_000})
async def time_without_reading_does_not_count(bench: Bench) -> None:
    """A session's events wait for a full queue, so that it is read no further for long: it goes on."""
    topic = bench.topic("t")
    slow = await bench.join(bench.id("slow"), topic)
    agent = await bench.join(bench.id("a"), features=["session"])
    await bench.control.hold(slow.agent_id)
    for payload in (b"1", b"2", b"3"):
        await agent.publish(topic, payload)

    async def is_paused() -> bool:
        told = await bench.control.agent(agent.agent_id)
        return told is not None and told.paused

    await bench.eventually(is_paused, "the publisher for whose events there is no room is read no further")
    await bench.pass_time(3 * patience(agent))
    await bench.control.release(slow.agent_id)
    received = [(await slow.delivery()).event.payload for _ in range(3)]
    expect.equal(received, [b"1", b"2", b"3"], "what the slow one receives in the end")
    await bench.pass_time(patience(agent) - 0.5)
    expect.equal(await agent.until_pong(), [], "what comes to the client that was not read")


@check("SES-7.10", clock="real")
async def a_dead_connection_is_noticed(bench: Bench) -> None:
    """A base-level agent's connection goes silent, open as it is: within ten seconds its call is answered."""
    name, caller, relay = bench.capability("c"), bench.peer("caller"), await bench.relay()
    agent = await bench.peer("a", through=relay).join(bench.id("a"), capabilities=[name])
    calling = await open_call(agent, caller, name)
    loop = asyncio.get_running_loop()
    began = loop.time()
    relay.silence()
    bench.tape.note("a", "the connection goes silent")
    expect.result(await calling.result(), "ACTION_RETRYABLE", "the call that it had", code="PROVIDER_LOST")
    expect.at_most(loop.time() - began, NOTICED_S, "how many seconds it took to notice")
    expect.result(await caller.call(name), "ACTION_ERROR", "a call of what it offered", code="NOT_FOUND")
