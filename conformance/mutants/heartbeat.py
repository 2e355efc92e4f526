"""Bugs in heartbeats (HB)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CODEC = "loom_testing/codec.py"
ENGINE = "loom_testing/engine/engine.py"
MESSAGES = "loom_testing/engine/messages.py"
OUTPUTS = "loom_testing/engine/outputs.py"

PING = "flow.reply(core, stream, m.Pong(message.timestamp_ms)),"
HEARTBEAT = "core.emit(HeartbeatReply(came_in.call, came_in.timestamp_ms)),"

MUTANTS = [
    Mutant(
        clause="HB-1.1",
        name="a-heartbeat-without-a-sign",
        why="a negative timestamp comes back without its sign",
        file=ENGINE,
        old=HEARTBEAT,
        new="core.emit(HeartbeatReply(came_in.call, abs(came_in.timestamp_ms))),",
        killed_by="the timestamp of the answer: expected -1, got 1",
    ),
    Mutant(
        clause="HB-1.2",
        name="a-heartbeat-in-capitals",
        why="the status of a heartbeat is another word",
        file=OUTPUTS,
        old='status: str = "ok"',
        new='status: str = "OK"',
        killed_by="the status of the answer: expected 'ok', got 'OK'",
    ),
    Mutant(
        clause="HB-1.3",
        name="a-heartbeat-for-agents-only",
        why="a namespace without agents does not echo",
        file=ENGINE,
        old=HEARTBEAT,
        new="core.emit(HeartbeatReply(came_in.call, came_in.timestamp_ms if core.agents else 0)),",
        killed_by="the answer before anybody is there: expected 1, got 0",
    ),
    Mutant(
        clause="HB-2.1",
        name="a-pong-for-times-only",
        why="the timestamp of a ping is taken for a time, which is never negative",
        file=ENGINE,
        old=PING,
        new="flow.reply(core, stream, m.Pong(max(message.timestamp_ms, 0))),",
        killed_by="the timestamp of the pong: expected -1, got 0",
    ),
    Mutant(
        clause="HB-2.2",
        name="a-pong-in-other-words",
        why="the status of a pong is another word",
        file=MESSAGES,
        old='status: str = "ok"',
        new='status: str = "alive"',
        killed_by="the status of the pong: expected 'ok', got 'alive'",
    ),
    Mutant(
        clause="HB-2.3",
        name="a-pong-past-the-queue",
        why="a pong is sent at once, past what is queued",
        file=ENGINE,
        old=PING,
        new="flow.send_now(core, stream, m.Pong(message.timestamp_ms)),",
        killed_by="the events that came before the pong: expected .*1.*2.*3.*, got \\[\\]",
    ),
    Mutant(
        clause="HB-2.4",
        name="two-pongs-for-a-ping",
        why="each ping is answered twice",
        file=ENGINE,
        old=PING,
        new="[flow.reply(core, stream, m.Pong(message.timestamp_ms)) for _ in range(2)],",
        killed_by="what came for four pings",
    ),
    Mutant(
        clause="HB-2.5",
        name="a-pong-past-the-answers",
        why="a pong goes past the queue where no events are in it, although answers are",
        file=ENGINE,
        old=PING,
        new="(flow.reply if stream.outbox.events else flow.send_now)"
        "(core, stream, m.Pong(message.timestamp_ms)),",
        killed_by="a refused publish and a ping: expected .*'err', 'pong'.*, got .*'pong', 'err'",
    ),
]
