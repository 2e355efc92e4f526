"""Bugs in queues, in who is slowed, and in who is cut off (FLOW)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

FLOW = "loom_testing/engine/flow.py"
OUTBOX = "loom_testing/engine/outbox.py"
PUBLISH = "loom_testing/engine/publish.py"
SESSIONS = "loom_testing/engine/sessions.py"
STREAM = "loom_testing/event_stream.py"

GIVE = "        flow.give(core, target, Copy(published, receiver.qos, tuple(receiver.groups)))\n    matched"
ROOM = "        return self.events < limits.queue_events and self.bytes + size <= limits.queue_bytes\n"
FULL = """    while not outbox.has_room(size, core.limits):
        oldest = outbox.drop_realtime()
        _count_drop(core, stream)
        if oldest is None:
            return
"""
WAIT = "        outbox.wait(copy)\n        _charge(core, copy.published.publisher)\n"
FULL_ITSELF = "not outbox.has_room(1, core.limits) or "
NO_ANSWERS = " or outbox.replies >= core.limits.stream_replies"
PRESSED = f"        outbox.waiting or {FULL_ITSELF}{NO_ANSWERS.removeprefix(' or ')}\n"

MUTANTS = [
    Mutant(
        clause="FLOW-1.1",
        name="one-event-too-many",
        why="a queue takes one event more than its limit",
        file=OUTBOX,
        old=ROOM,
        new=ROOM.replace("self.events < ", "self.events <= "),
        killed_by="how many events are queued after: expected 3, got 4",
    ),
    Mutant(
        clause="FLOW-1.2",
        name="bytes-before-the-event",
        why="an event is queued when there is room before it, whatever its size",
        file=OUTBOX,
        old=ROOM,
        new=ROOM.replace("self.bytes + size <= ", "self.bytes < "),
        killed_by="how many bytes are queued: expected at most 50000",
    ),
    Mutant(
        clause="FLOW-1.3",
        name="no-room-for-large-events",
        why="an event larger than the queue waits for ever",
        file=OUTBOX,
        old="        if self.events == 0:\n",
        new="        if self.events == 0 and size <= limits.queue_bytes:\n",
        killed_by=r"how many events are queued, how many wait: expected \[1, 0\], got \[0, 1\]",
    ),
    Mutant(
        clause="FLOW-1.4",
        name="the-newest-is-dropped",
        why="for a full realtime subscriber the new event is dropped",
        file=FLOW,
        old=FULL,
        new="    if not outbox.has_room(size, core.limits):\n"
        "        _count_drop(core, stream)\n        return\n",
        killed_by=r"what arrived of seven realtime events: expected .*got \[b'0', b'1', b'2'\]",
    ),
    Mutant(
        clause="FLOW-1.5",
        name="one-makes-room-for-one",
        why="one realtime event makes room for one, whatever their sizes",
        file=FLOW,
        old=FULL,
        new=FULL.replace("while not", "if not"),
        killed_by="the events that arrived: expected .*got .*small 1",
    ),
    Mutant(
        clause="FLOW-1.5",
        name="all-make-room",
        why="all queued realtime events are dropped for a new one",
        file=FLOW,
        old="        if oldest is None:\n            return\n",
        new="        if oldest is None:\n            return\n"
        "        while outbox.drop_realtime():\n            _count_drop(core, stream)\n",
        killed_by=r"the events that arrived: expected .*got \['large'\]",
    ),
    Mutant(
        clause="FLOW-1.6",
        name="realtime-waits",
        why="a realtime event waits for room like any other",
        file=FLOW,
        old="    if copy.qos == REALTIME:\n",
        new="    if copy.qos < REALTIME:\n",
        killed_by="what the other subscriber heard meanwhile: expected",
    ),
    Mutant(
        clause="FLOW-1.7",
        name="the-oldest-of-any-kind",
        why="where no realtime event is queued, another one makes room",
        file=OUTBOX,
        old="        if not self._realtime:\n            return None\n"
        "        key = next(iter(self._realtime))\n",
        new="        key = next(iter(self._realtime or self.queue))\n",
        killed_by="what arrived: expected .*got .*lost",
    ),
    Mutant(
        clause="FLOW-1.8",
        name="full-is-full",
        why="an event that finds no room is dropped",
        file=FLOW,
        old=WAIT,
        new="        _count_drop(core, stream)\n",
        killed_by="what arrived once the subscriber read: expected",
    ),
    Mutant(
        clause="FLOW-1.9",
        name="background-is-realtime",
        why="only batched events wait for room",
        file=FLOW,
        old="    if copy.qos == REALTIME:\n",
        new="    if copy.qos != 1:\n",
        killed_by="(what arrived once the subscriber read: expected|heard: expected)",
    ),
    Mutant(
        clause="FLOW-1.10",
        name="answers-without-end",
        why="answers pile up for a client that takes none",
        file=FLOW,
        old="    pause = backlog or stream.agent_id in core.charges\n",
        new="    pause = stream.agent_id in core.charges\n",
        killed_by="behind a thousand unread answers: expected nothing",
    ),
    Mutant(
        clause="FLOW-1.11",
        name="small-events-overtake",
        why="an event is queued if there is room for it, whoever waits before it",
        file=FLOW,
        old="    elif outbox.waiting or not outbox.has_room(size, core.limits):\n",
        new="    elif not outbox.has_room(size, core.limits):\n",
        killed_by="in the order in which they arrived: expected .*got .*'first', 'small', 'large'",
    ),
    Mutant(
        clause="FLOW-2.1",
        name="all-or-nobody",
        why="while a copy of an event waits, its other copies wait too",
        file=PUBLISH,
        old=GIVE,
        new="        if any(core.streams[r.agent.stream or 0].outbox.waiting for r in ordered):\n"
        "            continue\n" + GIVE,
        killed_by="heard while the event waits for another: expected",
    ),
    Mutant(
        clause="FLOW-2.2",
        name="nobody-is-slowed",
        why="copies wait without bound, and their publisher is read on",
        file=FLOW,
        old="    pause = backlog or stream.agent_id in core.charges\n",
        new="    pause = backlog\n",
        killed_by="taken of both publishers while an event waits: expected .*got .*of the slowed one",
    ),
    Mutant(
        clause="FLOW-2.3",
        name="everybody-is-slowed",
        why="while any copy waits no publisher is read",
        file=FLOW,
        old="    core.charges[publisher] = core.charges.get(publisher, 0) + 1\n"
        "    _read_or_pause_agent(core, publisher)\n",
        new="    for name in core.agents:\n        core.charges[name] = core.charges.get(name, 0) + 1\n"
        "        _read_or_pause_agent(core, name)\n",
        killed_by="whether (neighbour|stranger) is read no further: expected False, got True",
    ),
    Mutant(
        clause="FLOW-2.4",
        name="the-one-in-hand-is-lost",
        why="the message that was just read when its publisher is slowed is thrown away",
        file=STREAM,
        old="                await self._allowed()\n                self._receive(data)\n",
        new="                if not self.reading:\n                    await self._allowed()\n"
        "                    continue\n                self._receive(data)\n",
        killed_by="what the other subscriber heard in all: expected",
    ),
    Mutant(
        clause="FLOW-2.5",
        name="who-came-last-is-first",
        why="of the copies that wait the last one is queued first",
        file=OUTBOX,
        old="        key, copy = next(iter(self.waiting.items()))\n",
        new="        key, copy = next(reversed(self.waiting.items()))\n",
        killed_by="what arrived, in order: expected",
    ),
    Mutant(
        clause="FLOW-2.6",
        name="charged-for-all",
        why="a publisher is read on only when no copy of anybody waits",
        file=FLOW,
        old="        del core.charges[publisher]\n        _read_or_pause_agent(core, publisher)\n",
        new="        del core.charges[publisher]\n        if not core.charges:\n"
        "            for name in core.agents:\n                _read_or_pause_agent(core, name)\n",
        killed_by=r"the first and the second publisher are read no further: expected .*got \[True, True\]",
    ),
    Mutant(
        clause="FLOW-2.7",
        name="charged-for-the-dead",
        why="a publisher stays charged for copies of an agent that is gone",
        file=PUBLISH,
        old="    for copy in waiting:\n        flow.discharge(core, copy)\n",
        new="    del waiting\n",
        killed_by="read no further once the subscriber is gone: expected False, got True",
    ),
    Mutant(
        clause="FLOW-2.8",
        name="charged-for-the-expired",
        why="a publisher stays charged for copies that expired while they waited",
        file=FLOW,
        old="        if waited:\n            discharge(core, copy)\n",
        new="",
        killed_by="read no further once its waiting event has expired: expected False, got True",
    ),
    Mutant(
        clause="FLOW-2.8",
        name="who-waits-does-not-expire",
        why="the time to live is looked at in the queue only, and not of copies that wait",
        file=OUTBOX,
        old="        self.waiting[key] = copy\n        self._note(copy, key)\n",
        new="        self.waiting[key] = copy\n        copy.key = key\n",
        killed_by="read no further once its waiting event has expired: expected False, got True",
    ),
    Mutant(
        clause="FLOW-2.9",
        name="expiry-makes-no-room",
        why="when an event expires nobody looks who waits",
        file=FLOW,
        old="    _admit(core, stream.outbox)\n    pump(core, stream)\n",
        new="    pump(core, stream)\n",
        killed_by=r"how many events are queued, how many wait: expected \[1, 0\], got \[0, 1\]",
    ),
    Mutant(
        clause="FLOW-2.10",
        name="gone-with-the-publisher",
        why="when a publisher is gone, so are its copies that wait",
        file=SESSIONS,
        old="    core.count(Counter.AGENTS_GONE)\n",
        new="    core.count(Counter.AGENTS_GONE)\n    for stream in core.streams.values():\n"
        "        for key, copy in list(stream.outbox.waiting.items()):\n"
        "            if copy.published.publisher == agent.agent_id:\n"
        "                del stream.outbox.waiting[key]\n"
        "                flow.discharge(core, copy)\n",
        killed_by=r"what the subscriber heard in the end: expected .*got \[b'full'\]",
    ),
    Mutant(
        clause="FLOW-2.11",
        name="a-new-stream-a-new-life",
        why="a publisher's new stream is read although its copies still wait",
        file=SESSIONS,
        old="    if agent.agent_id in core.charges:\n",
        new="    core.charges.pop(agent.agent_id, None)\n    if agent.agent_id in core.charges:\n",
        killed_by="taken of both publishers while an event waits: expected .*got .*of the slowed one",
    ),
    Mutant(
        clause="FLOW-3.1",
        name="nobody-is-cut-off",
        why="a slow consumer is waited for, for ever",
        file=SESSIONS,
        old='    cut(core, stream, "RESOURCE_EXHAUSTED", Code.SLOW_CONSUMER)\n',
        new="    del core, stream\n",
        killed_by="cut off when the time is over: expected gone, got there",
    ),
    Mutant(
        clause="FLOW-3.1",
        name="cut-off-with-another-status",
        why="a slow consumer's stream ends as if the bridge were gone",
        file=SESSIONS,
        old='    cut(core, stream, "RESOURCE_EXHAUSTED", Code.SLOW_CONSUMER)\n',
        new='    cut(core, stream, "UNAVAILABLE", Code.SLOW_CONSUMER)\n',
        killed_by="the gRPC status: expected RESOURCE_EXHAUSTED, got UNAVAILABLE",
    ),
    Mutant(
        clause="FLOW-3.1",
        name="cut-off-without-a-word",
        why="a slow consumer is not told why its stream ends",
        file=SESSIONS,
        old='    cut(core, stream, "RESOURCE_EXHAUSTED", Code.SLOW_CONSUMER)\n',
        new='    cut(core, stream, "RESOURCE_EXHAUSTED", Code.SLOW_CONSUMER, abrupt=True)\n',
        killed_by="how many errs came before the end: expected 1, got 0",
    ),
    Mutant(
        clause="FLOW-3.1",
        name="only-with-somebody-waiting",
        why="a full subscriber is cut off only while a copy waits for it",
        file=FLOW,
        old=PRESSED,
        new=PRESSED.replace(FULL_ITSELF, ""),
        killed_by="cut off when the time is over: expected gone, got there",
    ),
    Mutant(
        clause="FLOW-3.2",
        name="cut-off-at-half-time",
        why="a slow consumer has half the time",
        file=FLOW,
        old="core.now + micros(core.limits.slow_consumer_ms))",
        new="core.now + micros(core.limits.slow_consumer_ms) // 2)",
        killed_by="there just before the time is over: expected there, got gone",
    ),
    Mutant(
        clause="FLOW-3.3",
        name="progress-does-not-count",
        why="the time goes on although the transport took something, as long as the queue is full",
        file=FLOW,
        old="    core.timers.cancel(TimerKind.SLOW, stream.number)\n    pump(core, stream)\n",
        new="    pump(core, stream)\n",
        killed_by="although it took a little each time: expected there, got gone",
    ),
    Mutant(
        clause="FLOW-3.4",
        name="any-queue-is-full",
        why="whoever has something queued and takes nothing is cut off",
        file=FLOW,
        old="    return bool(\n" + PRESSED,
        new="    return bool(\n        outbox.queue or\n" + PRESSED,
        killed_by="after an hour with room in its queue: expected there, got gone",
    ),
    Mutant(
        clause="FLOW-3.5",
        name="realtime-is-never-full",
        why="a queue is taken for full only while a copy waits, which realtime ones never do",
        file=FLOW,
        old=PRESSED,
        new=PRESSED.replace(FULL_ITSELF, ""),
        killed_by="cut off when the time is over: expected gone, got there",
    ),
    Mutant(
        clause="FLOW-3.6",
        name="answers-do-not-press",
        why="who takes no answers is read no further, and never cut off",
        file=FLOW,
        old=PRESSED,
        new=PRESSED.replace(NO_ANSWERS, ""),
        killed_by="cut off when the time is over: expected gone, got there",
    ),
    Mutant(
        clause="FLOW-3.7",
        name="cut-off-and-still-charged",
        why="publishers stay charged for the copies of one that was cut off",
        file=SESSIONS,
        old="        _end(core, stream, status, code)\n    publish.discard(core, stream.outbox)\n",
        new="        _end(core, stream, status, code)\n",
        killed_by="whether the publisher is read no further: expected False, got True",
    ),
]
