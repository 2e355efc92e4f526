"""Queues, and who is slowed when one is full (FLOW, PUB-7).

Whatever goes out to an agent passes through here. The shell takes at most a window of messages and reports
what its transport took; the rest stays in the engine, where it is counted, expires, and can be taken back. A
copy that finds no room waits and is charged to its publisher, whose stream is read no further until it is
queued.
"""

from __future__ import annotations

from loom.codes import Code
from loom_testing.engine.core import Core
from loom_testing.engine.counters import Counter
from loom_testing.engine.limits import micros
from loom_testing.engine.messages import Delivery, Err, ServerMessage
from loom_testing.engine.outbox import REALTIME, Copy, HandedCall, Outbox, Reply
from loom_testing.engine.outputs import PauseReading, ResumeReading, Send
from loom_testing.engine.states import StreamState
from loom_testing.engine.stream import Stream
from loom_testing.engine.timers import TimerKind

__all__ = [
    "discharge",
    "expire",
    "give",
    "hand",
    "hear",
    "hold",
    "liveness_deadline",
    "pump",
    "read_or_pause",
    "release",
    "reply",
    "send_now",
    "wrote",
]


def reply(core: Core, stream: Stream, message: ServerMessage) -> None:
    """Queues a message of the bridge itself, behind what is queued already (HB-2)."""
    stream.outbox.append(Reply(message))
    pump(core, stream)


def hand(core: Core, stream: Stream, call: HandedCall) -> None:
    """Queues a call; that there is room was made sure of."""
    stream.outbox.append(call)
    pump(core, stream)


def give(core: Core, stream: Stream, copy: Copy) -> None:
    """Queues a copy; where there is no room, drops it or lets it wait, by its QoS (FLOW-1)."""
    outbox = stream.outbox
    size = len(copy.published.event)
    if copy.qos == REALTIME:
        _give_realtime(core, stream, copy, size)
    elif outbox.waiting or not outbox.has_room(size, core.limits):
        outbox.wait(copy)
        _charge(core, copy.published.publisher)
    else:
        outbox.append(copy)
    pump(core, stream)


def _give_realtime(core: Core, stream: Stream, copy: Copy, size: int) -> None:
    outbox = stream.outbox
    while not outbox.has_room(size, core.limits):
        oldest = outbox.drop_realtime()
        _count_drop(core, stream)
        if oldest is None:
            return
    outbox.append(copy)


def _count_drop(core: Core, stream: Stream) -> None:
    core.count(Counter.COPIES_DROPPED)
    stream.dropped += 1


def pump(core: Core, stream: Stream) -> None:
    """Sends what the shell has room for, and sees to everything that follows from it."""
    outbox = stream.outbox
    while stream.credit > 0 and not stream.held and (outbox.queue or stream.dropped):
        if stream.dropped:
            send_now(core, stream, _dropped_notice(stream))
            continue
        entry = outbox.pop()
        if isinstance(entry, Copy):
            _deliver(core, stream, entry)
        else:
            send_now(core, stream, entry.message)
        _admit(core, outbox)
    _watch(core, stream)


def send_now(core: Core, stream: Stream, message: ServerMessage) -> None:
    """Sends past the queue."""
    stream.credit -= 1
    core.emit(Send(stream.number, message))


def _deliver(core: Core, stream: Stream, copy: Copy) -> None:
    published = copy.published
    seq = 0
    if "session" in stream.features:
        stream.seq += 1
        seq = stream.seq
    core.count(Counter.COPIES_SENT)
    send_now(core, stream, Delivery(published.topic, published.event, seq))


def _dropped_notice(stream: Stream) -> Err:
    dropped, stream.dropped = stream.dropped, 0
    events = "event was" if dropped == 1 else "events were"
    return Err(Code.EVENTS_DROPPED, f"{dropped} realtime {events} dropped because the queue was full")


def _admit(core: Core, outbox: Outbox) -> None:
    """Lets waiting copies into the queue while there is room."""
    while True:
        copy = outbox.admit(core.limits)
        if copy is None:
            return
        discharge(core, copy)


def _charge(core: Core, publisher: str) -> None:
    core.charges[publisher] = core.charges.get(publisher, 0) + 1
    _read_or_pause_agent(core, publisher)


