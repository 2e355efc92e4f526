"""SES-4, SES-5, SES-10: epochs; the newest stream wins, and the end of the older one is nobody's concern."""

from __future__ import annotations

import grpc

from loom_conformance import Bench, check, expect
from loom_conformance.backlog import Backlog, without_ballast
from loom_conformance.peer import Peer
from loom_conformance.steps import ended, passes, payloads
from loom_conformance.stream import Stream

PRODUCER = 7
PRODUCER_MS = 120_000
ROUNDS = 60
"""How many answers are awaited while the bridge learns of something that has no answer."""


async def stuck(bench: Bench, topic: str, publisher: Stream, peer: Peer) -> Stream:
    """A stream of the agent `a` on which the bridge cannot write: its client can speak after its end."""
    stream = await peer.join(bench.id("a"), topic)
    await Backlog(bench, stream, publisher, topic, ballast=30).begin()
    return stream


async def while_it_learns(peer: Peer) -> None:
    """Gives what was sent on this connection the time of many answers that come after it."""
    for _ in range(ROUNDS):
        await peer.heartbeat(0)


async def _is_untouched(newer: Stream, publisher: Stream, topic: str, what: str) -> None:
    await publisher.publish(topic, b"still there")
    await publisher.until_pong()
    seen = await newer.until_pong()
    others = [event for event in seen if event.WhichOneof("msg") != "delivery"]
    expect.equal(others, [], f"what else comes on {what}")
    received = [delivery.event.payload for delivery in without_ballast(seen)]
    expect.equal(received, [b"still there"], what)


# SES-4: epochs, and the newest wins.


@check("SES-4.1")
async def epochs_grow(bench: Bench) -> None:
    """Two agents open streams in turn, again and again: each epoch is larger than all before it."""
    last = 0
    for name in ("a", "b", "a", "a", "b"):
        stream = await bench.join(bench.id(name), features=["session"])
        assert stream.welcome is not None
        epoch = stream.welcome.epoch
        expect.true(epoch > last, f"the epoch of {name}", expected=f"more than {last}", got=str(epoch))
        last = epoch


@check("SES-4.2", needs=["session"])
async def epochs_begin_later_in_a_later_namespace(bench: Bench) -> None:
    """Two namespaces begin one after the other: the first epoch of the later one is the larger."""
    epochs = []
    for name in ("earlier", "later"):
        peer = bench.peer(name, namespace=bench.beside(name))
        stream = await peer.join("a", features=["session"])
        assert stream.welcome is not None
        epochs.append(stream.welcome.epoch)
    earlier, later = epochs
    expect.true(
        later > earlier,
        "the first epoch of the later namespace",
        expected=f"more than the earlier's {earlier}",
        got=str(later),
    )


@check("SES-4.2", needs=["session", "control"])
async def epochs_do_not_repeat_after_a_reset(bench: Bench) -> None:
    """A namespace is forgotten and begins anew: its first epoch is larger than all it had before."""
    before = 0
    for _ in range(3):
        stream = await bench.join("a", features=["session"])
        assert stream.welcome is not None
        before = max(before, stream.welcome.epoch)
    await bench.control.reset()
    stream = await bench.join("a", features=["session"])
    assert stream.welcome is not None
    epoch = stream.welcome.epoch
    expect.true(epoch > before, "the first epoch afterwards", expected=f"more than {before}", got=str(epoch))


@check("SES-4.3")
async def the_older_stream_is_told(bench: Bench) -> None:
    """A second stream of an agent is accepted: the first gets err SUPERSEDED, fatal, and nothing after it."""
    older = await bench.join(bench.id("a"), bench.topic("t"))
    await bench.peer("newer").stream(older.agent_id)
    events = (await older.end()).events
    expect.equal(len(events), 1, "how many messages come on the older stream")
    expect.err(events[-1], "SUPERSEDED", "the last message on the older stream", fatal=True)


@check("SES-4.4")
async def the_older_stream_is_aborted(bench: Bench) -> None:
    """A second stream of an agent is accepted, of the same client and of another: the older is ABORTED."""
    peer, agent_id = bench.peer("client"), bench.id("a")
    older = await peer.join(agent_id)
    for newer_peer in (peer, bench.peer("newer")):
        newer = await newer_peer.stream(agent_id)
        await ended(older, grpc.StatusCode.ABORTED, "the end of the older stream", word="SUPERSEDED")
        older = newer


@check("SES-4.5")
async def the_newer_stream_receives(bench: Bench) -> None:
    """A second stream of an agent is accepted, then an event comes: on the newer stream alone."""
    topic = bench.topic("t")
    older = await bench.join(bench.id("a"), topic)
    publisher = await bench.join(bench.id("p"))
    newer = await bench.peer("newer").stream(older.agent_id)
    await publisher.publish(topic, b"x")
    await publisher.until_pong()
    expect.equal(await payloads(newer), [b"x"], "what the newer stream receives")
    kinds = [event.WhichOneof("msg") for event in (await older.end()).events]
    expect.true(
        "delivery" not in kinds, "what the older stream receives", expected="no delivery", got=str(kinds)
    )


