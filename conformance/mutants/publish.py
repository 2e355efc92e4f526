"""Bugs in who receives an event, what arrives and in which order (PUB-1, PUB-3, PUB-4, PUB-6.1)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CODEC = "loom_testing/codec.py"
FLOW = "loom_testing/engine/flow.py"
OUTBOX = "loom_testing/engine/outbox.py"
PUBLISH = "loom_testing/engine/publish.py"
REGISTRATION = "loom_testing/engine/registration.py"
ROUTER = "loom_testing/engine/router.py"
STREAM = "loom_testing/event_stream.py"

CARRIED = '    carried = publish.event if publish.HasField("event") else None\n'


DECODED = (
    CARRIED + "    if carried:\n        from loom.v1.event_pb2 import Event\n\n"
    "        event = Event.FromString(carried)\n        SPOIL\n"
    "        carried = event.SerializeToString()\n"
)
"""The event is decoded and encoded again instead of carried as bytes."""
GIVE = "        flow.give(core, target, Copy(published, receiver.qos, tuple(receiver.groups)))\n"
"""Where a receiver is given its copy; a reroute gives likewise, but is not followed by the count."""
MATCHED = "    matched = "

MUTANTS = [
    Mutant(
        clause="PUB-1.1",
        name="one-agent-per-pattern",
        why="the newest subscription to a pattern takes the place of those before",
        file=ROUTER,
        old="        (node.rest if rest else node.here).append(route)\n        self._size += 1",
        new="        (node.rest if rest else node.here)[:] = [route]\n        self._size += 1",
        killed_by="what exact heard: expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-1.2",
        name="a-copy-per-pattern",
        why="an agent is given a copy for each of its patterns that matches",
        file=PUBLISH,
        old=GIVE + MATCHED,
        new="        for route in core.router.match(published.topic):\n"
        f"            if route.agent_id == receiver.agent.agent_id:\n        {GIVE}{MATCHED}",
        killed_by="one delivery of each event although several patterns match",
    ),
    Mutant(
        clause="PUB-1.3",
        name="topics-by-their-beginning",
        why="a subscription hears all topics that begin with its own",
        file=ROUTER,
        old="        found.extend(node.rest)\n        for",
        new="        found.extend(node.rest)\n        found.extend(node.here)\n        for",
        killed_by="what the subscriber of other topics heard: expected nothing",
    ),
    Mutant(
        clause="PUB-1.4",
        name="never-an-echo",
        why="an agent is never given its own events",
        file=PUBLISH,
        old="if route.agent_id == published.publisher and not agent.echo:",
        new="if route.agent_id == published.publisher:",
        killed_by="what the publisher heard of its own event: expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-1.5",
        name="always-an-echo",
        why="the wish for no echo is not heeded",
        file=REGISTRATION,
        old="agent.echo = request.echo is not False",
        new="agent.echo = True",
        killed_by="echo=false heard of its own event: expected nothing",
    ),
    Mutant(
        clause="PUB-1.6",
        name="no-echo-is-no-event",
        why="an agent that wants no echo is given nothing at all",
        file=PUBLISH,
        old="if route.agent_id == published.publisher and not agent.echo:",
        new="if not agent.echo:",
        killed_by="echo=false heard of the other's events: expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-1.7",
        name="event-ids-are-remembered",
        why="an event whose id has just been published is taken for a repeat",
        file=PUBLISH,
        old="        published = _accept(core, stream, message)\n    except _Refused as refused:\n"
        "        _refuse(core, stream, refused, _event_id(message))\n        return\n",
        new="        published = _accept(core, stream, message)\n    except _Refused as refused:\n"
        "        _refuse(core, stream, refused, _event_id(message))\n        return\n"
        '    before, core.last_id = getattr(core, "last_id", None), _event_id(message)\n'
        "    if before == _event_id(message):\n        return\n",
        killed_by="three publishes with one event id: expected",
    ),
    Mutant(
        clause="PUB-1.8",
        name="unheard-events-are-refused",
        why="a publish that nobody hears is answered by an err",
        file=PUBLISH,
        old="    _route(core, published)\n\n\ndef _publish_confirmed",
        new="    if not _route(core, published):\n"
        '        flow.reply(core, stream, Err(Code.INVALID_TOPIC, "nobody hears the topic"))\n\n\n'
        "def _publish_confirmed",
        killed_by="for a publish that nobody hears: expected nothing",
    ),
    Mutant(
        clause="PUB-1.9",
        name="no-replies-unasked",
        why="an agent must subscribe to its replies topic itself",
        file=REGISTRATION,
        old="    add_routes(core, agent, [Subscription(replies_topic(agent.agent_id))], implicit=True)\n",
        new="",
        killed_by="what the agent heard on agent.*replies: expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-1.10",
        name="replies-for-the-first-registration",
        why="the replies topic is subscribed to at an agent's first registration only",
        file=REGISTRATION,
        old="    add_routes(core, agent, [Subscription(replies_topic(agent.agent_id))], implicit=True)\n",
        new="    if agent.stream is None:\n"
        "        add_routes(core, agent, [Subscription(replies_topic(agent.agent_id))], implicit=True)\n",
        killed_by="on its replies topic and the new one: expected .*got \\[b'2'\\]",
    ),
    Mutant(
        clause="PUB-3.1",
        name="the-pattern-for-a-topic",
        why="a delivery's topic is the pattern that matched",
        file=PUBLISH,
        old=GIVE + MATCHED,
        new="        pattern = receiver.agent.routes[-1].subscription.topic\n"
        "        same = Published(pattern, published.event, published.type, published.publisher, None)\n"
        f"        flow.give(core, target, Copy(same, receiver.qos, tuple(receiver.groups)))\n{MATCHED}",
        killed_by="the topic of the delivery to the subscriber of orders.\\*",
    ),
    Mutant(
        clause="PUB-3.2",
        name="tags-are-forgotten",
        why="the event is copied field by field, and the tags were forgotten",
        file=CODEC,
        old=CARRIED,
        new=DECODED.replace("SPOIL", 'event.ClearField("tags")'),
        killed_by="the event's tags: expected",
    ),
    Mutant(
        clause="PUB-3.3",
        name="the-envelope-is-taken-off",
        why="metadata of the envelope is not handed on",
        file=CODEC,
        old=CARRIED,
        new=DECODED.replace(
            "SPOIL",
            'for key in [key for key in event.metadata if key.startswith("loom.")]: del event.metadata[key]',
        ),
        killed_by="the metadata under 'loom.thread_id': expected 'thread', got None",
    ),
    Mutant(
        clause="PUB-3.4",
        name="unknown-fields-are-dropped",
        why="the event is decoded, what is unknown left out, and encoded again",
        file=CODEC,
        old=CARRIED,
        new=DECODED.replace("SPOIL", "event.DiscardUnknownFields()"),
        killed_by="an unknown field, a number: expected",
    ),
    Mutant(
        clause="PUB-3.5",
        name="events-are-encoded-anew",
        why="the event is decoded and encoded again, which keeps its meaning and not its bytes",
        file=CODEC,
        old=CARRIED,
        new=DECODED.replace("SPOIL", "pass"),
        killed_by="the bytes of an event with fields in the reverse order",
    ),
    Mutant(
        clause="PUB-3.6",
        name="an-empty-event-is-none",
        why="a delivery is given its event only where that has bytes",
        file=CODEC,
        old="    delivery.event = message.event\n",
        new="    if message.event:\n        delivery.event = message.event\n",
        killed_by="whether the delivery has an event",
    ),
    Mutant(
        clause="PUB-3.7",
        name="deliveries-from-zero",
        why="deliveries are numbered from 0",
        file=FLOW,
        old="        stream.seq += 1\n        seq = stream.seq\n",
        new="        seq = stream.seq\n        stream.seq += 1\n",
        killed_by="the numbers of the deliveries: expected",
    ),
    Mutant(
        clause="PUB-4.1",
        name="each-message-in-a-task",
        why="messages are handled side by side, and some take longer",
        file=STREAM,
        old="                self._receive(data)\n",
        new="                self._loop.call_later(0.002 * (len(data) % 2), self._receive, data)\n",
        killed_by="(the places at which|how many events) .* heard",
    ),
    Mutant(
        clause="PUB-4.2",
        name="who-waited-goes-first",
        why="a copy that waited for room is put at the head of the queue",
        file=OUTBOX,
        old="        self.append(copy)\n        return copy",
        new="        self.append(copy)\n        self.queue.move_to_end(copy.key, last=False)\n"
        "        return copy",
        killed_by="the order of what had to wait for a full queue",
    ),
    Mutant(
        clause="PUB-4.3",
        name="realtime-goes-first",
        why="realtime events are put at the head of the queue",
        file=FLOW,
        old="            return\n    outbox.append(copy)\n",
        new="            return\n    outbox.append(copy)\n"
        "    outbox.queue.move_to_end(copy.key, last=False)\n",
        killed_by="the order of events of different QoS",
    ),
    Mutant(
        clause="PUB-6.1",
        name="a-burst-overflows",
        why="what comes while fifty events are queued is lost",
        file=FLOW,
        old="    else:\n        outbox.append(copy)\n    pump(core, stream)",
        new="    elif outbox.events < 50:\n        outbox.append(copy)\n    pump(core, stream)",
        killed_by="the numbers of the events that were lost",
    ),
]
