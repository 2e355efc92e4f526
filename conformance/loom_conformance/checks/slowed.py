"""FLOW-2: whom a full subscriber slows, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance import Bench, check, expect
from loom_conformance.hearing import agent_in, heard, payloads, waiting

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

TTL = "loom.ttl_ms"
ONE = {"queue_events": 1}


@check("FLOW-2.1", limits=ONE)
async def the_others_receive_at_once(bench: Bench) -> None:
    """An event comes for a full subscriber and two others: they have it while it waits for the full one."""
    slow = await _full(bench)
    others = [await bench.join(bench.id(f"other{number}"), bench.topic("t")) for number in (1, 2)]
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("t"), b"1")
    await waiting(bench, slow, 1)
    for other in others:
        expect.equal(
            await payloads(other), [b"1"], f"what {other.who} heard while the event waits for another"
        )
    expect.equal((await agent_in(bench, slow)).waiting_events, 1, "how many events wait then")


@check("FLOW-2.2", limits=ONE)
async def a_publisher_whose_event_waits_is_not_read(bench: Bench) -> None:
    """A publisher's event waits, and it publishes elsewhere: that is not taken before the first has room."""
    slow = await _full(bench)
    elsewhere = await bench.join(bench.id("elsewhere"), bench.topic("elsewhere"))
    culprit, neighbour = await _neighbours(bench)
    await culprit.publish(bench.topic("t"), b"waits")
    await waiting(bench, slow, 1)
    await culprit.publish(bench.topic("elsewhere"), b"of the slowed one")
    got = await _next_from(bench, neighbour, elsewhere)
    expect.equal(got, [b"of the neighbour"], "what was taken of both publishers while an event waits")
    await bench.control.release(slow.agent_id)
    (events,) = await heard(culprit, elsewhere)
    expect.equal(events, [b"of the slowed one"], "what was taken of the slowed publisher then")


@check("FLOW-2.3", limits=ONE)
async def other_publishers_are_read_on(bench: Bench) -> None:
    """While one publisher's event waits, others publish to others and ping: all of it is taken at once."""
    slow = await _full(bench)
    quick = await bench.join(bench.id("quick"), bench.topic("free"))
    culprit, neighbour = await _neighbours(bench)
    stranger = await bench.join(bench.id("stranger"))
    await culprit.publish(bench.topic("t"), b"waits")
    await waiting(bench, slow, 1)
    for publisher in (neighbour, stranger):
        state = await agent_in(bench, publisher)
        expect.equal(state.paused, False, f"whether {publisher.agent_id} is read no further")
        await publisher.publish(bench.topic("free"), b"1")
        (events,) = await heard(publisher, quick)
        expect.equal(
            events, [b"1"], f"what was taken of {publisher.agent_id} while an event of another waits"
        )


@check("FLOW-2.4", limits=ONE)
async def what_was_sent_meanwhile_takes_effect(bench: Bench) -> None:
    """A slowed publisher sends on, to the full subscriber and elsewhere; once there is room all arrives."""
    slow = await _full(bench)
    other = await bench.join(bench.id("other"), bench.topic("*"))
    publisher, neighbour = await _neighbours(bench)
    await publisher.publish(bench.topic("t"), b"0")
    await waiting(bench, slow, 1)
    sent = [b"%d" % number for number in range(1, 7)]
    for number, payload in enumerate(sent):
        await publisher.publish(bench.topic(("t", "elsewhere")[number % 2]), payload)
    await _chance_to_read(bench, neighbour)
    await bench.control.release(slow.agent_id)
    got, others = await heard(publisher, slow, other)
    expect.equal(others, [b"0", *sent], "what the other subscriber heard in all")
    expect.equal(got, [b"full", b"0", b"1", b"3", b"5"], "what the full subscriber heard in all")


@check("FLOW-2.5", limits=ONE)
async def who_came_first_is_first(bench: Bench) -> None:
    """Events of four publishers wait for one subscriber: they arrive in the order in which they came."""
    slow = await _full(bench)
    names = ("delta", "alpha", "charlie", "bravo")
    publishers = [await bench.join(bench.id(name)) for name in names]
    for number, publisher in enumerate(reversed(publishers), 1):
        await publisher.publish(bench.topic("t"), b"%d" % number)
        await waiting(bench, slow, number)
    await bench.control.release(slow.agent_id)
    expect.equal(await payloads(slow), [b"full", b"1", b"2", b"3", b"4"], "what arrived, in order")


@check("FLOW-2.6", limits=ONE)
async def each_is_charged_for_its_own(bench: Bench) -> None:
    """The first of two publishers whose events wait gets room: it is read on, the second not yet."""
    slow = await _full(bench, ttl=1_000)
    first = await bench.join(bench.id("first"))
    second = await bench.join(bench.id("second"))
    for number, publisher in enumerate((first, second), 1):
        await publisher.publish(bench.topic("t"), publisher.who.encode())
        await waiting(bench, slow, number)
    await bench.pass_time(1)
    await waiting(bench, slow, 1)
    paused = [(await agent_in(bench, publisher)).paused for publisher in (first, second)]
    expect.equal(paused, [False, True], "whether the first and the second publisher are read no further")
    expect.nothing(await first.until_pong(), "what came back to the first")


