"""The engine: one namespace as a state machine.

`handle(input, now)` is all there is: an input comes in with the time, outputs go out, and `next_deadline()`
says when to come again with a `Tick`. Each step first fires the timers that are due, then takes the input,
then looks again at calls that may go on. Nothing here does I/O, reads a clock or draws a random number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loom.codes import Code
from loom_testing.engine import calls, drain, flow, inputs, publish, registration, results, sessions, snapshot
from loom_testing.engine import messages as m
from loom_testing.engine.core import Core
from loom_testing.engine.limits import Limits
from loom_testing.engine.outputs import CapabilitiesReply, HeartbeatReply, Output
from loom_testing.engine.states import StreamState
from loom_testing.engine.stream import Stream
from loom_testing.engine.subscriptions import subscribe, unsubscribe
from loom_testing.engine.timers import TimerKey, TimerKind

__all__ = ["Engine"]


class Engine:
    """One namespace.

    Args:
        created: when it began, microseconds since the Unix epoch; epochs and call ids count from it.
        limits: what it takes at the most.
        liveness: whether silent sessions are taken for dead (SES-7); off on a virtual clock unless asked for.
    """

    def __init__(self, created: int, limits: Limits | None = None, *, liveness: bool = True) -> None:
        self._core = Core(created, limits or Limits(), liveness)

    @property
    def limits(self) -> Limits:
        """What it takes at the most."""
        return self._core.limits

    @property
    def now(self) -> int:
        """The time of the last step, microseconds."""
        return self._core.now

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left that anyone could come back to: the namespace may be forgotten."""
        core = self._core
        return not (core.agents or core.streams or core.calls or core.kept or core.producers)

    def handle(self, came_in: inputs.Input, now: int) -> list[Output]:
        """Takes one input at a time not before the last one's; answers what is to be done, in order."""
        core = self._core
        core.now = max(core.now, now)
        core.outputs = []
        while key := core.timers.pop_due(core.now):
            _FIRE[key[0]](core, key)
            calls.settle(core)
        _TAKE[type(came_in)](core, came_in)
        calls.settle(core)
        drain.proceed(core)
        return core.outputs

    def next_deadline(self) -> int | None:
        """When `handle` is to be called with a `Tick` if nothing happens before; None for never."""
        return self._core.timers.next_deadline()


def _receive(core: Core, came_in: inputs.Receive) -> None:
    stream = core.streams.get(came_in.stream)
    if stream is None or stream.state is StreamState.FLUSHING:
        return
    if stream.state is StreamState.AWAITING:
        sessions.handshake(core, stream, came_in.message)
        return
    flow.hear(core, stream)
    _TAKE_MESSAGE[type(came_in.message)](core, stream, came_in.message)


def _unknown(core: Core, stream: Stream, message: m.Unknown) -> None:
    named = f"message {message.name}" if message.name else "the message"
    flow.reply(core, stream, m.Err(Code.INVALID_MESSAGE, f"{named} is empty or not known to this bridge"))


def _ignore_ack(core: Core, stream: Stream, message: m.Ack) -> None:
    """Later Acks of a base-level client are ignored (SES-1)."""


def _stream_gone(
    act: Callable[[Core, Stream], None],
) -> Callable[[Core, inputs.HalfClose | inputs.Break], None]:
    def take(core: Core, came_in: inputs.HalfClose | inputs.Break) -> None:
        stream = core.streams.get(came_in.stream)
        if stream:
            act(core, stream)

    return take


def _writable(core: Core, came_in: inputs.Writable) -> None:
    stream = core.streams.get(came_in.stream)
    if stream is None:
        return
    flow.wrote(core, stream, came_in.count)
    if stream.state is StreamState.FLUSHING:
        sessions.finish_flush(core, stream)


def _reset(core: Core, _came_in: inputs.Reset) -> None:
    calls.fail_all(core, Code.NAMESPACE_RESET, "the namespace was reset")
    for stream in list(core.streams.values()):
        if stream.state is StreamState.AWAITING:
            sessions.refuse(core, stream, "UNAVAILABLE", Code.NAMESPACE_RESET)
        else:
            sessions.cut(core, stream, "UNAVAILABLE", Code.NAMESPACE_RESET, reset=True)
    for agent in list(core.agents.values()):
        sessions.reset(core, agent)
    core.forget_everything()


