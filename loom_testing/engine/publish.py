"""From a publish to the copies of its receivers (PUB)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from loom.codes import Code
from loom_testing.engine import flow
from loom_testing.engine.agent import Agent
from loom_testing.engine.core import Core, Outcome
from loom_testing.engine.counters import Counter
from loom_testing.engine.event import EventView, Malformed, scan
from loom_testing.engine.limits import micros
from loom_testing.engine.messages import Err, Publish, Receipt
from loom_testing.engine.outbox import Copy, Outbox, Published
from loom_testing.engine.router import Route
from loom_testing.engine.stream import Stream
from loom_testing.engine.text import quote
from loom_testing.engine.topics import topic_problem

__all__ = ["BATCHED", "discard", "producer_key", "publish"]

BATCHED = 1
_STRENGTH = {0: 0, 2: 1, 1: 2}
"""Which QoS holds where several subscriptions match: batched over background over realtime (PUB-8)."""
_TTL = re.compile(rb"[1-9][0-9]{0,9}")


class _Refused(Exception):  # noqa: N818 - it carries an answer, not a failure of the engine
    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def producer_key(agent_id: str, producer: int) -> str:
    """Under which key a producer's outcomes are kept."""
    return f"{agent_id}/{producer}"


def publish(core: Core, stream: Stream, message: Publish) -> None:
    """Takes one publish: delivers it, refuses it, or recognises it as a repeat."""
    if message.confirm and "confirm" in stream.features and message.pub_seq:
        _publish_confirmed(core, stream, message)
    else:
        _publish_plain(core, stream, message)


def _publish_plain(core: Core, stream: Stream, message: Publish) -> None:
    try:
        _check_confirm(stream, message)
        published = _accept(core, stream, message)
    except _Refused as refused:
        _refuse(core, stream, refused, _event_id(message))
        return
    _route(core, published)


def _publish_confirmed(core: Core, stream: Stream, message: Publish) -> None:
    outcomes = core.producers.get(producer_key(stream.agent_id, stream.producer))
    known = outcomes.get(message.pub_seq) if outcomes is not None else None
    if known is not None:
        core.count(Counter.EVENTS_REPEATED)
        flow.reply(core, stream, Receipt(message.pub_seq, *known))
        return
    outcome: Outcome
    try:
        published = _accept(core, stream, message)
    except _Refused as refused:
        outcome = (0, refused.code)
        _refuse(core, stream, refused, str(message.pub_seq))
    else:
        outcome = (_route(core, published), "")
    if outcomes is not None:
        outcomes[message.pub_seq] = outcome
        if len(outcomes) > core.limits.producer_outcomes:
            outcomes.popitem(last=False)
    flow.reply(core, stream, Receipt(message.pub_seq, *outcome))


def _check_confirm(stream: Stream, message: Publish) -> None:
    if not message.confirm:
        return
    if "confirm" not in stream.features:
        raise _Refused(Code.FEATURE_REQUIRED, "a confirmed publish needs the feature confirm")
    raise _Refused(Code.INVALID_MESSAGE, "a confirmed publish needs a pub_seq from 1")


def _accept(core: Core, stream: Stream, message: Publish) -> Published:
    """The event, checked and ready for routing (PUB-5)."""
    problem = topic_problem(message.topic)
    if problem:
        raise _Refused(Code.INVALID_TOPIC, f"topic {quote(message.topic)} {problem}")
    if message.event is None:
        raise _Refused(Code.INVALID_EVENT, "the publish carries no event")
    if len(message.event) > core.limits.event_bytes:
        most = core.limits.event_bytes
        raise _Refused(
            Code.LIMIT_EXCEEDED, f"the event has {len(message.event)} bytes; at most {most} are allowed"
        )
    try:
        view = scan(message.event)
    except Malformed as malformed:
        raise _Refused(Code.INVALID_EVENT, f"the event is malformed: {malformed}") from None
    expires = _expiry(core, view)
    return Published(message.topic, message.event, view.type, stream.agent_id, expires)


def _expiry(core: Core, view: EventView) -> int | None:
    if view.ttl is None:
        return None
    if not _TTL.fullmatch(view.ttl):
        shown = quote(str(view.ttl, "utf-8"))
        raise _Refused(Code.INVALID_TTL, f"loom.ttl_ms {shown} is not a whole number from 1 to 9999999999")
    return core.now + micros(int(view.ttl))


def _event_id(message: Publish) -> str:
    """The id of a refused event, where it can be read."""
    try:
        return scan(message.event or b"").id
    except Malformed:
        return ""


def _refuse(core: Core, stream: Stream, refused: _Refused, ref: str) -> None:
    core.count(Counter.EVENTS_REFUSED)
    flow.reply(core, stream, Err(refused.code, refused.message, ref))