@check("FLOW-2.7", limits=ONE)
async def a_gone_subscriber_slows_nobody(bench: Bench) -> None:
    """The subscriber for which a publisher's event waits is lost: the publisher is read on."""
    slow = await _full(bench)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("t"), b"waits")
    await waiting(bench, slow, 1)
    await bench.control.disconnect(slow.agent_id)
    await _is_read_on(bench, publisher, "once the subscriber is gone")


@check("FLOW-2.8", limits=ONE)
async def an_expired_event_slows_nobody(bench: Bench) -> None:
    """A publisher's event waits until its time to live is over: then the publisher is read on."""
    slow = await _full(bench)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("t"), b"waits", metadata={TTL: "500"})
    await waiting(bench, slow, 1)
    expect.equal((await agent_in(bench, publisher)).paused, True, "whether it is read no further before")
    await bench.pass_time(0.5)
    await _is_read_on(bench, publisher, "once its waiting event has expired")
    await bench.control.release(slow.agent_id)
    expect.equal(await payloads(slow), [b"full"], "what the full subscriber heard in the end")


@check("FLOW-2.9", limits=ONE)
async def what_expires_makes_room(bench: Bench) -> None:
    """The one event of a full queue expires: the one that waited is queued, and its publisher is read on."""
    slow = await _full(bench, ttl=500)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("t"), b"waits")
    await waiting(bench, slow, 1)
    await bench.pass_time(0.5)
    state = await agent_in(bench, slow)
    expect.equal(
        (state.queued_events, state.waiting_events), (1, 0), "how many events are queued, how many wait"
    )
    await _is_read_on(bench, publisher, "once its event has room")
    await bench.control.release(slow.agent_id)
    expect.equal(await payloads(slow), [b"waits"], "what the subscriber heard in the end")


@check("FLOW-2.10", limits=ONE)
async def what_waits_outlives_its_publisher(bench: Bench) -> None:
    """A publisher is lost while its event waits: the event arrives all the same."""
    slow = await _full(bench)
    publisher = await bench.join(bench.id("publisher"))
    await publisher.publish(bench.topic("t"), b"waits")
    await waiting(bench, slow, 1)
    await bench.control.disconnect(publisher.agent_id)
    expect.equal(
        await bench.control.agent(publisher.agent_id), None, "what the bridge knows of the publisher"
    )
    await bench.control.release(slow.agent_id)
    expect.equal(await payloads(slow), [b"full", b"waits"], "what the subscriber heard in the end")


@check("FLOW-2.11", limits=ONE)
async def coming_back_is_no_way_round(bench: Bench) -> None:
    """A slowed publisher is lost and comes back: what it publishes is not taken before its event has room."""
    slow = await _full(bench)
    elsewhere = await bench.join(bench.id("elsewhere"), bench.topic("elsewhere"))
    culprit, neighbour = await _neighbours(bench)
    await culprit.publish(bench.topic("t"), b"waits")
    await waiting(bench, slow, 1)
    await bench.control.disconnect(culprit.agent_id)
    again = await bench.join(culprit.agent_id)
    await again.publish(bench.topic("elsewhere"), b"of the slowed one")
    got = await _next_from(bench, neighbour, elsewhere)
    expect.equal(got, [b"of the neighbour"], "what was taken of both publishers while an event waits")
    await bench.control.release(slow.agent_id)
    (events,) = await heard(again, elsewhere)
    expect.equal(events, [b"of the slowed one"], "what was taken of the one that came back then")


async def _full(bench: Bench, *, ttl: int = 0) -> Stream:
    """A subscriber to `t` that takes nothing, and whose queue of one is full."""
    slow = await bench.join(bench.id("slow"), bench.topic("t"))
    await bench.control.hold(slow.agent_id)
    filler = await bench.join(bench.id("filler"))
    await filler.publish(bench.topic("t"), b"full", metadata={TTL: str(ttl)} if ttl else {})
    await filler.until_pong()
    return slow


async def _neighbours(bench: Bench) -> tuple[Stream, Stream]:
    """Two agents on one connection: what the second sends comes after what the first sent before."""
    peer = bench.peer("publisher")
    return await peer.join(bench.id("culprit")), await peer.join(bench.id("neighbour"))


async def _chance_to_read(bench: Bench, neighbour: Stream) -> None:
    """Gives the bridge every chance to read what was sent before on the neighbour's connection."""
    for _ in range(5):
        await neighbour.until_pong()
        await bench.control.snapshot()


async def _next_from(bench: Bench, neighbour: Stream, subscriber: Stream) -> list[bytes]:
    """Lets a neighbour publish, after the bridge had every chance to read all that was sent before.

    Gives what the subscriber heard up to then.
    """
    await _chance_to_read(bench, neighbour)
    await neighbour.publish(bench.topic("elsewhere"), b"of the neighbour")
    (events,) = await heard(neighbour, subscriber)
    return events


async def _is_read_on(bench: Bench, publisher: Stream, when: str) -> None:
    expect.equal((await agent_in(bench, publisher)).paused, False, f"whether it is read no further {when}")
    expect.nothing(await publisher.until_pong(), f"what came back to the publisher {when}")
