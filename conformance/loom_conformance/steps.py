"""Steps that many checks take: small dialogues with the bridge, each with its own expectation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from loom.v1 import stream_pb2
from loom_conformance import expect

if TYPE_CHECKING:
    from loom.v1 import action_pb2, agent_pb2
    from loom_conformance.peer import Invocation, Peer
    from loom_conformance.stream import End, Stream

__all__ = [
    "answered_without",
    "end_of",
    "ended",
    "given",
    "is_unknown",
    "open_call",
    "passes",
    "payloads",
]


async def passes(peer: Peer, agent_id: str, *topics: str, **fields: Any) -> agent_pb2.AgentRegisterResponse:
    """The registration is accepted: often the good twin of one that was not."""
    response = await peer.register(agent_id, *topics, **fields)
    got = f"success=false ({response.error_message})"
    what = f"the registration of {agent_id}, in which nothing is wrong"
    expect.true(response.success, what, expected="success=true", got=got)
    return response


async def is_unknown(peer: Peer, agent_id: str, what: str) -> None:
    """Nobody of that id is registered."""
    stream = peer.open()
    await stream.hello(agent_id)
    await ended(stream, grpc.StatusCode.FAILED_PRECONDITION, what)


async def end_of(stream: Stream, what: str) -> End:
    """How the bridge ends the stream; that it goes on instead is a violation in the words of the check."""
    try:
        return await stream.end()
    except expect.Violation as goes_on:
        expect.fail(what, expected="that the bridge ends the stream", got=goes_on.got)


async def given(agent: Stream, calling: Invocation, what: str) -> action_pb2.ActionCall:
    """The call is given to this agent, rather than answered without it."""
    first = await _first(agent, calling)
    if not isinstance(first, stream_pb2.ServerEvent):
        answer = f"the answer {expect.shown(first)} without it"
        expect.fail(what, expected=f"{agent.agent_id} is given the call", got=answer)
    expect.equal(first.WhichOneof("msg"), "action_call", f"{what}: what {agent.agent_id} is sent")
    return first.action_call


async def answered_without(agent: Stream, calling: Invocation, what: str) -> action_pb2.ActionResult:
    """The call is answered, and not given to this agent."""
    first = await _first(agent, calling)
    if isinstance(first, stream_pb2.ServerEvent):
        got = f"{agent.agent_id} being sent {expect.shown(first)}"
        expect.fail(what, expected=f"an answer without {agent.agent_id}", got=got)
    return await calling.result()


async def _first(
    agent: Stream, calling: Invocation
) -> stream_pb2.ServerEvent | action_pb2.ActionResult | End:
    """What comes first: something for the agent, or the end of the call."""
    reading, ending = asyncio.ensure_future(agent.read()), asyncio.ensure_future(calling.outcome())
    await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
    done = reading if reading.done() else ending
    for task in {reading, ending} - {done}:
        task.cancel()
    return done.result()


async def payloads(agent: Stream) -> list[bytes]:
    """The payloads of all deliveries that the bridge had for this agent."""
    return [delivery.event.payload for delivery in await agent.deliveries()]


async def open_call(agent: Stream, caller: Peer, capability: str) -> Invocation:
    """A call that the agent was given and leaves open: the bridge answers it once the agent is gone."""
    calling = caller.invoke(capability, b"left open")
    await given(agent, calling, "a call of what the agent offers")
    return calling


async def ended(stream: Stream, code: grpc.StatusCode, what: str, *, word: str = "", names: str = "") -> End:
    """The bridge ends the stream with this status; the details begin with a word and name the culprit."""
    end = await end_of(stream, what)
    expect.status(end, code, what, names=names)
    begins = end.details.startswith(word)
    expect.true(begins, f"{what}: the details", expected=f"to begin with {word}", got=repr(end.details))
    return end