@check("SES-4.6")
async def the_newer_stream_gets_what_was_queued(bench: Bench) -> None:
    """Events lie in the older stream's queue: the newer one receives them, in order, then what comes."""
    topic = bench.topic("t")
    older = await bench.peer("older", narrow=True).join(bench.id("a"), topic)
    publisher = await bench.join(bench.id("p"))
    backlog = Backlog(bench, older, publisher, topic)
    await backlog.begin()
    await backlog.publish(b"1", b"2", b"3")
    newer = await bench.peer("newer").stream(older.agent_id)
    await backlog.publish(b"4")
    received = [delivery.event.payload for delivery in without_ballast(await newer.until_pong())]
    expect.equal(received, [b"1", b"2", b"3", b"4"], "what the newer stream receives")


# SES-5: the end of the older stream.


@check("SES-5.1")
async def a_late_half_close(bench: Bench) -> None:
    """The older client half-closes after it was superseded: the newer session goes on."""
    topic, peer = bench.topic("t"), bench.peer("older", narrow=True)
    publisher = await bench.join(bench.id("p"))
    older = await stuck(bench, topic, publisher, peer)
    newer = await bench.peer("newer").stream(older.agent_id)
    await older.half_close()
    await while_it_learns(peer)
    await _is_untouched(newer, publisher, topic, "the newer session after the older one's half-close")


@check("SES-5.2")
async def a_late_reset(bench: Bench) -> None:
    """The older client resets its stream after it was superseded: the newer session goes on."""
    topic, peer = bench.topic("t"), bench.peer("older", narrow=True)
    publisher = await bench.join(bench.id("p"))
    older = await stuck(bench, topic, publisher, peer)
    newer = await bench.peer("newer").stream(older.agent_id)
    older.reset()
    await while_it_learns(peer)
    await _is_untouched(newer, publisher, topic, "the newer session after the older one's reset")


@check("SES-5.2")
async def a_late_loss_of_the_connection(bench: Bench) -> None:
    """The older client's connection is lost after it was superseded: the newer session goes on."""
    topic, relay = bench.topic("t"), await bench.relay()
    publisher = await bench.join(bench.id("p"))
    older = await stuck(bench, topic, publisher, bench.peer("older", through=relay, narrow=True))
    newer_peer = bench.peer("newer")
    newer = await newer_peer.stream(older.agent_id)
    relay.cut()
    await while_it_learns(newer_peer)
    await _is_untouched(
        newer, publisher, topic, "the newer session after the older one's connection was lost"
    )


@check("SES-5.3")
async def who_was_superseded_is_not_heard(bench: Bench) -> None:
    """The older client publishes after it was superseded: nobody receives it, unlike the newer one's."""
    topic, spoken, peer = bench.topic("t"), bench.topic("spoken"), bench.peer("older", narrow=True)
    publisher = await bench.join(bench.id("p"))
    listener = await bench.join(bench.id("l"), spoken)
    older = await stuck(bench, topic, publisher, peer)
    await older.publish(spoken, b"by the older one, in time")
    expect.equal((await listener.delivery()).event.payload, b"by the older one, in time", "what comes before")
    newer = await bench.peer("newer").stream(older.agent_id)
    await older.publish(spoken, b"by the older one, too late")
    await while_it_learns(peer)
    await newer.publish(spoken, b"by the newer one")
    await newer.until_pong()
    expect.equal(await payloads(listener), [b"by the newer one"], "what is delivered after the takeover")


@check("SES-5.4")
async def a_producer_outlives_its_older_stream(bench: Bench) -> None:
    """A client comes back with its producer, the older stream ends, time passes: a repeat is still one."""
    topic, agent_id, peer = bench.topic("t"), bench.id("a"), bench.peer("older")
    listener = await bench.join(bench.id("l"), topic)
    await passes(peer, agent_id, features=["confirm"])
    older = await peer.stream(agent_id, producer=PRODUCER)
    await older.publish(topic, b"once", confirm=True, pub_seq=1)
    expect.equal((await older.receipt()).matched, 1, "the receipt's matched")
    newer = await bench.peer("newer").stream(agent_id, producer=PRODUCER)
    await older.end()
    await bench.pass_time(bench.declared.limits.get("producer_ms", PRODUCER_MS) / 1000 + 1)
    await newer.publish(topic, b"once", confirm=True, pub_seq=1)
    expect.equal((await newer.receipt()).matched, 1, "the receipt of the repeat")
    expect.equal(await payloads(listener), [b"once"], "what is delivered of the publish and its repeat")


# SES-10: numbers of deliveries.


@check("SES-10.1")
async def numbers_begin_anew(bench: Bench) -> None:
    """A session received two events; the first event on the stream that takes it over has the number 1."""
    topic = bench.topic("t")
    publisher = await bench.join(bench.id("p"))
    older = await bench.join(bench.id("a"), topic, features=["session"])
    for payload in (b"1", b"2"):
        await publisher.publish(topic, payload)
    numbers = [(await older.delivery()).seq for _ in range(2)]
    expect.equal(numbers, [1, 2], "the numbers on the older stream")
    newer = await bench.peer("newer").stream(older.agent_id)
    expect.equal((await newer.read()).WhichOneof("msg"), "welcome", "the first message on the newer stream")
    await publisher.publish(topic, b"3")
    expect.equal((await newer.delivery()).seq, 1, "the number of the newer stream's first delivery")
