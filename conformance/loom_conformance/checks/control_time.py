"""CTL-2: a virtual clock, and what it drives."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import grpc

from loom_conformance import Bench, check, expect
from loom_conformance.calling import answered, descriptor, given, in_the_end, open_calls, signed
from loom_conformance.controlling import agent_in, now, refused
from loom_conformance.stream import End

if TYPE_CHECKING:
    from loom_conformance.peer import Invocation

Status = grpc.StatusCode

MICROS = 1_000_000
MINUTE_MS = 60_000
MOST_S = 15.0
YEAR_US = 366 * 24 * 60 * 60 * MICROS
NEARLY_MS = 0.001
MICRO = 0.000_001


def limit_s(bench: Bench, name: str, default_ms: int) -> float:
    """A time that the bridge told, seconds."""
    return bench.declared.limits.get(name, default_ms) / 1000


@check("CTL-2.1", needs=["control"])
async def a_virtual_clock_stands(bench: Bench) -> None:
    """The time before and after an agent came, spoke and went: it is the same."""
    begin = await now(bench)
    agent = await bench.join(bench.id("a"), "t")
    for _ in range(5):
        await agent.publish("t")
        await agent.until_pong()
    await agent.half_close()
    await agent.end()
    expect.equal(await now(bench), begin, "the time, without an Advance")


@check("CTL-2.2", needs=["control"])
async def a_virtual_clock_moves_as_told(bench: Bench) -> None:
    """By a microsecond, by an odd number of them, by nothing, by a day: exactly."""
    time = await now(bench)
    for by_us in (1, 1_234_567, 0, 24 * 60 * 60 * MICROS):
        answer = await bench.control.ask("Advance", by_us=by_us)
        time += by_us
        expect.equal(answer.now_us, time, f"the time that an Advance by {by_us} us answers")
        expect.equal(await now(bench), time, f"the time after an Advance by {by_us} us")


@check("CTL-2.3", needs=["control"], clock="real")
async def a_real_clock_is_not_moved(bench: Bench) -> None:
    """By a microsecond: refused."""
    answer = await bench.control.outcome("Advance", by_us=1)
    refused(answer, Status.FAILED_PRECONDITION, "an Advance of a real clock")


@check("CTL-2.4", needs=["control"])
async def events_expire_by_the_clock(bench: Bench) -> None:
    """Two events wait for an agent, of 1,500 and 1,600 ms: at 1,500 ms one of them is gone, at 1,499 none."""
    subscriber = await bench.join(bench.id("s"), "t")
    publisher = await bench.join(bench.id("p"))
    await bench.control.hold(subscriber.agent_id)
    for ttl in ("1500", "1600"):
        await publisher.publish("t", ttl.encode(), metadata={"loom.ttl_ms": ttl})
    await publisher.until_pong()
    await bench.control.advance(1.5 - NEARLY_MS)
    before = (await agent_in(bench, subscriber.agent_id)).queued_events
    expect.equal(before, 2, "how many events are queued after 1,499 ms")
    await bench.control.advance(NEARLY_MS)
    after = (await agent_in(bench, subscriber.agent_id)).queued_events
    expect.equal(after, 1, "how many events are queued after 1,500 ms")
    await bench.control.release(subscriber.agent_id)
    payloads = [delivery.event.payload for delivery in await subscriber.deliveries()]
    expect.equal(payloads, [b"1600"], "what is delivered")


@check("CTL-2.5", needs=["control"])
async def calls_end_by_the_clock(bench: Bench) -> None:
    """A call of seven seconds: a microsecond before nothing fires, then it times out."""
    provider = await bench.join(bench.id("provider"), capabilities=["c"])
    call = bench.peer("caller").invoke("c", timeout_ms=7000)
    await given(provider, call)
    expect.equal(await bench.control.advance(7 - MICRO), 0, "how many deadlines fire a microsecond before")
    expect.equal(await bench.control.advance(MICRO), 1, "how many deadlines fire then")
    expect.result(await call.result(), "ACTION_TIMEOUT", "the call", code="TIMEOUT")


@check("CTL-2.6", needs=["control"])
async def handshakes_are_awaited_by_the_clock(bench: Bench) -> None:
    """A stream without a handshake ends when its time is over."""
    peer = bench.peer("speechless")
    await peer.heartbeat(1)
    stream = peer.open()
    await peer.heartbeat(2)
    limit = limit_s(bench, "handshake_ms", 10_000)

    async def fires() -> int:
        return await bench.control.advance(limit)

    await bench.eventually(fires, "that a deadline fires when the time for a handshake is over", within=5)
    expect.status(await stream.end(), Status.DEADLINE_EXCEEDED, "the stream without a handshake")


@check("CTL-2.7", needs=["control"])
async def registrations_lapse_by_the_clock(bench: Bench) -> None:
    """An agent without a stream is there a millisecond before its time is over, and gone then."""
    await bench.peer().register(bench.id("a"))
    limit = limit_s(bench, "registration_lapse_ms", 30_000)
    for seconds, there in ((limit - NEARLY_MS, True), (NEARLY_MS, False)):
        await bench.control.advance(seconds)
        found = await bench.control.agent(bench.id("a")) is not None
        expect.equal(
            found, there, f"whether the agent is there {'before' if there else 'when'} its time is over"
        )


@check("CTL-2.9", needs=["control"])
async def results_are_kept_by_the_clock(bench: Bench) -> None:
    """A repeat a millisecond before the time is over gets the kept result; then it runs."""
    provider = await bench.join(bench.id("provider"), capabilities=["c"])
    caller = bench.peer("caller")

    def repeat() -> Invocation:
        return caller.invoke("c", id="mine", headers=signed("caller"), timeout_ms=MINUTE_MS)

    await provider.answer(await given(provider, first := repeat()), b"once")
    await first.result()
    await bench.control.advance(limit_s(bench, "idempotency_ms", 120_000) - NEARLY_MS)
    kept = await answered(repeat(), provider)
    expect.result(kept, "ACTION_OK", "a repeat before the time is over", output=b"once")
    await bench.control.advance(NEARLY_MS)
    taken = await given(provider, repeat())
    expect.true(taken.id, "the repeat when the time is over", expected="it to run", got="nothing")


@check("CTL-2.10", needs=["control"], limits={"queue_events": 1})
async def slow_consumers_are_cut_off_by_the_clock(bench: Bench) -> None:
    """An agent that is not written to, with a full queue, is cut off when its time is over, not before."""
    subscriber = await bench.join(bench.id("s"), "t")
    publisher = await bench.join(bench.id("p"))
    await bench.control.hold(subscriber.agent_id)
    await publisher.publish("t")
    await publisher.until_pong()
    limit = limit_s(bench, "slow_consumer_ms", 10_000)
    for seconds, there in ((limit - NEARLY_MS, True), (NEARLY_MS, False)):
        await bench.control.advance(seconds)
        found = await bench.control.agent(subscriber.agent_id) is not None
        when = "a millisecond before" if there else "when"
        expect.equal(found, there, f"whether the slow agent is there {when} its time is over")
    expect.status(await subscriber.end(), Status.RESOURCE_EXHAUSTED, "the stream of the slow agent")


@check("CTL-2.11", needs=["control", "cancel"])
async def deadlines_fire_in_order(bench: Bench) -> None:
    """Three calls time out within one Advance, in another order than they came: the earliest first."""
    provider = await bench.join(bench.id("provider"), capabilities=["c"], features=["cancel"])
    caller = bench.peer("caller")
    ids = {}
    for seconds in (3, 1, 2):
        call = caller.invoke("c", timeout_ms=seconds * 1000)
        ids[(await given(provider, call)).id] = seconds
    await bench.control.advance(5)
    order = [ids.get(event.action_cancel.id) for event in await provider.until_pong()]
    expect.equal(order, [1, 2, 3], "the time-outs of the calls, in the order in which they were cancelled")


@check("CTL-2.11", needs=["control"], limits={"queue_events": 1})
async def each_deadline_fires_at_its_own_time(bench: Bench) -> None:
    """Within an Advance by 5 s an event expires after one and makes room for a call of 10 s."""
    provider = await bench.join(bench.id("provider"), "t", capabilities=["c"])
    publisher = await bench.join(bench.id("p"))
    await bench.control.hold(provider.agent_id)
    await publisher.publish("t", metadata={"loom.ttl_ms": "1000"})
    await publisher.until_pong()
    caller = bench.peer("caller")
    caller.invoke("c", timeout_ms=10_000)
    await open_calls(bench, caller, 1)
    await bench.control.advance(5)
    await bench.control.release(provider.agent_id)
    left = (await provider.action_call()).timeout_ms
    expect.equal(left, 9000, "the time that the call had left when the event expired, ms")


@check("CTL-2.12", needs=["control"])
async def deadlines_are_counted(bench: Bench) -> None:
    """Calls of one, two and three seconds: two deadlines fire within 2.5 s, one in the next, then none."""
    provider = await bench.join(bench.id("provider"), capabilities=["c"])
    caller = bench.peer("caller")
    for seconds in (1, 2, 3):
        await given(provider, caller.invoke("c", timeout_ms=seconds * 1000))
    fired = [await bench.control.advance(seconds) for seconds in (2.5, 2.5, 2.5)]
    expect.equal(fired, [2, 1, 0], "how many deadlines fire in each of three steps")


@check("CTL-2.13", needs=["control"])
async def nobody_is_dead_on_a_virtual_clock(bench: Bench) -> None:
    """An hour passes in which a session says nothing: it goes on."""
    agent = await bench.join(bench.id("a"), features=["session"])
    await bench.control.advance(3600)
    expect.nothing(await agent.until_pong(), "what a session is sent that was silent for an hour")


@check("CTL-2.14", needs=["control", "session"], liveness=True)
async def liveness_can_be_asked_for(bench: Bench) -> None:
    """With liveness, a session that says nothing for four heartbeats is ended; one that pings goes on."""
    silent = await bench.join(bench.id("silent"), features=["session"])
    lively = await bench.join(bench.id("lively"), features=["session"])
    interval = silent.registration.heartbeat_interval_ms / 1000
    for _ in range(4):
        await bench.control.advance(interval)
        await lively.until_pong()
    there = await bench.control.agent(silent.agent_id) is not None
    expect.equal(there, False, "whether the silent agent is there after four heartbeats")
    end = await silent.end()
    expect.status(end, Status.UNAVAILABLE, "the silent session", names="HEARTBEAT_TIMEOUT")


@check("CTL-2.15", needs=["control"])
async def a_year_is_enough(bench: Bench) -> None:
    """By 366 days and a microsecond, then by the largest number: refused. By 366 days: it is moved."""
    begin = await now(bench)
    for by_us in (YEAR_US + 1, 2**64 - 1):
        answer = await bench.control.outcome("Advance", by_us=by_us)
        refused(answer, Status.INVALID_ARGUMENT, f"an Advance by {by_us} us")
        expect.equal(await now(bench), begin, f"the time after an Advance by {by_us} us was refused")
    await bench.control.ask("Advance", by_us=YEAR_US)
    expect.equal(await now(bench), begin + YEAR_US, "the time after an Advance by 366 days")


@check("CTL-2.16", needs=["control", "namespaces"])
async def clocks_are_apart(bench: Bench) -> None:
    """Two namespaces with virtual clocks: one is moved, the other stands."""
    other = bench.beside("other")
    await bench.control.ask("CreateNamespace", namespace=other, virtual_clock=True)
    begin = await now(bench, other)
    await bench.control.advance(10)
    expect.equal(await now(bench, other), begin, "the time of the other namespace")


@check("CTL-2.17", needs=["control", "process"])
async def the_grace_is_real_time(bench: Bench) -> None:
    """On a bridge of its own a call is open in a namespace whose clock stands: SIGTERM ends both."""
    program = await bench.program()
    control = bench.control_of(program, "standing")
    await control.create(virtual=True, limits={})
    provider = await bench.peer_of(program, "provider", namespace="standing").join(
        "provider", capabilities=[descriptor("c")]
    )
    call = bench.peer_of(program, "caller", namespace="standing").invoke("c", timeout_ms=MINUTE_MS)
    await given(provider, call)
    bench.tape.note("process", "SIGTERM")
    program.signal(signal.SIGTERM)
    got = await in_the_end(call)
    if isinstance(got, End):
        expect.fail(
            "the call whose clock stands", expected="a result", got=f"{got.code.name} ({got.details})"
        )
    expect.result(got, "ACTION_RETRYABLE", "the call whose clock stands", code="PROVIDER_LOST")
    ended = await program.wait(MOST_S) is not None
    expect.true(ended, "the process", expected=f"to have ended within {MOST_S:g} s", got="it lives on")
