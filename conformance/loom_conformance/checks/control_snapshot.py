"""CTL-1: what a snapshot shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.testing.v1 import control_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import descriptor, given, open_calls, signed
from loom_conformance.controlling import agent_in
from loom_conformance.hearing import REALTIME, subscription

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

MINUTE_MS = 60_000


def wanted(bench: Bench, *features: str) -> list[str]:
    """Those of these features that the bridge has, sorted."""
    return sorted(bench.declared.features.intersection(features))


@check("CTL-1.1", needs=["control"])
async def agents_are_shown(bench: Bench) -> None:
    """One agent with a stream and features, one that is registered only."""
    features = wanted(bench, "session", "cancel")
    streaming = await bench.join(bench.id("streaming"), features=features)
    registered = await bench.peer().register(bench.id("registered"))
    one, two = await agent_in(bench, bench.id("streaming")), await agent_in(bench, bench.id("registered"))
    expect.equal(one.state, "STREAMING", "the state of the one with a stream")
    expect.equal(two.state, "REGISTERED", "the state of the one without")
    expect.equal(one.registration, streaming.registration.registration, "the number of its registration")
    expect.equal(two.registration, registered.registration, "the number of the other's registration")
    expect.equal(list(one.features), features, "the features of the one with a stream")
    expect.equal(list(two.features), [], "the features of the one without")
    if streaming.welcome is not None:
        expect.equal(one.epoch, streaming.welcome.epoch, "the epoch of the one with a stream")
    expect.true(one.epoch > 0, "the epoch of the one with a stream", expected="above 0", got=str(one.epoch))
    expect.equal(two.epoch, 0, "the epoch of the one without a stream")


@check("CTL-1.2", needs=["control"])
async def subscriptions_are_shown(bench: Bench) -> None:
    """Plain ones, and with everything that a subscription can have, where the bridge has that."""
    features = wanted(bench, "subscriptions")
    options = [
        subscription("x.>", "t", "u", qos=REALTIME, group="g"),
        subscription("y", observer=True),
    ]
    await bench.join(bench.id("a"), "plain.*", features=features, subscriptions=options if features else [])
    shown = [control_pb2.SubscriptionSnapshot(topic="plain.*", qos="BATCHED")]
    if features:
        shown += [
            control_pb2.SubscriptionSnapshot(topic="x.>", event_types=["t", "u"], qos="REALTIME", group="g"),
            control_pb2.SubscriptionSnapshot(topic="y", qos="BATCHED", observer=True),
        ]
    found = list((await agent_in(bench, bench.id("a"))).subscriptions)
    expect.equal(found, shown, "the subscriptions that are shown")


@check("CTL-1.3", needs=["control"])
async def capabilities_are_shown(bench: Bench) -> None:
    """One with a version, one without."""
    await bench.join(bench.id("a"), capabilities=[descriptor("c", "1.0"), descriptor("d")])
    found = sorted((await agent_in(bench, bench.id("a"))).capabilities)
    expect.equal(found, ["c@1.0", "d"], "the capabilities that are shown")


@check("CTL-1.4", needs=["control"])
async def queues_are_shown(bench: Bench) -> None:
    """Three events for an agent whose writes are held; then they are let go."""
    subscriber = await bench.join(bench.id("s"), "t")
    publisher = await bench.join(bench.id("p"))
    await bench.control.hold(subscriber.agent_id)
    events = [await publisher.publish("t", b"x" * size) for size in (1, 10, 100)]
    await publisher.until_pong()
    held = await agent_in(bench, subscriber.agent_id)
    expect.equal(held.queued_events, 3, "how many events are queued")
    expect.equal(held.queued_bytes, sum(event.ByteSize() for event in events), "how many bytes they have")
    await bench.control.release(subscriber.agent_id)
    await subscriber.until_pong()
    free = await agent_in(bench, subscriber.agent_id)
    expect.equal((free.queued_events, free.queued_bytes), (0, 0), "what is queued once they are written")


@check("CTL-1.5", needs=["control"], limits={"queue_events": 2})
async def backpressure_is_shown(bench: Bench) -> None:
    """Two events may be queued and four come: one waits, and its publisher is read no further."""
    subscriber = await bench.join(bench.id("s"), "t")
    publisher = await bench.join(bench.id("p"))
    await bench.control.hold(subscriber.agent_id)
    for number in range(4):
        await publisher.publish("t", bytes([number]))

    async def waits() -> bool:
        return (await agent_in(bench, subscriber.agent_id)).waiting_events > 0

    await bench.eventually(waits, "that an event waits for a place in the queue", within=5)
    slowed = await agent_in(bench, publisher.agent_id)
    expect.equal(slowed.paused, True, "whether the publisher is shown as read no further")
    await bench.control.release(subscriber.agent_id)
    await publisher.until_pong()
    expect.equal((await agent_in(bench, publisher.agent_id)).paused, False, "whether it still is afterwards")
    left = (await agent_in(bench, subscriber.agent_id)).waiting_events
    expect.equal(left, 0, "how many events wait afterwards")


async def one_running_one_waiting(bench: Bench) -> Stream:
    """A provider with a call in hand, and another call waiting for it."""
    provider = await bench.join(bench.id("provider"), capabilities=[descriptor("c", most=1)])
    caller = bench.peer("caller")
    caller.invoke("c", timeout_ms=MINUTE_MS, headers=signed("someone"), id="1")
    await open_calls(bench, caller, 1)
    caller.invoke("c", timeout_ms=MINUTE_MS)
    await open_calls(bench, caller, 2)
    return provider


@check("CTL-1.6", needs=["control"])
async def open_calls_are_shown(bench: Bench) -> None:
    """One that was given out, by a caller with a name, and one that waits, by one without."""
    provider = await one_running_one_waiting(bench)
    taken = await provider.action_call()
    calls = list((await bench.control.snapshot()).calls)
    expect.equal([call.state for call in calls], ["DISPATCHED", "QUEUED"], "the states of the calls")
    expect.equal([call.capability for call in calls], ["c", "c"], "the capabilities of the calls")
    expect.equal([call.caller for call in calls], ["someone", ""], "the callers of the calls")
    expect.equal([call.provider for call in calls], [provider.agent_id, ""], "the providers of the calls")
    expect.equal(calls[0].id, taken.id, "the id of the call that was given out")
    await provider.answer(taken)
    await provider.action_call()
    states = [call.state for call in (await bench.control.snapshot()).calls]
    expect.equal(states, ["DISPATCHED"], "the states once the first call was answered")


@check("CTL-1.7", needs=["control"])
async def callers_are_counted(bench: Bench) -> None:
    """A call that two repeats joined has three callers; one that nobody joined has one."""
    provider = await bench.join(bench.id("provider"), capabilities=["c"])
    caller = bench.peer("caller")
    for _ in range(3):
        caller.invoke("c", id="mine", headers=signed("caller"), timeout_ms=MINUTE_MS)
    await provider.action_call()

    async def joined() -> bool:
        return [call.waiters for call in (await bench.control.snapshot()).calls] == [3]

    await bench.eventually(joined, "that three callers wait for the one call", within=5)
    await given(provider, caller.invoke("c", id="other", headers=signed("caller"), timeout_ms=MINUTE_MS))
    waiters = [call.waiters for call in (await bench.control.snapshot()).calls]
    expect.equal(waiters, [3, 1], "how many callers wait for each call")


@check("CTL-1.8", needs=["control"])
async def what_happened_is_counted(bench: Bench) -> None:
    """Two agents, three events of which one is refused and one is heard by nobody, one call."""
    subscriber = await bench.join(bench.id("s"), "t", capabilities=["c"])
    publisher = await bench.join(bench.id("p"))
    for topic in ("t", "nobody", "not a topic"):
        await publisher.publish(topic)
    await publisher.until_pong()
    await subscriber.delivery()
    call = bench.peer("caller").invoke("c")
    await subscriber.answer(await given(subscriber, call))
    await call.result()
    counters = dict((await bench.control.snapshot()).counters)
    counted = {
        "agents_registered": 2,
        "streams_accepted": 2,
        "events_published": 2,
        "events_refused": 1,
        "events_unmatched": 1,
        "copies_sent": 1,
        "calls_received": 1,
        "calls_completed": 1,
    }
    for name, count in counted.items():
        expect.equal(counters.get(name, 0), count, f"the counter {name}")


@check("CTL-1.9", needs=["control", "namespaces"])
async def other_namespaces_are_not_shown(bench: Bench) -> None:
    """Agents in two namespaces: each snapshot shows its own."""
    await bench.join(bench.id("here"))
    there = bench.beside("there")
    await bench.peer(namespace=there).join(bench.id("there"))
    for namespace, who in ((bench.namespace, "here"), (there, "there")):
        shown = await bench.control.ask("Snapshot", namespace=namespace)
        expect.equal([agent.agent_id for agent in shown.agents], [who], f"the agents shown of {who}")


@check("CTL-1.10", needs=["control"])
async def agents_are_shown_in_order(bench: Bench) -> None:
    """Registered in another order than that of their ids, one of them twice."""
    peer = bench.peer()
    for who in ("m", "z", "a", "m"):
        await peer.register(bench.id(who))
    shown = [agent.agent_id for agent in (await bench.control.snapshot()).agents]
    expect.equal(shown, [bench.id(who) for who in ("z", "a", "m")], "the order of the agents")


@check("CTL-1.11", needs=["control"])
async def work_and_holds_are_shown(bench: Bench) -> None:
    """A provider with one call in hand and one waiting; its writes are held, and let go."""
    provider = await one_running_one_waiting(bench)
    expect.equal((await agent_in(bench, provider.agent_id)).open_calls, 1, "how many calls it works on")
    for held in (True, False):
        await (bench.control.hold if held else bench.control.release)(provider.agent_id)
        found = (await agent_in(bench, provider.agent_id)).held
        expect.equal(found, held, "whether its writes are shown as held")
