"""Handshakes, takeovers, goodbyes and losses: the life of sessions and streams (SES)."""

from __future__ import annotations

from collections import OrderedDict

from loom.codes import CODES, Code
from loom_testing.engine import calls, flow, publish
from loom_testing.engine.agent import Agent
from loom_testing.engine.core import Core
from loom_testing.engine.counters import Counter
from loom_testing.engine.limits import micros
from loom_testing.engine.messages import Ack, ClientMessage, Err, Welcome
from loom_testing.engine.outputs import Accept, End, PauseReading
from loom_testing.engine.registration import remove_routes, withdraw
from loom_testing.engine.states import SESSION, STREAM, SessionTrigger, StreamState, StreamTrigger, step
from loom_testing.engine.stream import Stream
from loom_testing.engine.text import quote
from loom_testing.engine.timers import TimerKind

__all__ = [
    "broken",
    "cut",
    "finish_flush",
    "flush_over",
    "half_closed",
    "handshake",
    "handshake_over",
    "lapse",
    "leave",
    "liveness_over",
    "open_stream",
    "refuse",
    "reset",
    "slow_over",
]


def open_stream(core: Core, number: int) -> None:
    """A stream was opened; its handshake is awaited (SES-1)."""
    stream = core.streams[number] = Stream(number, core.limits.stream_window, last_heard=core.now)
    if core.draining:
        refuse(core, stream, "UNAVAILABLE", Code.DRAINING)
        return
    core.timers.set(TimerKind.HANDSHAKE, number, core.now + micros(core.limits.handshake_ms))


def handshake(core: Core, stream: Stream, message: ClientMessage) -> None:
    """Takes the first message of a stream (SES-1 to SES-4)."""
    if not isinstance(message, Ack) or not message.message_id:
        refuse(core, stream, "INVALID_ARGUMENT", Code.HANDSHAKE_EXPECTED)
        return
    agent = core.agents.get(message.message_id)
    if agent is None:
        named = f"agent {quote(message.message_id)} is not registered"
        refuse(core, stream, "FAILED_PRECONDITION", Code.NOT_REGISTERED, named)
        return
    if message.registration not in (0, agent.registration):
        refuse(core, stream, "FAILED_PRECONDITION", Code.STALE_REGISTRATION)
        return
    _accept(core, stream, agent, message)


def _accept(core: Core, stream: Stream, agent: Agent, ack: Ack) -> None:
    core.timers.cancel(TimerKind.HANDSHAKE, stream.number)
    core.timers.cancel(TimerKind.LAPSE, agent.agent_id)
    older = core.live_stream(agent)
    stream.state = step(STREAM, stream.state, StreamTrigger.ACCEPT)
    agent.state = step(SESSION, agent.state, SessionTrigger.HANDSHAKE)
    stream.agent_id = agent.agent_id
    stream.epoch = core.next_epoch()
    stream.features = agent.features
    core.count(Counter.STREAMS_ACCEPTED)
    if older:
        _supersede(core, agent, older)
    agent.stream = stream.number
    _adopt_producer(core, stream, ack.producer)
    core.emit(Accept(stream.number))
    if "session" in stream.features:
        flow.send_now(core, stream, Welcome(stream.epoch))
    if older:
        stream.outbox.take_copies_of(older.outbox)
    if agent.agent_id in core.charges:
        stream.paused = True
        core.emit(PauseReading(stream.number))
    else:
        flow.hear(core, stream)
    flow.pump(core, stream)
    for name in agent.capabilities:
        core.freed[name] = None


def _supersede(core: Core, agent: Agent, older: Stream) -> None:
    """Ends the stream that a newer one takes over; what is queued for the agent stays with the agent."""
    core.count(Counter.STREAMS_SUPERSEDED)
    calls.lose_provider(core, agent)
    _forget_stream(core, older, StreamTrigger.SUPERSEDE)
    _say_fatal(core, older, Code.SUPERSEDED)
    _end(core, older, "ABORTED", Code.SUPERSEDED)


def _adopt_producer(core: Core, stream: Stream, producer: int) -> None:
    """Finds or makes the list of what this producer published (PUB-9)."""
    if not producer or "confirm" not in stream.features:
        return
    stream.producer = producer
    key = publish.producer_key(stream.agent_id, producer)
    core.timers.cancel(TimerKind.PRODUCER, key)
    if key not in core.producers:
        _make_room_for_producer(core)
        core.producers[key] = OrderedDict()


def _make_room_for_producer(core: Core) -> None:
    if len(core.producers) < core.limits.producers:
        return
    for key in core.producers:
        if core.timers.is_set(TimerKind.PRODUCER, key):
            core.timers.cancel(TimerKind.PRODUCER, key)
            del core.producers[key]
            return


def refuse(core: Core, stream: Stream, status: str, code: Code, message: str = "") -> None:
    """Ends a stream whose handshake was not accepted."""
    _forget_stream(core, stream, StreamTrigger.REFUSE)
    _end(core, stream, status, code, message)


def handshake_over(core: Core, stream: Stream) -> None:
    """The time for the handshake has passed (SES-1)."""
    refuse(core, stream, "DEADLINE_EXCEEDED", Code.HANDSHAKE_TIMEOUT)


def half_closed(core: Core, stream: Stream) -> None:
    """The client sends nothing more (SES-6)."""
    if stream.state is StreamState.AWAITING:
        refuse(core, stream, "INVALID_ARGUMENT", Code.HANDSHAKE_EXPECTED)
    elif stream.state is StreamState.OPEN:
        leave(core, stream, "OK")


