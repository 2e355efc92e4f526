"""Bugs in how sessions end (SES-6), and in who is taken for dead (SES-7)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

ENGINE = "loom_testing/engine/engine.py"
EVENT_STREAM = "loom_testing/event_stream.py"
FLOW = "loom_testing/engine/flow.py"
SERVER = "loom_testing/server.py"
SESSIONS = "loom_testing/engine/sessions.py"

GOODBYE = 'sessions.leave(core, stream, "OK"),'
HALF_CLOSE = '        leave(core, stream, "OK")\n'
READ = """                await self._allowed()
                self._receive(data)
"""
BROKEN = "        _gone(core, core.agents[stream.agent_id], SessionTrigger.LOSE)\n"
DEADLINE = """    if not core.liveness or stream.paused or "session" not in stream.features:
        return None
    return stream.last_heard + 3 * micros(core.limits.heartbeat_interval_ms)
"""
DEAD = '        cut(core, stream, "UNAVAILABLE", Code.HEARTBEAT_TIMEOUT)\n'
HEAR = "    flow.hear(core, stream)\n"
LOST = "nothing within 10 s"
KEEPALIVE = """        ("grpc.keepalive_time_ms", 5_000),
        ("grpc.keepalive_timeout_ms", 4_000),
        ("grpc.http2.ping_timeout_ms", 4_000),
"""

MUTANTS = [
    # SES-6
    Mutant(
        clause="SES-6.1",
        name="who-is-slowed-is-not-heard",
        why="what comes from a client that is read no further is thrown away, the goodbye included",
        file=EVENT_STREAM,
        old=READ,
        new="""                if self.reading:
                    self._receive(data)
""",
        killed_by=f"the stream of slow: expected a message or its end, got {LOST}",
    ),
    Mutant(
        clause="SES-6.2",
        name="a-half-close-past-what-was-said",
        why="a message that waits to be taken is overtaken by the half-close behind it",
        file=EVENT_STREAM,
        old=READ,
        new="""                if not self.reading:
                    break
                self._receive(data)
""",
        killed_by=f"the stream of slow: expected a message or its end, got {LOST}",
    ),
    Mutant(
        clause="SES-6.3",
        name="a-goodbye-cuts",
        why="a goodbye ends the stream without a flush",
        file=ENGINE,
        old=GOODBYE,
        new='sessions.cut(core, stream, "OK", Code.CANCELLED),',
        killed_by=r"what the leaving agent receives of its queue: expected .*1.*2.*3.*, got \[\]",
    ),
    Mutant(
        clause="SES-6.4",
        name="a-half-close-cuts",
        why="a half-close ends the stream without a flush",
        file=SESSIONS,
        old=HALF_CLOSE,
        new='        cut(core, stream, "OK", Code.CANCELLED)\n',
        killed_by=r"what the leaving agent receives of its queue: expected .*1.*2.*3.*, got \[\]",
    ),
    Mutant(
        clause="SES-6.5",
        name="a-goodbye-is-cancelled",
        why="a goodbye ends the stream with another status",
        file=ENGINE,
        old=GOODBYE,
        new='sessions.leave(core, stream, "CANCELLED"),',
        killed_by="after the goodbye of a client with .*: the gRPC status: expected OK, got CANCELLED",
    ),
    Mutant(
        clause="SES-6.5",
        name="a-goodbye-needs-session",
        why="a goodbye is known only where `session` was agreed on",
        file=ENGINE,
        old=GOODBYE,
        new='sessions.leave(core, stream, "OK") if "session" in stream.features '
        "else _unknown(core, stream, m.Unknown()),",
        killed_by=r"after the goodbye of a client with \[\]: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="SES-6.6",
        name="a-half-close-is-cancelled",
        why="a half-close ends the stream with another status",
        file=SESSIONS,
        old=HALF_CLOSE,
        new='        leave(core, stream, "CANCELLED")\n',
        killed_by="the stream after a half-close: the gRPC status: expected OK, got CANCELLED",
    ),
    Mutant(
        clause="SES-6.7",
        name="who-left-stays-registered",
        why="an agent that leaves stays registered, without a stream",
        file=SESSIONS,
        old="    _gone(core, core.agents[stream.agent_id], SessionTrigger.LEAVE)\n",
        new="""    calls.lose_provider(core, core.agents[stream.agent_id])
    core.agents[stream.agent_id].stream = None
