"""FLOW-3: who takes nothing for too long is cut off, and nobody else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from loom.v1 import stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.hearing import REALTIME, agent_in, heard, payloads, subscription, waiting
from loom_conformance.stream import End

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

TWO = {"queue_events": 2}
MOMENT = 0.001
"""Virtual seconds."""
LARGE = 32_000
PUBLISHERS, EACH = 40, 5
"""So many that some wait all along, also when a bridge hands its transport many at a time."""
PINGS = 1_000


@check("FLOW-3.1", limits=TWO)
async def a_full_one_that_takes_nothing_is_cut_off(bench: Bench) -> None:
    """A subscriber's queue is full and it takes nothing for the time allowed: it is told why, and cut off."""
    slow, _ = await _full(bench)
    await bench.pass_time(_allowed(slow))
    await _is_cut_off(bench, slow)


@check("FLOW-3.1", limits=TWO)
async def nothing_needs_to_wait_for_it(bench: Bench) -> None:
    """The queue is just full, and no event waits: the subscriber is cut off likewise."""
    slow, _ = await _full(bench, events=2)
    await bench.pass_time(_allowed(slow))
    await _is_cut_off(bench, slow)


@check("FLOW-3.2", limits=TWO)
async def nobody_is_cut_off_early(bench: Bench) -> None:
    """A full subscriber takes nothing until just before the time is over: it is there, and gets all."""
    slow, _ = await _full(bench)
    await bench.pass_time(_allowed(slow) - MOMENT)
    await _is_there(bench, slow, "just before the time is over")
    await bench.control.release(slow.agent_id)
    expect.equal(await payloads(slow), [b"0", b"1", b"2"], "what the subscriber got then")


@check("FLOW-3.3", limits=TWO)
async def progress_begins_the_time_anew(bench: Bench) -> None:
    """A full subscriber takes what there is just in time and is full again: it has the whole time anew."""
    slow, publisher = await _full(bench)
    for _ in range(2):
        await bench.pass_time(_allowed(slow) - MOMENT)
        await bench.control.release(slow.agent_id)
        expect.equal(len(await payloads(slow)), 3, "how many events the subscriber got")
        await bench.control.hold(slow.agent_id)
        await _fill(bench, publisher, slow, 3)
    await bench.pass_time(_allowed(slow) - MOMENT)
    await _is_there(bench, slow, "as it took something within the time")
    await bench.pass_time(MOMENT)
    await _is_cut_off(bench, slow)


@check("FLOW-3.3", limits={"queue_events": 5})
async def a_little_progress_is_enough(bench: Bench) -> None:
    """A subscriber takes a little, just in time, thrice, and is full all along: it is not cut off."""
    slow = await bench.peer("slow", narrow=True).join(bench.id("slow"), bench.topic("t"))
    peer = bench.peer("publishers")
    many = await asyncio.gather(*(peer.join(bench.id(f"publisher{number}")) for number in range(PUBLISHERS)))
    publishing = [asyncio.create_task(_publish_many(publisher, bench.topic("t"))) for publisher in many]
    taken = 0
    try:
        for _ in range(3):
            await waiting(bench, slow, PUBLISHERS)
            await bench.pass_time(_allowed(slow) * 0.9)
            await _is_there(bench, slow, "although it took a little each time")
            taken += await _take(bench, slow)
        while taken < PUBLISHERS * EACH:
            await slow.delivery()
            taken += 1
        await asyncio.gather(*publishing)
    finally:
        for task in publishing:
            task.cancel()
    expect.nothing(await payloads(slow), "what came after all that was published")


@check("FLOW-3.4", limits=TWO)
async def one_with_room_is_never_cut_off(bench: Bench) -> None:
    """A subscriber takes nothing for an hour, with room in its queue: it is there, and gets its event."""
    slow, _ = await _full(bench, events=1)
    await bench.pass_time(3_600)
    await _is_there(bench, slow, "after an hour with room in its queue")
    await bench.control.release(slow.agent_id)
    expect.equal(await payloads(slow), [b"0"], "what the subscriber got after an hour")


