"""FLOW-1: queues are bounded, and what happens at the bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.v1 import stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.hearing import BACKGROUND, REALTIME, agent_in, heard, payloads, subscription, waiting

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

LARGE = 10_000
"""Beside this many bytes the rest of an event does not count: its queue is given room for so many of them."""
PINGS = 1_000


@check("FLOW-1.1", limits={"queue_events": 3})
async def a_queue_holds_so_many_events(bench: Bench) -> None:
    """Three events fill a queue of three; what two more publishers send is not queued, but waits."""
    slow = await _held(bench)
    first = await bench.join(bench.id("first"))
    for number in range(3):
        await first.publish(bench.topic("t"), b"%d" % number)
    await first.until_pong()
    expect.equal((await agent_in(bench, slow)).queued_events, 3, "how many events are queued before")
    for number in (1, 2):
        publisher = await bench.join(bench.id(f"publisher{number}"))
        await publisher.publish(bench.topic("t"), b"more")
        await _taken(bench, number, 3)
    expect.equal((await agent_in(bench, slow)).queued_events, 3, "how many events are queued after")


@check("FLOW-1.2", limits={"queue_bytes": 5 * LARGE})
async def a_queue_holds_so_many_bytes(bench: Bench) -> None:
    """Six events of about a quarter of the queue's bytes come: it holds no more bytes than its limit."""
    slow = await _held(bench)
    for number in range(6):
        publisher = await bench.join(bench.id(f"publisher{number}"))
        await publisher.publish(bench.topic("t"), bytes(LARGE + 2_000))
        await bench.eventually(_there_are(bench, number + 1), f"that {number + 1} events have come")
    state = await agent_in(bench, slow)
    expect.at_most(state.queued_bytes, 5 * LARGE, "how many bytes are queued")
    expect.equal(state.queued_events, 4, "how many events are queued")


@check("FLOW-1.3", limits={"queue_bytes": LARGE})
async def an_empty_queue_takes_any_event(bench: Bench) -> None:
    """An event of twice the queue's bytes comes for an empty queue: it does not wait, and arrives."""
    slow = await _held(bench)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("t"), bytes(2 * LARGE))
    await bench.eventually(_there_are(bench, 1), "that the event has come")
    state = await agent_in(bench, slow)
    expect.equal(
        (state.queued_events, state.waiting_events), (1, 0), "how many events are queued, how many wait"
    )
    await bench.control.release(slow.agent_id)
    (events,) = await heard(publisher, slow)
    expect.equal([len(event) for event in events], [2 * LARGE], "the sizes of what arrived")


# Realtime.


@check("FLOW-1.4", limits={"queue_events": 3})
async def the_oldest_realtime_event_makes_room(bench: Bench) -> None:
    """Seven realtime events come for a queue of three: the last three arrive, in order."""
    slow = await _held(bench, qos=REALTIME)
    publisher = await bench.join(bench.id("publisher"))
    for number in range(7):
        await publisher.publish(bench.topic("t"), b"%d" % number)
    await publisher.until_pong()
    await bench.control.release(slow.agent_id)
    expect.equal(
        _events(await slow.until_pong()), [b"4", b"5", b"6"], "what arrived of seven realtime events"
    )


@check("FLOW-1.5", limits={"queue_bytes": 5 * LARGE})
async def as_many_make_room_as_are_needed(bench: Bench) -> None:
    """Four realtime events are queued, one comes that needs the room of two: the two oldest are dropped."""
    slow = await _held(bench, qos=REALTIME)
    publisher = await bench.join(bench.id("publisher"))
    for number in range(4):
        await publisher.publish(bench.topic("t"), bytes(LARGE), id=f"small {number}")
    await publisher.publish(bench.topic("t"), bytes(2 * LARGE + 5_000), id="large")
    await publisher.until_pong()
    await bench.control.release(slow.agent_id)
    seen = [
        event.delivery.event.id for event in await slow.until_pong() if event.WhichOneof("msg") == "delivery"
    ]
    expect.equal(seen, ["small 2", "small 3", "large"], "the events that arrived")


@check("FLOW-1.6", limits={"queue_events": 2})
async def a_realtime_subscriber_slows_nobody(bench: Bench) -> None:
    """Many events come for a full realtime subscriber: another hears them at once, nobody is slowed."""
    slow = await _held(bench, qos=REALTIME)
    quick = await bench.join(bench.id("quick"), bench.topic("t"))
    peer = bench.peer("publisher")
    publisher = await peer.join(bench.id("publisher"))
    other = await peer.join(bench.id("other"))
    for number in range(6):
        await publisher.publish(bench.topic("t"), b"%d" % number)
    for _ in range(3):
        await other.until_pong()
    await other.publish(bench.topic("t"), b"end")
    seen = []
    while (payload := (await quick.delivery()).event.payload) != b"end":
        seen.append(payload)
    expect.equal(seen, [b"%d" % number for number in range(6)], "what the other subscriber heard meanwhile")
    expect.equal((await agent_in(bench, publisher)).paused, False, "whether the publisher is slowed")
    expect.equal((await agent_in(bench, slow)).waiting_events, 0, "how many events wait")