@dataclass(slots=True, eq=False)
class _Receiver:
    """What an agent is to get, gathered over its matching subscriptions."""

    agent: Agent
    qos: int
    plain: bool = False
    groups: list[str] = field(default_factory=list)

    def strengthen(self, qos: int) -> None:
        if _STRENGTH[qos] > _STRENGTH[self.qos]:
            self.qos = qos


def _route(core: Core, published: Published) -> int:
    """Gives every receiver its copy; answers how many count as receivers (PUB-1, PUB-8, PUB-9)."""
    core.count(Counter.EVENTS_PUBLISHED)
    receivers: dict[str, _Receiver] = {}
    members: dict[str, list[Route]] = {}
    for route in _live_routes(core, published):
        if route.subscription.group:
            members.setdefault(route.subscription.group, []).append(route)
        else:
            _add_plain(core, receivers, route)
    for group in sorted(members):
        _add_member(core, receivers, group, members[group])
    ordered = sorted(receivers.values(), key=lambda receiver: receiver.agent.registration)
    for receiver in ordered:
        target = core.live_stream(receiver.agent)
        assert target is not None
        flow.give(core, target, Copy(published, receiver.qos, tuple(receiver.groups)))
    matched = sum(1 for receiver in ordered if receiver.plain or receiver.groups)
    if not matched:
        core.count(Counter.EVENTS_UNMATCHED)
    return matched


def _live_routes(core: Core, published: Published) -> list[Route]:
    """The matching subscriptions of live agents, the publisher's own only if it wants its echo."""
    found = []
    for route in core.router.match(published.topic):
        agent = core.agents[route.agent_id]
        if agent.stream is None or not route.takes(published.type):
            continue
        if route.agent_id == published.publisher and not agent.echo:
            continue
        found.append(route)
    return found


def _add_plain(core: Core, receivers: dict[str, _Receiver], route: Route) -> None:
    qos = _qos(route)
    receiver = receivers.get(route.agent_id)
    if receiver is None:
        receiver = receivers[route.agent_id] = _Receiver(core.agents[route.agent_id], qos)
    receiver.strengthen(qos)
    if not route.subscription.observer:
        receiver.plain = True


def _add_member(core: Core, receivers: dict[str, _Receiver], group: str, routes: list[Route]) -> None:
    """Chooses the group's member, unless one of them receives the event plainly anyway."""
    for route in routes:
        receiver = receivers.get(route.agent_id)
        if receiver is not None and receiver.plain:
            return
    chosen = _choose(core, group, routes)
    receiver = receivers.get(chosen.agent_id)
    for route in routes:
        if route.agent_id != chosen.agent_id:
            continue
        if receiver is None:
            receiver = receivers[chosen.agent_id] = _Receiver(core.agents[chosen.agent_id], _qos(route))
        receiver.strengthen(_qos(route))
    assert receiver is not None
    receiver.groups.append(group)


def _choose(core: Core, group: str, routes: list[Route]) -> Route:
    """The member served longest ago, then the one with the lowest registration (PUB-8)."""

    def turn(route: Route) -> tuple[int, int]:
        agent = core.agents[route.agent_id]
        return agent.served.get(group, 0), agent.registration

    chosen = min(routes, key=turn)
    core.agents[chosen.agent_id].served[group] = core.next_serial()
    return chosen


def _qos(route: Route) -> int:
    qos = route.subscription.qos
    return BATCHED if qos is None else qos


def discard(core: Core, outbox: Outbox) -> None:
    """Empties the queue of a gone agent: a group's copies go to another member, the rest nowhere (SES-6)."""
    copies = outbox.copies()
    waiting = list(outbox.waiting.values())
    outbox.clear()
    for copy in copies:
        if not _reroute(core, copy):
            core.count(Counter.COPIES_DISCARDED)
    for copy in waiting:
        flow.discharge(core, copy)


def _reroute(core: Core, copy: Copy) -> bool:
    """Gives a copy to another member of each group it came through; says whether there was one."""
    published = copy.published
    if not copy.groups or (published.expires is not None and published.expires <= core.now):
        return False
    members: dict[str, list[Route]] = {}
    for route in _live_routes(core, published):
        if route.subscription.group in copy.groups:
            members.setdefault(route.subscription.group, []).append(route)
    receivers: dict[str, _Receiver] = {}
    for group in sorted(members):
        _add_member(core, receivers, group, members[group])
    for receiver in receivers.values():
        target = core.live_stream(receiver.agent)
        assert target is not None
        core.count(Counter.COPIES_REROUTED)
        flow.give(core, target, Copy(published, receiver.qos, tuple(receiver.groups)))
    return bool(receivers)
