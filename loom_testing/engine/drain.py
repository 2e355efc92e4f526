"""Stopping without breaking anything: no new work, open calls finish, streams are flushed (LIM-3)."""

from __future__ import annotations

from loom.codes import Code
from loom_testing.engine import flow, sessions
from loom_testing.engine.core import Core
from loom_testing.engine.limits import micros
from loom_testing.engine.messages import Drain
from loom_testing.engine.outputs import Drained
from loom_testing.engine.states import StreamState
from loom_testing.engine.timers import TimerKind

__all__ = ["begin", "grace_over", "proceed"]


def begin(core: Core, grace_ms: int) -> None:
    """Refuses new work from here on and tells the sessions."""
    if core.draining:
        return
    core.draining = True
    core.timers.set(TimerKind.DRAIN, 0, core.now + micros(grace_ms))
    for stream in list(core.streams.values()):
        if stream.state is StreamState.AWAITING:
            sessions.refuse(core, stream, "UNAVAILABLE", Code.DRAINING)
        elif stream.state is StreamState.OPEN and "drain" in stream.features:
            flow.reply(core, stream, Drain(grace_ms))


def grace_over(core: Core) -> None:
    """The grace has passed: what is still open is cut."""
    for stream in list(core.streams.values()):
        sessions.cut(core, stream, "UNAVAILABLE", Code.DRAINING)


def proceed(core: Core) -> None:
    """Once no call is open, ends the streams; once no stream is left, says so."""
    if not core.draining or core.calls:
        return
    for stream in list(core.streams.values()):
        if stream.state is StreamState.OPEN:
            sessions.leave(core, stream, "UNAVAILABLE", Code.DRAINING)
    if not core.streams and not core.drained:
        core.drained = True
        core.timers.cancel(TimerKind.DRAIN, 0)
        core.emit(Drained())
