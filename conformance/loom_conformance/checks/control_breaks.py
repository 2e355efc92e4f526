"""CTL-4: breaking, holding and forgetting on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from loom_conformance import Bench, check, expect
from loom_conformance.calling import given
from loom_conformance.controlling import agent_in, refused
from loom_conformance.steps import is_unknown

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

Status = grpc.StatusCode
HELD = ("Disconnect", "Hold", "Release")


async def pair(bench: Bench) -> tuple[Stream, Stream]:
    """A subscriber of t, and a publisher."""
    return await bench.join(bench.id("s"), "t"), await bench.join(bench.id("p"))


@check("CTL-4.1", needs=["control"])
async def a_disconnect_says_nothing(bench: Bench) -> None:
    """Events are on their way when the stream is broken: no err comes, whatever else does."""
    subscriber, _ = await pair(bench)
    await bench.control.disconnect(subscriber.agent_id)
    end = await subscriber.end()
    expect.status(end, Status.UNAVAILABLE, "the stream")
    expect.nothing(end.events, "what comes before the end")


@check("CTL-4.2", needs=["control"])
async def a_disconnect_is_a_loss(bench: Bench) -> None:
    """The agent is gone, its call is lost with it, and nobody hears the event that it would have heard."""
    provider = await bench.join(bench.id("provider"), "t", capabilities=["c"])
    publisher = await bench.join(bench.id("p"))
    call = bench.peer("caller").invoke("c", timeout_ms=60_000)
    await given(provider, call)
    await bench.control.disconnect(provider.agent_id)
    expect.result(await call.result(), "ACTION_RETRYABLE", "the call in hand", code="PROVIDER_LOST")
    there = await bench.control.agent(provider.agent_id) is not None
    expect.equal(there, False, "whether the agent is there afterwards")
    await publisher.publish("t")
    await publisher.until_pong()
    expect.equal(await bench.control.counter("events_unmatched"), 1, "how many events nobody heard")
    await is_unknown(bench.peer(), provider.agent_id, "a new stream without a registration")


@check("CTL-4.3", needs=["control"])
async def a_disconnect_of_nothing_is_no_error(bench: Bench) -> None:
    """An agent that is registered only is disconnected: it is there afterwards, and can open its stream."""
    peer = bench.peer("a")
    await peer.register(bench.id("a"))
    await bench.control.disconnect(bench.id("a"))
    expect.equal((await agent_in(bench, bench.id("a"))).state, "REGISTERED", "the agent's state afterwards")
    stream = await peer.stream(bench.id("a"))
    expect.nothing(await stream.until_pong(), "what its stream is sent")


@check("CTL-4.4", needs=["control"])
async def held_writes_do_not_come(bench: Bench) -> None:
    """An event, an err and a pong are due to a held agent: nothing is counted as sent until it is let go."""
    subscriber, publisher = await pair(bench)
    await bench.control.hold(subscriber.agent_id)
    await publisher.publish("t", b"held")
    await publisher.until_pong()
    await subscriber.publish("not a topic")

    async def refusal() -> bool:
        return await bench.control.counter("events_refused") == 1

    await bench.eventually(refusal, "that the publish of the held agent is refused", within=5)
    expect.equal(await bench.control.counter("copies_sent"), 0, "how many events were written to it")
    queued = (await agent_in(bench, subscriber.agent_id)).queued_events
    expect.equal(queued, 1, "how many events are queued for it")
    await bench.control.release(subscriber.agent_id)
    kinds = [event.WhichOneof("msg") for event in await subscriber.until_pong()]
    expect.equal(kinds, ["delivery", "err"], "what it is sent once it is let go")


@check("CTL-4.5", needs=["control"])
async def released_writes_come_in_order(bench: Bench) -> None:
    """A hundred events are published while an agent is held: all come, in order."""
    subscriber, publisher = await pair(bench)
    await bench.control.hold(subscriber.agent_id)
    for number in range(100):
        await publisher.publish("t", bytes([number]))
    await publisher.until_pong()
    await bench.control.release(subscriber.agent_id)
    order = [delivery.event.payload[0] for delivery in await subscriber.deliveries()]
    expect.equal(order, list(range(100)), "what comes after the release")


@check("CTL-4.6", needs=["control"])
async def others_are_not_held(bench: Bench) -> None:
    """Two agents hear a topic and one is held: the other is sent its events."""
    subscriber, publisher = await pair(bench)
    other = await bench.join(bench.id("other"), "t")
    await bench.control.hold(subscriber.agent_id)
    for number in range(3):
        await publisher.publish("t", bytes([number]))

    async def published() -> bool:
        return await bench.control.counter("events_published") == 3

    await bench.eventually(published, "that three events are published", within=5)
    queued = {who: (await agent_in(bench, bench.id(who))).queued_events for who in ("s", "other")}
    expect.equal(queued, {"s": 3, "other": 0}, "how many events are queued for each")
    expect.equal(len(await other.deliveries()), 3, "how many events come to the one that is not held")


@check("CTL-4.7", needs=["control"])
async def an_unknown_agent_is_not_found(bench: Bench) -> None:
    """Disconnect, Hold and Release of an agent that is not there; then of one that is."""
    agent = await bench.join(bench.id("a"))
    for method in HELD:
        answer = await bench.control.outcome(method, agent_id="nobody")
        refused(answer, Status.NOT_FOUND, f"{method} of nobody", names="nobody")
    for method in ("Hold", "Release"):
        await bench.control.ask(method, agent_id=agent.agent_id)
    expect.nothing(await agent.until_pong(), "what the agent is sent that is there")


@check("CTL-4.8", needs=["control"])
async def a_reset_ends_streams(bench: Bench) -> None:
    """Two agents, one of them held: both hear why, and their streams end."""
    subscriber, publisher = await pair(bench)
    await bench.control.hold(subscriber.agent_id)
    await bench.control.reset()
    for stream in (subscriber, publisher):
        end = await stream.end()
        expect.status(end, Status.UNAVAILABLE, f"the stream of {stream.who}", names="NAMESPACE_RESET")
        expect.equal(len(end.events), 1, f"how many messages come to {stream.who} before the end")
        expect.err(end.events[0], "NAMESPACE_RESET", f"what comes to {stream.who}", fatal=True)


@check("CTL-4.9", needs=["control"])
async def a_reset_ends_calls(bench: Bench) -> None:
    """One call was given out, one waits: both are answered."""
    provider = await bench.join(bench.id("provider"), capabilities=["c"])
    caller = bench.peer("caller")
    calls = [caller.invoke("c", id=own, timeout_ms=60_000) for own in ("1", "2")]
    for _ in calls:
        await provider.action_call()
    await bench.control.reset()
    for call, own in zip(calls, ("1", "2"), strict=True):
        result = await call.result()
        expect.result(result, "ACTION_RETRYABLE", "a call that was open", code="NAMESPACE_RESET")
        expect.equal(result.id, own, "the id of the answer")


@check("CTL-4.10", needs=["control"])
async def a_reset_forgets(bench: Bench) -> None:
    """After it the namespace is not found; made anew, it has no agent, no call and no counter of before."""
    await bench.join(bench.id("a"), "t")
    await bench.peer().register(bench.id("b"))
    await bench.control.reset()
    answer = await bench.control.outcome("Snapshot")
    refused(answer, Status.NOT_FOUND, "a snapshot after the reset", names=bench.namespace)
    await bench.control.create(virtual=True, limits={})
    fresh = await bench.control.snapshot()
    expect.nothing(fresh.agents, "the agents of the namespace anew")
    expect.nothing(fresh.calls, "its calls")
    expect.nothing(dict(fresh.counters), "its counters")


@check("CTL-4.11", needs=["control", "namespaces"])
async def a_reset_leaves_others_alone(bench: Bench) -> None:
    """Two namespaces, of which the names begin alike: one is reset, and the agent of the other goes on."""
    agent = await bench.join(bench.id("a"))
    other = bench.beside("other")
    gone = await bench.peer(namespace=other).join(bench.id("a"))
    await bench.control.ask("Reset", namespace=other)
    await gone.end()
    expect.nothing(await agent.until_pong(), "what the agent of the other namespace is sent")
    expect.equal((await agent_in(bench, agent.agent_id)).state, "STREAMING", "its state")


@check("CTL-4.12", needs=["control", "namespaces"])
async def a_reset_may_be_of_several(bench: Bench) -> None:
    """Three namespaces with an agent each: one call ends the streams of all, and none is there afterwards."""
    others = [bench.beside("one"), bench.beside("two")]
    streams = [await bench.join(bench.id("a"))]
    streams += [await bench.peer(namespace=name).join(bench.id("a")) for name in others]
    await bench.control.ask("Reset", others=others)
    for name, stream in zip((bench.namespace, *others), streams, strict=True):
        answer = await bench.control.outcome("Snapshot", namespace=name)
        refused(answer, Status.NOT_FOUND, f"a snapshot of {name} after the reset", names=name)
        end = await stream.end()
        expect.status(end, Status.UNAVAILABLE, f"the stream in {name}", names="NAMESPACE_RESET")


@check("CTL-4.13", needs=["control", "namespaces"])
async def a_reset_passes_over_what_is_gone(bench: Bench) -> None:
    """Of four namespaces the second and third are not there: the second is named, and the last is reset."""
    one, two, last = bench.beside("one"), bench.beside("two"), bench.beside("last")
    await bench.control.ask("CreateNamespace", namespace=last)
    answer = await bench.control.outcome("Reset", others=[one, two, last])
    refused(answer, Status.NOT_FOUND, "a reset of which two are not there", names=one)
    for name in (bench.namespace, last):
        answer = await bench.control.outcome("Snapshot", namespace=name)
        refused(answer, Status.NOT_FOUND, f"a snapshot of {name} after the reset", names=name)
