"""SES-6: how a stream ends: in order, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from loom.v1 import stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.backlog import BALLAST_EVENTS, Backlog, without_ballast
from loom_conformance.steps import ended, is_unknown, open_call, passes, payloads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loom_conformance.stream import Stream

    Leave = Callable[[Stream], Awaitable[None]]

FLUSH_MS = 5_000
"""How long a flush may take, where the bridge does not tell."""
SMALL = {"queue_events": 2, "stream_window": 1}


async def goodbye(stream: Stream) -> None:
    """Leaves by a word."""
    await stream.send(goodbye=stream_pb2.Goodbye(reason="done"))


async def half_close(stream: Stream) -> None:
    """Leaves by saying nothing more."""
    await stream.half_close()


# What was said before.


async def _last_words_count(bench: Bench, leave: Leave) -> None:
    """A result and twenty events, then the agent leaves in the same breath: all of it takes effect."""
    topic, name = bench.topic("t"), bench.capability("c")
    listener = await bench.join(bench.id("l"), topic)
    agent = await bench.join(bench.id("a"), capabilities=[name])
    calling = bench.peer("caller").invoke(name)
    call = await agent.action_call()
    words = [str(number).encode() for number in range(20)]
    await agent.answer(call, b"answered")
    for word in words:
        await agent.publish(topic, word)
    await leave(agent)
    await agent.end()
    expect.equal(await payloads(listener), words, "what is delivered of what the agent published")
    expect.result(await calling.result(), "ACTION_OK", "the call that it answered", output=b"answered")


async def _last_words_of_a_slowed_client_count(bench: Bench, leave: Leave) -> None:
    """A publisher that is read no further leaves: once it is read again, all it said takes effect."""
    topic = bench.topic("t")
    slow = await bench.join(bench.id("slow"), topic)
    agent = await bench.join(bench.id("a"))
    await bench.control.hold(slow.agent_id)
    words = [str(number).encode() for number in range(12)]
    for word in words:
        await agent.publish(topic, word)
    await leave(agent)

    async def is_paused() -> bool:
        told = await bench.control.agent(agent.agent_id)
        return told is not None and told.paused

    await bench.eventually(is_paused, "the publisher for whose events there is no room is read no further")
    await bench.control.release(slow.agent_id)
    received = [(await slow.delivery()).event.payload for _ in words]
    expect.equal(received, words, "what is delivered of what the agent published")


@check("SES-6.1")
async def what_comes_before_a_goodbye(bench: Bench) -> None:
    """An agent answers a call, publishes twenty events and says goodbye at once: all takes effect."""
    await _last_words_count(bench, goodbye)


@check("SES-6.1", needs=["control"], limits=SMALL)
async def what_a_slowed_client_says_before_its_goodbye(bench: Bench) -> None:
    """A publisher that is read no further for a full queue says goodbye: all it said before takes effect."""
    await _last_words_of_a_slowed_client_count(bench, goodbye)


@check("SES-6.2")
async def what_comes_before_a_half_close(bench: Bench) -> None:
    """An agent answers a call, publishes twenty events and half-closes at once: all takes effect."""
    await _last_words_count(bench, half_close)


@check("SES-6.2", needs=["control"], limits=SMALL)
async def what_a_slowed_client_says_before_its_half_close(bench: Bench) -> None:
    """A publisher that is read no further for a full queue half-closes: all it said before takes effect."""
    await _last_words_of_a_slowed_client_count(bench, half_close)


# What was queued.


async def _the_queue_is_flushed(bench: Bench, leave: Leave) -> None:
    """Events lie in the queue of an agent that leaves: it receives them before its end."""
    topic, name = bench.topic("t"), bench.capability("c")
    agent = await bench.peer("a", narrow=True).join(bench.id("a"), topic, capabilities=[name])
    publisher = await bench.join(bench.id("p"))
    calling = await open_call(agent, bench.peer("caller"), name)
    backlog = Backlog(bench, agent, publisher, topic, ballast=BALLAST_EVENTS)
    await backlog.begin()
    await backlog.publish(b"1", b"2", b"3")
    await leave(agent)
    await calling.outcome()  # the bridge answers it because the agent is leaving
    received = [delivery.event.payload for delivery in without_ballast((await agent.end()).events)]
    expect.equal(received, [b"1", b"2", b"3"], "what the leaving agent receives of its queue")


@check("SES-6.3")
async def a_goodbye_is_flushed(bench: Bench) -> None:
    """Events lie in the queue of an agent that says goodbye: it receives them before its end."""
    await _the_queue_is_flushed(bench, goodbye)


@check("SES-6.4")
async def a_half_close_is_flushed(bench: Bench) -> None:
    """Events lie in the queue of an agent that half-closes: it receives them before its end."""
    await _the_queue_is_flushed(bench, half_close)


@check("SES-6.9", limits=SMALL)
async def a_flush_has_an_end(bench: Bench) -> None:
    """An agent that cannot be written to leaves: when the time for the flush has passed, its stream ends."""
    topic, name = bench.topic("t"), bench.capability("c")
    agent = await bench.join(bench.id("a"), topic, capabilities=[name])
    publisher = await bench.join(bench.id("p"))
    calling = await open_call(agent, bench.peer("caller"), name)
    await bench.control.hold(agent.agent_id)
    await publisher.publish(topic, b"never written")
    await publisher.until_pong()
    await half_close(agent)
    await calling.outcome()
    flush = bench.declared.limits.get("goodbye_flush_ms", FLUSH_MS) / 1000
    await bench.pass_time(flush - 0.5)
    expect.true(not agent.call.done(), "the stream shortly before", expected="still open", got="its end")
    await bench.pass_time(0.7)
    end = await ended(agent, grpc.StatusCode.OK, "the stream when the time for the flush has passed")
    expect.nothing(end.events, "what was written to an agent that cannot be written to")


# The end.


@check("SES-6.5")
async def a_goodbye_ends_ok(bench: Bench) -> None:
    """Clients with and without features say goodbye, and do not half-close: their streams end OK."""
    for name, features in (("base", []), ("full", ["session"])):
        agent = await bench.join(bench.id(name), features=features)
        await goodbye(agent)
        end = await ended(
            agent, grpc.StatusCode.OK, f"the stream after the goodbye of a client with {features}"
        )
        expect.nothing(end.events, "what the client was told before")


@check("SES-6.6")
async def a_half_close_ends_ok(bench: Bench) -> None:
    """A client half-closes: its stream ends OK."""
    agent = await bench.join(bench.id("a"))
    await half_close(agent)
    end = await ended(agent, grpc.StatusCode.OK, "the stream after a half-close")
    expect.nothing(end.events, "what the client was told before")


@check("SES-6.7")
async def who_left_is_gone(bench: Bench) -> None:
    """An agent half-closes: its capability is not found, and its stream cannot be opened any more."""
    name, peer, caller = bench.capability("c"), bench.peer("a"), bench.peer("caller")
    agent = await peer.join(bench.id("a"), capabilities=[name])
    await open_call(agent, caller, name)
    await half_close(agent)
    await agent.end()
    expect.result(await caller.call(name), "ACTION_ERROR", "a call of what it offered", code="NOT_FOUND")
    await is_unknown(peer, agent.agent_id, "a handshake of the agent that left")
    await passes(peer, agent.agent_id)
    await peer.stream(agent.agent_id)


@check("SES-6.8")
async def what_comes_after_a_goodbye(bench: Bench) -> None:
    """An agent publishes, says goodbye and publishes while it is flushed: only the first is delivered."""
    topic, spoken, peer = bench.topic("t"), bench.topic("spoken"), bench.peer("a", narrow=True)
    listener = await bench.join(bench.id("l"), spoken)
    publisher = await bench.join(bench.id("p"))
    agent = await peer.join(bench.id("a"), topic)
    await Backlog(bench, agent, publisher, topic, ballast=30).begin()
    await agent.publish(spoken, b"before")
    await goodbye(agent)
    await agent.publish(spoken, b"after")
    await peer.heartbeat(0)  # on the same connection, so behind what was said on the stream
    await agent.end()
    expect.equal(await payloads(listener), [b"before"], "what is delivered of what the agent published")


# Not in order.


@check("SES-6.10")
async def who_resets_is_gone(bench: Bench) -> None:
    """An agent resets its stream: its open call is answered, and its capability is not found."""
    name, caller = bench.capability("c"), bench.peer("caller")
    agent = await bench.join(bench.id("a"), capabilities=[name])
    calling = await open_call(agent, caller, name)
    agent.reset()
    expect.result(await calling.result(), "ACTION_RETRYABLE", "the call that it had")
    expect.result(await caller.call(name), "ACTION_ERROR", "a call of what it offered", code="NOT_FOUND")
    await is_unknown(bench.peer("a"), agent.agent_id, "a handshake of the agent that is gone")


@check("SES-6.11")
async def who_loses_its_connection_is_gone(bench: Bench) -> None:
    """An agent's connection is cut: its open call is answered, and its capability is not found."""
    name, caller, relay = bench.capability("c"), bench.peer("caller"), await bench.relay()
    agent = await bench.peer("a", through=relay).join(bench.id("a"), capabilities=[name])
    calling = await open_call(agent, caller, name)
    relay.cut()
    expect.result(await calling.result(), "ACTION_RETRYABLE", "the call that it had")
    expect.result(await caller.call(name), "ACTION_ERROR", "a call of what it offered", code="NOT_FOUND")
    await is_unknown(bench.peer("a"), agent.agent_id, "a handshake of the agent that is gone")


@check("SES-6.12")
async def the_queue_of_who_is_gone_is_discarded(bench: Bench) -> None:
    """Events lie in the queue of an agent that resets its stream and comes back: it gets new ones only."""
    topic, name = bench.topic("t"), bench.capability("c")
    agent = await bench.peer("a", narrow=True).join(bench.id("a"), topic, capabilities=[name])
    publisher = await bench.join(bench.id("p"))
    calling = await open_call(agent, bench.peer("caller"), name)
    backlog = Backlog(bench, agent, publisher, topic)
    await backlog.begin()
    await backlog.publish(b"1", b"2")
    agent.reset()
    await calling.outcome()  # the bridge answers it because the agent is gone
    again = await bench.join(agent.agent_id, topic)
    await publisher.publish(topic, b"3")
    await publisher.until_pong()
    received = [delivery.event.payload for delivery in without_ballast(await again.until_pong())]
    expect.equal(received, [b"3"], "what the agent receives that came back under the same id")