def leave(core: Core, stream: Stream, status: str, code: Code | None = None) -> None:
    """The agent is gone; its stream flushes what was queued, then ends with `status` (SES-6)."""
    _gone(core, core.agents[stream.agent_id], SessionTrigger.LEAVE)
    stream.state = step(STREAM, stream.state, StreamTrigger.LEAVE)
    stream.end_status = status
    stream.end_message = _sentence(code) if code else ""
    core.timers.cancel(TimerKind.LIVENESS, stream.number)
    core.timers.cancel(TimerKind.SLOW, stream.number)
    core.timers.set(TimerKind.FLUSH, stream.number, core.now + micros(core.limits.goodbye_flush_ms))
    finish_flush(core, stream)


def finish_flush(core: Core, stream: Stream) -> None:
    """Ends a flushing stream once everything is written."""
    outbox = stream.outbox
    if outbox.queue or outbox.waiting or stream.credit < core.limits.stream_window:
        return
    _end_flush(core, stream, StreamTrigger.FLUSHED)


def flush_over(core: Core, stream: Stream) -> None:
    """The time for flushing has passed; what is left is discarded."""
    _end_flush(core, stream, StreamTrigger.CUT)


def _end_flush(core: Core, stream: Stream, trigger: StreamTrigger) -> None:
    _forget_stream(core, stream, trigger)
    core.emit(End(stream.number, stream.end_status, stream.end_message))
    publish.discard(core, stream.outbox)


def broken(core: Core, stream: Stream) -> None:
    """The stream is lost: the agent is gone at once (SES-6)."""
    if stream.state is StreamState.OPEN:
        _gone(core, core.agents[stream.agent_id], SessionTrigger.LOSE)
    _forget_stream(core, stream, StreamTrigger.BREAK)
    publish.discard(core, stream.outbox)


def cut(
    core: Core, stream: Stream, status: str, code: Code, *, reset: bool = False, abrupt: bool = False
) -> None:
    """The bridge ends an open or flushing stream, saying why unless it is to look like a lost connection."""
    if stream.state is StreamState.OPEN:
        _gone(core, core.agents[stream.agent_id], SessionTrigger.RESET if reset else SessionTrigger.LOSE)
    _forget_stream(core, stream, StreamTrigger.CUT)
    core.count(Counter.STREAMS_CUT)
    if abrupt:
        core.emit(End(stream.number, status, "the connection was cut", abrupt=True))
    else:
        _say_fatal(core, stream, code)
        _end(core, stream, status, code)
    publish.discard(core, stream.outbox)


def liveness_over(core: Core, stream: Stream) -> None:
    """A silent client is taken for dead, unless it was heard from since the timer was set (SES-7)."""
    deadline = flow.liveness_deadline(core, stream)
    if deadline is None:
        return
    if deadline > core.now:
        core.timers.set(TimerKind.LIVENESS, stream.number, deadline)
    else:
        cut(core, stream, "UNAVAILABLE", Code.HEARTBEAT_TIMEOUT)


def slow_over(core: Core, stream: Stream) -> None:
    """A full subscriber's transport made no progress for too long (FLOW-3)."""
    cut(core, stream, "RESOURCE_EXHAUSTED", Code.SLOW_CONSUMER)


def lapse(core: Core, agent: Agent) -> None:
    """A registration whose stream was not opened in time is forgotten (REG-4)."""
    _gone(core, agent, SessionTrigger.LAPSE)


def reset(core: Core, agent: Agent) -> None:
    """An agent without a stream goes with its namespace (CTL-4)."""
    _gone(core, agent, SessionTrigger.RESET)


def _gone(core: Core, agent: Agent, trigger: SessionTrigger) -> None:
    """The agent is gone: nobody hears of it, its calls are lost, what it offered is withdrawn."""
    agent.state = step(SESSION, agent.state, trigger)
    core.count(Counter.AGENTS_GONE)
    core.timers.cancel(TimerKind.LAPSE, agent.agent_id)
    del core.agents[agent.agent_id]
    remove_routes(core, agent, agent.routes)
    withdraw(core, agent)
    calls.lose_provider(core, agent)


def _forget_stream(core: Core, stream: Stream, trigger: StreamTrigger) -> None:
    adopted = _is_adopted(core, stream)
    stream.state = step(STREAM, stream.state, trigger)
    del core.streams[stream.number]
    for kind in (
        TimerKind.HANDSHAKE,
        TimerKind.LIVENESS,
        TimerKind.FLUSH,
        TimerKind.SLOW,
        TimerKind.EXPIRY,
    ):
        core.timers.cancel(kind, stream.number)
    if stream.producer and not adopted:
        key = publish.producer_key(stream.agent_id, stream.producer)
        if key in core.producers:
            core.timers.set(TimerKind.PRODUCER, key, core.now + micros(core.limits.producer_ms))


def _is_adopted(core: Core, stream: Stream) -> bool:
    """Whether a newer stream of the agent goes on with the producer of this one (SES-5)."""
    agent = core.agents.get(stream.agent_id)
    newer = core.live_stream(agent) if agent else None
    return newer is not None and newer is not stream and newer.producer == stream.producer


def _say_fatal(core: Core, stream: Stream, code: Code) -> None:
    flow.send_now(core, stream, Err(code, CODES[code].meaning, fatal=True))


def _end(core: Core, stream: Stream, status: str, code: Code, message: str = "") -> None:
    core.emit(End(stream.number, status, _sentence(code, message)))


def _sentence(code: Code, message: str = "") -> str:
    return f"{code}: {message or CODES[code].meaning}"