@check("FLOW-1.7", limits={"queue_events": 3})
async def realtime_pushes_out_nothing_else(bench: Bench) -> None:
    """A queue is full of batched and background events: realtime ones that come are dropped themselves."""
    kinds = [
        subscription(bench.topic("now"), qos=REALTIME),
        subscription(bench.topic("late"), qos=BACKGROUND),
    ]
    slow = await _held(bench, *kinds)
    publisher = await bench.join(bench.id("publisher"))
    for topic, payload in (("t", b"1"), ("late", b"2"), ("t", b"3"), ("now", b"lost"), ("now", b"lost too")):
        await publisher.publish(bench.topic(topic), payload)
    await publisher.until_pong()
    await bench.control.release(slow.agent_id)
    seen = await slow.until_pong()
    expect.err(seen[0], "EVENTS_DROPPED", "what the subscriber is told first", names="2")
    expect.equal(_events(seen[1:]), [b"1", b"2", b"3"], "what arrived")


# Nothing else is dropped.


@check("FLOW-1.8", limits={"queue_events": 2})
async def batched_events_all_arrive(bench: Bench) -> None:
    """Ten events come for a full queue of two, from two publishers: all arrive once the subscriber reads."""
    await _all_arrive(bench, await _held(bench))


@check("FLOW-1.9", limits={"queue_events": 2})
async def background_events_all_arrive(bench: Bench) -> None:
    """The same for a background subscription: all arrive."""
    await _all_arrive(bench, await _held(bench, qos=BACKGROUND))


@check("FLOW-1.10", needs=["control"])
async def who_takes_no_answers_is_read_no_further(bench: Bench) -> None:
    """An agent takes no answers, pings a thousand times and publishes: that is not taken until it reads."""
    quick = await bench.join(bench.id("quick"), bench.topic("t"))
    agent = await bench.join(bench.id("agent"))
    await bench.control.hold(agent.agent_id)
    for number in range(PINGS):
        await agent.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=number))
    await agent.publish(bench.topic("t"), b"after the pings")
    heard_early: list[Any] = []

    async def decided() -> bool:
        heard_early.extend(await quick.until_pong())
        return bool(heard_early) or (await agent_in(bench, agent)).paused

    await bench.eventually(decided, "that the agent is read no further, or all it sent was taken")
    expect.nothing(heard_early, "what was taken of the agent behind a thousand unread answers")
    await bench.control.release(agent.agent_id)
    pongs = [event.pong.timestamp_ms for event in await agent.until_pong()]
    expect.equal(pongs, list(range(PINGS)), "the pongs once it reads")
    expect.equal(await payloads(quick), [b"after the pings"], "what was heard of the agent then")


@check("FLOW-1.11", limits={"queue_bytes": 5 * LARGE})
async def a_small_event_waits_behind_a_large_one(bench: Bench) -> None:
    """A large event waits for room; a small one of another publisher that would fit waits behind it."""
    slow = await _held(bench)
    one, two = [await bench.join(bench.id(name)) for name in ("one", "two")]
    await one.publish(bench.topic("t"), bytes(3 * LARGE), id="first")
    await one.publish(bench.topic("t"), bytes(3 * LARGE), id="large")
    await waiting(bench, slow, 1)
    await two.publish(bench.topic("t"), b"", id="small")
    await bench.eventually(_there_are(bench, 3), "that three events have come")
    await bench.control.release(slow.agent_id)
    seen = [delivery.event.id for delivery in await slow.deliveries()]
    expect.equal(seen, ["first", "large", "small"], "the events in the order in which they arrived")


async def _held(bench: Bench, *more: Any, qos: int | None = None) -> Stream:
    """A subscriber to `t` whose writes are held."""
    if qos is None and not more:
        slow = await bench.join(bench.id("slow"), bench.topic("t"))
    else:
        wanted = [subscription(bench.topic("t"), **({} if qos is None else {"qos": qos})), *more]
        slow = await bench.join(bench.id("slow"), features=["subscriptions"], subscriptions=wanted)
    await bench.control.hold(slow.agent_id)
    return slow


def _there_are(bench: Bench, count: int) -> Any:
    """Whether so many events have come for the held subscriber, queued or waiting."""

    async def so_many() -> bool:
        state = await bench.control.agent(bench.id("slow"))
        return state is not None and state.queued_events + state.waiting_events == count

    return so_many


async def _taken(bench: Bench, waits: int, queued: int) -> None:
    await bench.eventually(_there_are(bench, waits + queued), f"that {waits + queued} events have come")


async def _all_arrive(bench: Bench, slow: Stream) -> None:
    quick = await bench.join(bench.id("quick"), bench.topic("t"))
    publishers = [await bench.join(bench.id(f"publisher{number}")) for number in (1, 2)]
    sent = [b"%d" % number for number in range(10)]
    for number, payload in enumerate(sent):
        await publishers[number % 2].publish(bench.topic("t"), payload)
    for _ in range(4):
        await quick.delivery()  # two are queued then, and one of each publisher waits
    await bench.control.release(slow.agent_id)
    for publisher in publishers:
        expect.nothing(await publisher.until_pong(), f"what {publisher.who} received for its publishes")
    expect.equal(
        sorted(_events(await slow.until_pong())), sorted(sent), "what arrived once the subscriber read"
    )


def _events(seen: list[stream_pb2.ServerEvent]) -> list[bytes]:
    return [event.delivery.event.payload for event in seen if event.WhichOneof("msg") == "delivery"]