""",
        killed_by="a call of what it offered: .*expected .*'ACTION_ERROR', got 'ACTION_RETRYABLE'",
    ),
    Mutant(
        clause="SES-6.8",
        name="heard-after-the-goodbye",
        why="what comes while an agent is flushed is taken",
        file=ENGINE,
        old="    if stream is None or stream.state is StreamState.FLUSHING:\n",
        new="    if stream is None:\n",
        killed_by="what is delivered of what the agent published: expected .*before.*, got .*before.*after",
    ),
    Mutant(
        clause="SES-6.9",
        name="flushes-without-an-end",
        why="a flush may take ten times its time",
        file=SESSIONS,
        old="core.now + micros(core.limits.goodbye_flush_ms))",
        new="core.now + 10 * micros(core.limits.goodbye_flush_ms))",
        killed_by="when the time for the flush has passed: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="SES-6.10",
        name="who-resets-stays-registered",
        why="an agent whose stream breaks stays registered, without a stream",
        file=SESSIONS,
        old=BROKEN,
        new="""        calls.lose_provider(core, core.agents[stream.agent_id])
        core.agents[stream.agent_id].stream = None
""",
        killed_by="a call of what it offered: .*expected .*'ACTION_ERROR', got 'ACTION_RETRYABLE'",
    ),
    Mutant(
        clause="SES-6.11",
        name="who-is-lost-may-come-back",
        why="an agent whose connection is lost is kept for as long as a registration waits for its stream",
        file=SESSIONS,
        old=BROKEN,
        new="""        agent = core.agents[stream.agent_id]
        calls.lose_provider(core, agent)
        agent.stream = None
        core.timers.set(TimerKind.SLOW, -stream.number, core.now + micros(core.limits.registration_lapse_ms))
""",
        killed_by="a call of what it offered: .*expected .*'ACTION_ERROR', got 'ACTION_RETRYABLE'",
    ),
    Mutant(
        clause="SES-6.12",
        name="the-queue-outlives-its-agent",
        why="the queue of a broken stream is kept for the next agent of that id",
        file=SESSIONS,
        old="""    _forget_stream(core, stream, StreamTrigger.BREAK)
    publish.discard(core, stream.outbox)
""",
        new="""    _forget_stream(core, stream, StreamTrigger.BREAK)
    core.__dict__.setdefault("left", {})[stream.agent_id] = stream.outbox


_accept_plainly = _accept


def _accept(core: Core, stream: Stream, agent: Agent, ack: Ack) -> None:
    _accept_plainly(core, stream, agent, ack)
    left = core.__dict__.setdefault("left", {}).pop(agent.agent_id, None)
    if left is not None:
        stream.outbox.take_copies_of(left)
        flow.pump(core, stream)
""",
        killed_by="that came back under the same id: expected .*3.*, got .*1.*2.*3",
    ),
    # SES-7
    Mutant(
        clause="SES-7.1",
        name="a-welcome-behind-the-queue",
        why="the Welcome is queued behind what the older stream left",
        file=SESSIONS,
        old="""    if "session" in stream.features:
        flow.send_now(core, stream, Welcome(stream.epoch))
    if older:
        stream.outbox.take_copies_of(older.outbox)
""",
        new="""    if older:
        stream.outbox.take_copies_of(older.outbox)
    if "session" in stream.features:
        flow.reply(core, stream, Welcome(stream.epoch))