@check("FLOW-3.5", limits=TWO)
async def full_of_realtime_is_full(bench: Bench) -> None:
    """A queue is full of realtime events, and nothing waits: the subscriber is cut off in its time."""
    wanted = [subscription(bench.topic("t"), qos=REALTIME)]
    slow = await bench.join(bench.id("slow"), features=["subscriptions"], subscriptions=wanted)
    publisher = await bench.join(bench.id("publisher"))
    await bench.control.hold(slow.agent_id)
    await _fill(bench, publisher, slow, 2)
    await bench.pass_time(_allowed(slow))
    await _is_cut_off(bench, slow)


@check("FLOW-3.6", needs=["control"])
async def who_takes_no_answers_is_cut_off(bench: Bench) -> None:
    """An agent pings a thousand times and takes no pong: it is read no further, and cut off in its time."""
    agent = await bench.join(bench.id("agent"))
    await bench.control.hold(agent.agent_id)
    for number in range(PINGS):
        await agent.send(ping=stream_pb2.HeartbeatRequest(timestamp_ms=number))

    async def paused() -> bool:
        return (await agent_in(bench, agent)).paused

    await bench.eventually(paused, "that the agent is read no further")
    await bench.pass_time(_allowed(agent))
    await _is_cut_off(bench, agent)


@check("FLOW-3.7", limits=TWO)
async def the_others_go_on(bench: Bench) -> None:
    """When a slow subscriber is cut off, a publisher whose event waited for it is read on, others hear it."""
    quick = await bench.join(bench.id("quick"), bench.topic("t"))
    slow, publisher = await _full(bench)
    await bench.pass_time(_allowed(slow))
    expect.equal(
        await bench.control.agent(slow.agent_id), None, "what the bridge knows of the slow subscriber"
    )
    state = await agent_in(bench, publisher)
    expect.equal(state.paused, False, "whether the publisher is read no further")
    await publisher.publish(bench.topic("t"), b"after")
    (events,) = await heard(publisher, quick)
    expect.equal(events, [b"0", b"1", b"2", b"after"], "what the other subscriber heard in all")


async def _full(bench: Bench, *, events: int = 3) -> tuple[Stream, Stream]:
    """A subscriber that takes nothing, with so many events for its queue of two, and their publisher."""
    slow = await bench.join(bench.id("slow"), bench.topic("t"))
    publisher = await bench.join(bench.id("publisher"))
    await bench.control.hold(slow.agent_id)
    await _fill(bench, publisher, slow, events)
    return slow, publisher


async def _fill(bench: Bench, publisher: Stream, slow: Stream, events: int) -> None:
    for number in range(events):
        await publisher.publish(bench.topic("t"), b"%d" % number)
    if events > TWO["queue_events"]:
        await waiting(bench, slow, events - TWO["queue_events"])
    else:
        await publisher.until_pong()


async def _publish_many(publisher: Stream, topic: str) -> None:
    """Publishes until the bridge reads no further, and on when it does."""
    for _ in range(EACH):
        await publisher.publish(topic, bytes(LARGE))


async def _take(bench: Bench, slow: Stream) -> int:
    """Reads events until the bridge has written further ones because of it; gives how many."""
    written = await bench.control.counter("copies_sent")
    taken = 0
    while await bench.control.counter("copies_sent") == written:
        await slow.delivery()
        taken += 1
    return taken


def _allowed(stream: Stream) -> float:
    """How long a full subscriber may take nothing, seconds, as the bridge tells it."""
    return float(stream.registration.limits.slow_consumer_ms) / 1000


async def _is_there(bench: Bench, stream: Stream, when: str) -> None:
    there = await bench.control.agent(stream.agent_id) is not None
    expect.true(there, f"whether the subscriber is there {when}", expected="there", got="gone")


async def _is_cut_off(bench: Bench, stream: Stream) -> None:
    gone = await bench.control.agent(stream.agent_id) is None
    expect.true(gone, "whether the subscriber is cut off when the time is over", expected="gone", got="there")
    end: End = await stream.end()
    errs: list[Any] = [event for event in end.events if event.WhichOneof("msg") == "err"]
    expect.equal(len(errs), 1, "how many errs came before the end")
    expect.err(errs[0], "SLOW_CONSUMER", "what it is told", fatal=True)
    expect.status(end, grpc.StatusCode.RESOURCE_EXHAUSTED, "the end of its stream", names="SLOW_CONSUMER")
