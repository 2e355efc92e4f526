"""Bugs in event types, QoS and observers (PUB-8)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CODEC = "loom_testing/codec.py"
PUBLISH = "loom_testing/engine/publish.py"
REGISTRATION = "loom_testing/engine/registration.py"
ROUTER = "loom_testing/engine/router.py"

TAKES = "return not self.event_types or event_type in self.event_types"

MUTANTS = [
    Mutant(
        clause="PUB-8.1",
        name="types-without-case",
        why="event types are compared without their case",
        file=ROUTER,
        old=TAKES,
        new="return not self.event_types or event_type.lower() in self.event_types",
        killed_by="through the filter: expected .*got .*Good",
    ),
    Mutant(
        clause="PUB-8.1",
        name="types-with-wildcards",
        why="a star in the types lets everything through",
        file=ROUTER,
        old=TAKES,
        new='return not self.event_types or event_type in self.event_types or "*" in self.event_types',
        killed_by="through the filter: expected .*got .*good",
    ),
    Mutant(
        clause="PUB-8.2",
        name="no-type-no-delivery",
        why="an event without a type comes to nobody who has options",
        file=ROUTER,
        old=TAKES,
        new="return bool(event_type) and (not self.event_types or event_type in self.event_types)",
        killed_by="the types of the events that came: expected .*''",
    ),
    Mutant(
        clause="PUB-8.3",
        name="all-filters-must-match",
        why="an event must pass the filters of all of an agent's matching subscriptions",
        file=PUBLISH,
        old="if agent.stream is None or not route.takes(published.type):",
        new="mine = [r for r in core.router.match(published.topic) if r.agent_id == route.agent_id]\n"
        "        if agent.stream is None or not all(r.takes(published.type) for r in mine):",
        killed_by="came through any filter: expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-8.17",
        name="unset-qos-is-zero",
        why="a QoS that is not set is read as the enum's zero",
        file=CODEC,
        old='qos=item.qos if item.HasField("qos") else None,',
        new="qos=item.qos,",
        killed_by="a subscriber without QoS got through a full queue",
    ),
    Mutant(
        clause="PUB-8.17",
        name="zero-qos-is-unset",
        why="a QoS that is set to the enum's zero is taken for unset",
        file=CODEC,
        old='qos=item.qos if item.HasField("qos") else None,',
        new="qos=item.qos or None,",
        killed_by="a realtime subscriber got through a full queue",
    ),
    Mutant(
        clause="PUB-8.18",
        name="plain-is-realtime",
        why="plain topics are subscribed to as realtime",
        file=REGISTRATION,
        old="plain = [Subscription(topic) for topic in request.subscribed_topics]",
        new="plain = [Subscription(topic, qos=0) for topic in request.subscribed_topics]",
        killed_by="a base-level subscriber got through a full queue",
    ),
    Mutant(
        clause="PUB-8.19",
        name="the-first-qos-holds",
        why="of several QoS the one of the subscription that was found first holds",
        file=PUBLISH,
        old="        if _STRENGTH[qos] > _STRENGTH[self.qos]:\n            self.qos = qos\n",
        new="        del qos\n",
        killed_by="what came of a topic heard",
    ),
    Mutant(
        clause="PUB-8.19",
        name="the-weakest-qos-holds",
        why="of several QoS the weakest holds",
        file=PUBLISH,
        old="if _STRENGTH[qos] > _STRENGTH[self.qos]:",
        new="if _STRENGTH[qos] < _STRENGTH[self.qos]:",
        killed_by="what came of a topic heard",
    ),
    Mutant(
        clause="PUB-8.20",
        name="observers-see-nothing",
        why="observers are left out not of the count but of the delivery",
        file=PUBLISH,
        old="    qos = _qos(route)\n    receiver = receivers.get(route.agent_id)\n",
        new="    if route.subscription.observer:\n        return\n"
        "    qos = _qos(route)\n    receiver = receivers.get(route.agent_id)\n",
        killed_by="what narrow heard: expected .*got \\[\\]",
    ),
]