def discharge(core: Core, copy: Copy) -> None:
    """A copy waits no longer; its publisher is read again once none of its copies waits."""
    publisher = copy.published.publisher
    left = core.charges[publisher] - 1
    if left:
        core.charges[publisher] = left
    else:
        del core.charges[publisher]
        _read_or_pause_agent(core, publisher)


def _read_or_pause_agent(core: Core, agent_id: str) -> None:
    agent = core.agents.get(agent_id)
    stream = core.live_stream(agent) if agent else None
    if stream:
        read_or_pause(core, stream)


def read_or_pause(core: Core, stream: Stream) -> None:
    """Stops reading while copies of this client's events wait, or while it does not take its replies."""
    if stream.state is not StreamState.OPEN:
        return
    replies = stream.outbox.replies
    most = core.limits.stream_replies
    backlog = replies > most // 2 if stream.paused else replies >= most
    pause = backlog or stream.agent_id in core.charges
    if pause == stream.paused:
        return
    stream.paused = pause
    if pause:
        core.timers.cancel(TimerKind.LIVENESS, stream.number)
        core.emit(PauseReading(stream.number))
    else:
        hear(core, stream)
        core.emit(ResumeReading(stream.number))


def hear(core: Core, stream: Stream) -> None:
    """The client was heard from. A running liveness timer is left: it looks again itself."""
    stream.last_heard = core.now
    if not core.timers.is_set(TimerKind.LIVENESS, stream.number):
        deadline = liveness_deadline(core, stream)
        if deadline is not None:
            core.timers.set(TimerKind.LIVENESS, stream.number, deadline)


def liveness_deadline(core: Core, stream: Stream) -> int | None:
    """When a silent client is taken for dead, or None where it never is (SES-7, CTL-2)."""
    if not core.liveness or stream.paused or "session" not in stream.features:
        return None
    return stream.last_heard + 3 * micros(core.limits.heartbeat_interval_ms)


def _watch(core: Core, stream: Stream) -> None:
    """Sets what follows from the state of the queue: reading, timers, calls that wait for room."""
    read_or_pause(core, stream)
    _watch_expiry(core, stream)
    pressed = stream.state is StreamState.OPEN and _is_pressed(core, stream)
    if not pressed:
        core.timers.cancel(TimerKind.SLOW, stream.number)
    elif not core.timers.is_set(TimerKind.SLOW, stream.number):
        core.timers.set(TimerKind.SLOW, stream.number, core.now + micros(core.limits.slow_consumer_ms))
    if core.queues:
        agent = core.agents.get(stream.agent_id)
        for name in agent.capabilities if agent else ():
            if name in core.queues:
                core.freed[name] = None


def _is_pressed(core: Core, stream: Stream) -> bool:
    """Whether the queue is full, so that a transport without progress is a slow consumer (FLOW-3)."""
    outbox = stream.outbox
    return bool(
        outbox.waiting or not outbox.has_room(1, core.limits) or outbox.replies >= core.limits.stream_replies
    )


def _watch_expiry(core: Core, stream: Stream) -> None:
    expiry = stream.outbox.next_expiry()
    if expiry == stream.expiry:
        return
    stream.expiry = expiry
    if expiry is None:
        core.timers.cancel(TimerKind.EXPIRY, stream.number)
    else:
        core.timers.set(TimerKind.EXPIRY, stream.number, expiry)


def expire(core: Core, stream: Stream) -> None:
    """Takes out the copies whose time has passed (PUB-7)."""
    stream.expiry = None
    for copy, waited in stream.outbox.expire(core.now):
        core.count(Counter.COPIES_EXPIRED)
        if waited:
            discharge(core, copy)
    _admit(core, stream.outbox)
    pump(core, stream)


def wrote(core: Core, stream: Stream, count: int) -> None:
    """The transport took messages: progress, and room for more."""
    stream.credit += count
    core.timers.cancel(TimerKind.SLOW, stream.number)
    pump(core, stream)


def hold(stream: Stream) -> None:
    """Writes nothing more (CTL-4)."""
    stream.held = True


def release(core: Core, stream: Stream) -> None:
    """Writes again (CTL-4)."""
    stream.held = False
    pump(core, stream)
