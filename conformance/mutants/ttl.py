"""Bugs in how long events live, and in what is told and counted of lost ones (PUB-6, PUB-7)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

FLOW = "loom_testing/engine/flow.py"
OUTBOX = "loom_testing/engine/outbox.py"
PUBLISH = "loom_testing/engine/publish.py"

MUTANTS = [
    Mutant(
        clause="PUB-6.2",
        name="dropped-in-silence",
        why="a subscriber is not told that events were dropped for it",
        file=FLOW,
        old="    stream.dropped += 1\n",
        new="",
        killed_by="what the subscriber got: expected .*'err'",
    ),
    Mutant(
        clause="PUB-6.2",
        name="told-once-per-event",
        why="the number of dropped events is not forgotten when it was told",
        file=FLOW,
        old="    dropped, stream.dropped = stream.dropped, 0\n",
        new="    dropped, stream.dropped = stream.dropped, stream.dropped - 1\n",
        killed_by="what the subscriber got: expected .*'err', 'err'",
    ),
    Mutant(
        clause="PUB-6.2",
        name="told-a-wrong-number",
        why="the err says one less than were dropped",
        file=FLOW,
        old="    dropped, stream.dropped = stream.dropped, 0\n",
        new="    dropped, stream.dropped = stream.dropped - 1, 0\n",
        killed_by="told first: the err's message names the culprit: expected '3'",
    ),
    Mutant(
        clause="PUB-6.3",
        name="drops-are-not-counted",
        why="dropped copies are told to the subscriber, and not counted",
        file=FLOW,
        old="    core.count(Counter.COPIES_DROPPED)\n",
        new="",
        killed_by="the counter copies_dropped: expected 3, got 0",
    ),
    Mutant(
        clause="PUB-6.4",
        name="expiries-are-not-counted",
        why="expired copies are not counted",
        file=FLOW,
        old="        core.count(Counter.COPIES_EXPIRED)\n",
        new="",
        killed_by="the counter copies_expired: expected 2, got 0",
    ),
    Mutant(
        clause="PUB-6.5",
        name="a-lost-queue-counts-once",
        why="a gone agent's queue is counted as one, whatever was in it",
        file=PUBLISH,
        old="        if not _reroute(core, copy):\n",
        new="        if not _reroute(core, copy) and copy is copies[0]:\n",
        killed_by="the counter copies_discarded: expected 3, got 1",
    ),
    Mutant(
        clause="PUB-7.1",
        name="events-live-for-ever",
        why="the time to live is checked, and then forgotten",
        file=PUBLISH,
        old="    return core.now + micros(int(view.ttl))\n",
        new="    return None\n",
        killed_by="what was delivered after its time to live: expected nothing",
    ),
    Mutant(
        clause="PUB-7.2",
        name="half-a-life",
        why="events live half as long as they may",
        file=PUBLISH,
        old="    return core.now + micros(int(view.ttl))\n",
        new="    return core.now + micros(int(view.ttl)) // 2\n",
        killed_by="what was delivered within its time to live",
    ),
    Mutant(
        clause="PUB-7.3",
        name="all-expire-at-once",
        why="when one event expires, all that have a time to live are taken out",
        file=OUTBOX,
        old="if expiry is None or expiry > now:",
        new="if expiry is None:",
        killed_by="what was delivered around the events that expired",
    ),
    Mutant(
        clause="PUB-7.4",
        name="by-the-publishers-clock",
        why="the time to live is counted from the event's own timestamp",
        file=PUBLISH,
        old="    expires = _expiry(core, view)\n",
        new="    expires = _expiry(core, view)\n    if expires is not None:\n"
        "        from loom.v1.event_pb2 import Event\n\n"
        "        expires += micros(Event.FromString(message.event).timestamp_ms) - core.now\n",
        killed_by="what was delivered of events with odd clocks",
    ),
]