def _of_agent(act: Callable[[Core, Stream], None]) -> Callable[[Core, Any], None]:
    """For the control of a session by its agent's id; without a live stream there is nothing to do."""

    def take(core: Core, came_in: inputs.Disconnect | inputs.Hold | inputs.Release) -> None:
        agent = core.agents.get(came_in.agent_id)
        stream = core.live_stream(agent) if agent else None
        if stream:
            act(core, stream)

    return take


def _disconnect(core: Core, stream: Stream) -> None:
    sessions.cut(core, stream, "UNAVAILABLE", Code.UNAVAILABLE, abrupt=True)


_TAKE: dict[type, Callable[[Core, Any], None]] = {
    inputs.Register: registration.register,
    inputs.Open: lambda core, came_in: sessions.open_stream(core, came_in.stream),
    inputs.Receive: _receive,
    inputs.HalfClose: _stream_gone(sessions.half_closed),
    inputs.Break: _stream_gone(sessions.broken),
    inputs.Writable: _writable,
    inputs.Invoke: calls.invoke,
    inputs.Abandon: lambda core, came_in: calls.abandon(core, came_in.call),
    inputs.ListCapabilities: lambda core, came_in: core.emit(
        CapabilitiesReply(came_in.call, calls.callable_now(core))
    ),
    inputs.Heartbeat: lambda core, came_in: core.emit(HeartbeatReply(came_in.call, came_in.timestamp_ms)),
    inputs.Tick: lambda core, came_in: None,
    inputs.DrainAll: lambda core, came_in: drain.begin(core, came_in.grace_ms),
    inputs.Snapshot: lambda core, came_in: core.emit(snapshot.take(core, came_in.call)),
    inputs.Disconnect: _of_agent(_disconnect),
    inputs.Hold: _of_agent(lambda core, stream: flow.hold(stream)),
    inputs.Release: _of_agent(flow.release),
    inputs.Reset: _reset,
}

_TAKE_MESSAGE: dict[type, Callable[[Core, Stream, Any], None]] = {
    m.Ack: _ignore_ack,
    m.Publish: publish.publish,
    m.Ping: lambda core, stream, message: flow.reply(core, stream, m.Pong(message.timestamp_ms)),
    m.ActionResult: calls.result,
    m.Subscribe: subscribe,
    m.Unsubscribe: unsubscribe,
    m.Goodbye: lambda core, stream, message: sessions.leave(core, stream, "OK"),
    m.Unknown: _unknown,
}


def _on_stream(act: Callable[[Core, Stream], None]) -> Callable[[Core, TimerKey], None]:
    """For timers that belong to a stream; ending a stream cancels them, so it is there."""

    def fire(core: Core, key: TimerKey) -> None:
        assert isinstance(key[1], int)
        act(core, core.streams[key[1]])

    return fire


def _expire(core: Core, stream: Stream) -> None:
    flow.expire(core, stream)
    if stream.state is StreamState.FLUSHING:
        sessions.finish_flush(core, stream)


def _lapse(core: Core, key: TimerKey) -> None:
    sessions.lapse(core, core.agents[str(key[1])])


def _waiter(core: Core, key: TimerKey) -> None:
    assert isinstance(key[1], int)
    calls.waiter_over(core, key[1])


def _forget_producer(core: Core, key: TimerKey) -> None:
    del core.producers[str(key[1])]


_FIRE: dict[TimerKind, Callable[[Core, TimerKey], None]] = {
    TimerKind.HANDSHAKE: _on_stream(sessions.handshake_over),
    TimerKind.LAPSE: _lapse,
    TimerKind.LIVENESS: _on_stream(sessions.liveness_over),
    TimerKind.FLUSH: _on_stream(sessions.flush_over),
    TimerKind.SLOW: _on_stream(sessions.slow_over),
    TimerKind.EXPIRY: _on_stream(_expire),
    TimerKind.WAITER: _waiter,
    TimerKind.KEPT: lambda core, key: results.forget_due(core),
    TimerKind.PRODUCER: _forget_producer,
    TimerKind.DRAIN: lambda core, key: drain.grace_over(core),
}