""",
        killed_by="the first message of the session: expected 'welcome', got 'delivery'",
    ),
    Mutant(
        clause="SES-7.2",
        name="a-takeover-is-a-resumption",
        why="a Welcome says that the session was resumed wherever there was an older stream",
        file=SESSIONS,
        old="flow.send_now(core, stream, Welcome(stream.epoch))",
        new="flow.send_now(core, stream, Welcome(stream.epoch, resumed=older is not None))",
        killed_by="nothing but `session`: expected .*, got .*resumed: true",
    ),
    Mutant(
        clause="SES-7.3",
        name="the-silent-live-on",
        why="a silent client is taken for dead after thirty intervals",
        file=FLOW,
        old=DEADLINE,
        new=DEADLINE.replace("3 * micros", "30 * micros"),
        killed_by="the stream of a silent client: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="SES-7.3",
        name="the-silent-are-aborted",
        why="the stream of a silent client ends with another status",
        file=SESSIONS,
        old=DEAD,
        new=DEAD.replace("UNAVAILABLE", "ABORTED"),
        killed_by="the stream of a silent client: the gRPC status: expected UNAVAILABLE, got ABORTED",
    ),
    Mutant(
        clause="SES-7.4",
        name="the-dead-stay-registered",
        why="an agent that is taken for dead stays registered, without a stream",
        file=SESSIONS,
        old=DEAD,
        new="""        core.agents[stream.agent_id].stream = None
        _forget_stream(core, stream, StreamTrigger.CUT)
        _say_fatal(core, stream, Code.HEARTBEAT_TIMEOUT)
        _end(core, stream, "UNAVAILABLE", Code.HEARTBEAT_TIMEOUT)
""",
        killed_by="a call of what it offered: .*expected .*'ACTION_ERROR', got 'ACTION_RETRYABLE'",
    ),
    Mutant(
        clause="SES-7.5",
        name="dead-after-two-intervals",
        why="a client is taken for dead after two intervals",
        file=FLOW,
        old=DEADLINE,
        new=DEADLINE.replace("3 * micros", "2 * micros"),
        killed_by="the stream of a: expected a message, got its end|HEARTBEAT_TIMEOUT",
    ),
    Mutant(
        clause="SES-7.6",
        name="pings-are-no-sign-of-life",
        why="a ping does not count as being heard",
        file=ENGINE,
        old=HEAR,
        new="    if not isinstance(came_in.message, m.Ping):\n        flow.hear(core, stream)\n",
        killed_by="the stream of a: expected a message, got its end|HEARTBEAT_TIMEOUT",
    ),
    Mutant(
        clause="SES-7.7",
        name="only-pings-are-signs-of-life",
        why="only a ping counts as being heard",
        file=ENGINE,
        old=HEAR,
        new="    if isinstance(came_in.message, m.Ping):\n        flow.hear(core, stream)\n",
        killed_by="the stream of a: expected a message, got its end|HEARTBEAT_TIMEOUT",
    ),
    Mutant(
        clause="SES-7.8",
        name="base-level-clients-must-ping",
        why="a silent client is taken for dead although it agreed on no heartbeats",
        file=FLOW,
        old=DEADLINE,
        new=DEADLINE.replace(' or "session" not in stream.features', ""),
        killed_by="the stream of (a|p): expected a message, got its end|HEARTBEAT_TIMEOUT",
    ),
    Mutant(
        clause="SES-7.9",
        name="the-bridge-s-pause-is-the-client-s-silence",
        why="once a client is read again, the time in which it was not read counts as its silence",
        file=FLOW,
        old="        hear(core, stream)\n        core.emit(ResumeReading(stream.number))\n",
        new="""        silent_until = liveness_deadline(core, stream)
        if silent_until is not None:
            core.timers.set(TimerKind.LIVENESS, stream.number, silent_until)
        core.emit(ResumeReading(stream.number))
""",
        killed_by=f"{LOST}|the stream of a: expected a message, got its end|HEARTBEAT_TIMEOUT",
    ),
    Mutant(
        clause="SES-7.10",
        name="dead-connections-are-kept",
        why="a connection is asked for a sign of life once a minute only, and may take a minute for it",
        file=SERVER,
        old=KEEPALIVE,
        new=KEEPALIVE.replace("5_000", "60_000").replace("4_000", "60_000"),
        killed_by=f"ForwardAction by caller: expected a result, got {LOST}",
    ),
]
