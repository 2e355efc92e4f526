"""LIM-3: a bridge that is told to stop breaks nothing that can be finished, and always ends."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from loom.v1 import stream_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import descriptor, given, in_the_end
from loom_conformance.http2 import connected, prefixed
from loom_conformance.stream import End

if TYPE_CHECKING:
    from loom.v1 import action_pb2
    from loom_conformance.peer import Invocation, Peer
    from loom_conformance.stream import Stream
    from loom_conformance.target import BridgeProgram

Status = grpc.StatusCode

EVENT_STREAM = "/loom.v1.Bridge/EventStream"
HEALTH = "/grpc.health.v1.Health/Check"
REGISTER = "/loom.v1.Bridge/RegisterAgent"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
"""A HealthCheckResponse with this status."""
MOST_S = 15.0
"""Within this a bridge that is told to stop has ended (LIM-3)."""
AT_ONCE_S = 5.0
"""What counts as at once for a process that ends, seconds; no bridge has a shorter grace here."""
CALL = "c"


@dataclass
class Stopping:
    """A bridge of the check's own, with one call open, so that it does not end at once.

    Attributes:
        program: its process.
        peer: a connection, of who calls and looks on.
        provider: who works on the open call.
        call: the open call.
        taken: the same, as the provider was given it.
    """

    program: BridgeProgram
    peer: Peer
    provider: Stream
    call: Invocation
    taken: action_pb2.ActionCall

    @classmethod
    async def prepared(cls, bench: Bench) -> Stopping:
        """Everything is there; nothing was said yet."""
        program = await bench.program()
        peer = bench.peer_of(program, "caller")
        provider = await bench.peer_of(program, "provider").join(
            "provider", capabilities=[descriptor(CALL, most=1)], features=["drain"]
        )
        call = peer.invoke(CALL, b"open", timeout_ms=60_000)
        return cls(program, peer, provider, call, await given(provider, call))

    async def begin(self, bench: Bench) -> None:
        """Sends SIGTERM, and waits until it is heeded: until new agents are refused."""
        bench.tape.note("process", "SIGTERM")
        self.program.signal(signal.SIGTERM)

        async def refuses() -> bool:
            response = await self.peer.raw(REGISTER, b"\x0a\x05probe")
            return isinstance(response, End) or not response.startswith(b"\x08\x01")

        await bench.eventually(refuses, "that agents are refused after SIGTERM", within=AT_ONCE_S)

    async def finish(self) -> None:
        """The open call is answered, and with it nothing holds the bridge any more."""
        await self.provider.answer(self.taken, b"done")


async def ended(program: BridgeProgram, seconds: float, what: str) -> int:
    """The process ends within so many seconds: its exit code."""
    code = await program.wait(seconds)
    lives = "it lives on"
    expect.true(code is not None, what, expected=f"to have ended within {seconds:g} s", got=lives)
    return code or 0


@check("LIM-3.1", needs=["process"])
async def health_says_not_serving(bench: Bench) -> None:
    """Asked before SIGTERM and while a call is open after it, for the whole bridge and for its service."""
    stopping = await Stopping.prepared(bench)
    for service, request in {"the bridge": b"", "loom.v1.Bridge": b"\x0a\x0eloom.v1.Bridge"}.items():
        health = await stopping.peer.raw(HEALTH, request)
        expect.equal(health, SERVING, f"the health of {service} before SIGTERM")
    await stopping.begin(bench)
    for service, request in {"the bridge": b"", "loom.v1.Bridge": b"\x0a\x0eloom.v1.Bridge"}.items():
        health = await stopping.peer.raw(HEALTH, request)
        expect.equal(health, NOT_SERVING, f"the health of {service} after SIGTERM")
    await stopping.finish()


@check("LIM-3.2", needs=["process"])
async def sessions_are_told(bench: Bench) -> None:
    """One session agreed on `drain`, where the bridge has it, one did not."""
    stopping = await Stopping.prepared(bench)
    plain = await bench.peer_of(stopping.program, "plain").join("plain")
    await stopping.begin(bench)
    expect.nothing(await plain.until_pong(), "what a session without `drain` is sent")
    told = [event.drain.grace_ms for event in await stopping.provider.until_pong() if event.HasField("drain")]
    if "drain" in bench.declared.features:
        expect.equal(len(told), 1, "how many times a session with `drain` is told")
        within = f"from 1 to {MOST_S * 1000:g}"
        expect.true(0 < told[0] < MOST_S * 1000, "the grace, ms", expected=within, got=str(told[0]))
    else:
        expect.nothing(told, "what a session is told on a bridge without `drain`")
    await stopping.finish()


@check("LIM-3.3", needs=["process"])
async def registrations_are_refused(bench: Bench) -> None:
    """A new agent, and one that is there already, want to register after SIGTERM."""
    stopping = await Stopping.prepared(bench)
    await stopping.begin(bench)
    for agent_id in ("fresh", "provider"):
        answer = await stopping.peer.raw(REGISTER, b"\x0a" + bytes([len(agent_id)]) + agent_id.encode())
        what = f"the registration of {agent_id} after SIGTERM"
        expect.true(isinstance(answer, End), what, expected="a gRPC status", got=f"an answer: {answer!r}")
        assert isinstance(answer, End)
        expect.status(answer, Status.UNAVAILABLE, what)
    await stopping.finish()


@check("LIM-3.4", needs=["process"])
async def streams_are_refused(bench: Bench) -> None:
    """An agent that registered before SIGTERM opens its stream after it; so does one that is there."""
    stopping = await Stopping.prepared(bench)
    await stopping.peer.register("registered")
    await stopping.begin(bench)
    for agent_id in ("registered", "provider"):
        ack = stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id=agent_id)).SerializeToString()
        async with connected(bench, address=stopping.program.address) as connection:
            # By hand: of a stream that ends while it is being written to, a gRPC client makes up the status.
            await connection.call(EVENT_STREAM, *bench.target.metadata())
            await connection.data(prefixed(ack), f"the handshake of {agent_id}")
            code = await connection.status()
        got = code.name if code else "no gRPC status"
        what = f"the status of a stream of {agent_id} that was opened after SIGTERM"
        expect.true(code is Status.UNAVAILABLE, what, expected="UNAVAILABLE", got=got)
    await stopping.finish()
    expect.result(await stopping.call.result(), "ACTION_OK", "the call that was open", output=b"done")


@check("LIM-3.5", needs=["process"])
async def calls_are_refused(bench: Bench) -> None:
    """A call of what is offered and one of what is not, after SIGTERM."""
    stopping = await Stopping.prepared(bench)
    await stopping.begin(bench)
    for name in (CALL, "nothing"):
        refused = await stopping.peer.call(name, id="late")
        expect.result(refused, "ACTION_RETRYABLE", f"a call of {name} after SIGTERM", code="UNAVAILABLE")
        expect.equal(refused.id, "late", "the id of the answer")
    await stopping.finish()


@check("LIM-3.6", needs=["process"])
async def open_calls_are_finished(bench: Bench) -> None:
    """Two calls were open before SIGTERM, one of them still waiting: both are answered by their provider."""
    stopping = await Stopping.prepared(bench)
    waiting = stopping.peer.invoke(CALL, b"waiting", timeout_ms=60_000)
    await stopping.peer.heartbeat(1)
    await stopping.peer.heartbeat(2)
    await stopping.begin(bench)
    await stopping.finish()
    expect.result(await stopping.call.result(), "ACTION_OK", "the call that was given out", output=b"done")
    while (event := await stopping.provider.read()).WhichOneof("msg") != "action_call":
        pass
    await stopping.provider.answer(event.action_call, b"too")
    expect.result(await waiting.result(), "ACTION_OK", "the call that waited", output=b"too")


@check("LIM-3.7", needs=["process"])
async def events_still_flow(bench: Bench) -> None:
    """While a call is open after SIGTERM, one agent publishes and another hears it."""
    stopping = await Stopping.prepared(bench)
    subscriber = await bench.peer_of(stopping.program, "subscriber").join("subscriber", "t")
    publisher = await bench.peer_of(stopping.program, "publisher").join("publisher")
    await stopping.begin(bench)
    await publisher.publish("t", b"while it stops")
    expect.nothing(await publisher.until_pong(), "what the publisher is sent")
    payloads = [delivery.event.payload for delivery in await subscriber.deliveries()]
    expect.equal(payloads, [b"while it stops"], "what is delivered while the bridge stops")
    await stopping.finish()


@check("LIM-3.8", needs=["process"])
async def unfinished_calls_are_answered(bench: Bench) -> None:
    """Nobody answers the call that was given out, nor the one that waits: both end when the grace is over."""
    stopping = await Stopping.prepared(bench)
    waiting = stopping.peer.invoke(CALL, b"waiting", timeout_ms=60_000)
    await stopping.peer.heartbeat(1)
    await stopping.peer.heartbeat(2)
    await stopping.begin(bench)
    for call, code in ((stopping.call, "PROVIDER_LOST"), (waiting, "UNAVAILABLE")):
        got = await in_the_end(call)
        if isinstance(got, End):
            said = f"{got.code.name} ({got.details})"
            expect.fail("a call that is open when the grace is over", expected="a result", got=said)
        expect.result(got, "ACTION_RETRYABLE", "a call that is open when the grace is over", code=code)


@check("LIM-3.9", needs=["process"])
async def streams_end_after_their_queues(bench: Bench) -> None:
    """Events are queued when the last open call ends: they are delivered, then the stream ends."""
    stopping = await Stopping.prepared(bench)
    subscriber = await bench.peer_of(stopping.program, "subscriber").join("subscriber", "t")
    publisher = await bench.peer_of(stopping.program, "publisher").join("publisher")
    await stopping.begin(bench)
    for number in range(50):
        await publisher.publish("t", bytes([number]) * 1000)
    await publisher.until_pong()
    await stopping.finish()
    end = await subscriber.end()
    expect.status(end, Status.UNAVAILABLE, "the subscriber's stream")
    arrived = [event.delivery.event.payload[0] for event in end.events if event.HasField("delivery")]
    expect.equal(arrived, list(range(50)), "what is delivered before the end")
    expect.status(await publisher.end(), Status.UNAVAILABLE, "the publisher's stream")


@check("LIM-3.10", needs=["process"])
async def it_ends_whatever_its_peers_do(bench: Bench) -> None:
    """A call without an answer, streams that are idle, not read, or not begun, and a silent connection."""
    stopping = await Stopping.prepared(bench)
    await bench.peer_of(stopping.program, "idle").join("idle", "other")
    await bench.peer_of(stopping.program, "deaf").join("deaf", "flood")
    bench.peer_of(stopping.program, "speechless").open()
    publisher = await bench.peer_of(stopping.program, "publisher").join("publisher")
    for _ in range(40):
        await publisher.publish("flood", bytes(200_000))
    host, _, port = stopping.program.address.rpartition(":")
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        await stopping.begin(bench)
        await ended(stopping.program, MOST_S, "the process after SIGTERM")
    finally:
        writer.close()


@check("LIM-3.11", needs=["process"])
async def a_stop_is_no_failure(bench: Bench) -> None:
    """The exit code after SIGTERM, with an agent connected and a call that is finished."""
    stopping = await Stopping.prepared(bench)
    await stopping.begin(bench)
    await stopping.finish()
    code = await ended(stopping.program, MOST_S, "the process after SIGTERM")
    expect.equal(code, 0, "the exit code")


@check("LIM-3.12", needs=["process"])
async def nobody_waits_for_nothing(bench: Bench) -> None:
    """Two agents are connected, and no call is open: the process is gone at once."""
    program = await bench.program()
    agents = [await bench.peer_of(program, who).join(who, "t", features=["drain"]) for who in ("one", "two")]
    bench.tape.note("process", "SIGTERM")
    program.signal(signal.SIGTERM)
    for agent in agents:
        expect.status(await agent.end(), Status.UNAVAILABLE, f"the stream of {agent.who}")
    await ended(program, AT_ONCE_S - 1, "the process after SIGTERM, with nothing open")
