"""`Cassette`: a role that is asked what it heard, and gives what it said to that.

Of equal things it heard, each is given once, in their order; the last of them also to whatever follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loom.envelope import CORRELATION_ID, REPLY_TO, THREAD_ID
from loom_testing.transcript.cells import cut
from loom_testing.transcript.labels import label_of
from loom_testing.transcript.placeholders import escape
from loom_testing.transcript.plain import Literal
from loom_testing.transcript.replay.bindings import UNSET, Bindings, without
from loom_testing.transcript.replay.rebuild import rebuilt
from loom_testing.transcript.role import Exchange
from loom_testing.transcript.shown import show, show_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.v1 import action_pb2, event_pb2
    from loom_testing.transcript.entry import Entry
    from loom_testing.transcript.replay.bindings import Misfit
    from loom_testing.transcript.role import Role

__all__ = ["Cassette", "Heard", "Said"]

LONGEST = 70
MOST_MISFITS = 12

_LITERAL = Literal()


@dataclass(frozen=True, slots=True)
class Said:
    """One thing to say.

    Attributes:
        after: seconds after what was heard.
        publish: an event; None where it is a result.
        result: the result of a call; None where it is an event.
    """

    after: float
    publish: event_pb2.Publish | None = None
    result: action_pb2.ActionResult | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a thing that was heard leads to.

    Attributes:
        says: what is said to it, in order.
        problem: why nothing can be said: the agent had not heard that; empty where it had.
    """

    says: tuple[Said, ...] = ()
    problem: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether a call's result is among it."""
        return any(said.result is not None for said in self.says)


class Cassette:
    """What one agent said, given to who hears the same again.

    Attributes:
        agent_id: the agent's id now.
        registration: what it registers now.

    Args:
        role: the agent's part of a transcript.
        ignored: names in payloads whose values may be others than when it was recorded.

    Raises:
        TranscriptError: the transcript holds what is no message of this Loom.
    """

    def __init__(self, role: Role, ignored: frozenset[str] = frozenset()) -> None:
        self._role = role
        self._ignored = ignored
        self._known = Bindings()
        self.agent_id = self._known.text(role.lane)
        self._left = list(role.exchanges)
        self.registration = role.request(self._known.value)

    def unheard(self) -> list[str]:
        """What was recorded as heard and was not heard yet, a line for each."""
        return [_line(exchange.heard) for exchange in self._left if exchange.heard is not None]

    def opening(self) -> Heard:
        """What was said before anything was heard."""
        return self._told(self._role.opening, self._known)

    def event(self, delivery: event_pb2.Delivery) -> Heard | None:
        """What was said to this event. None where the agent never said anything to such."""
        body = _LITERAL.message(delivery)
        candidates = [
            one
            for one in self._role.exchanges
            if one.heard is not None
            and one.heard.name == "delivery"
            and not self._fresh().misfits(_topic(one.heard.body), _topic(body))
        ]
        found = self._found(candidates, body)
        if found is not None or not any(one.said for one in candidates):
            return found
        return Heard(problem=self._missed(f"heard {_event(body)}, which it had not", candidates, body))

    def call(self, call: action_pb2.ActionCall) -> Heard:
        """What was answered to this call."""
        body = _LITERAL.message(call)
        candidates = [
            one
            for one in self._role.exchanges
            if one.heard is not None
            and one.heard.name == "action_call"
            and one.heard.body.get("capability") == call.capability
        ]
        found = self._found(candidates, body)
        if found is not None:
            return found
        return Heard(problem=self._missed(f"was called {_call(body)}, which it was not", candidates, body))

    def _found(self, candidates: Sequence[Exchange], body: dict[str, Any]) -> Heard | None:
        fits = [one for one in candidates if not self._misfits(one, body)]
        if not fits:
            return None
        chosen = next((one for one in fits if any(one is left for left in self._left)), fits[-1])
        self._left = [left for left in self._left if left is not chosen]
        assert chosen.heard is not None
        bindings = self._fresh()
        bindings.learn(chosen.heard.body, body)
        bindings.known_from(self._known)
        told = self._told(chosen, bindings, body)
        self._known.known_from(bindings)
        return told

    def _told(self, exchange: Exchange, bindings: Bindings, heard: dict[str, Any] | None = None) -> Heard:
        says = []
        for entry in exchange.said:
            message: Any = rebuilt(entry, bindings.value(_readdressed(entry.body, exchange, heard)))
            after = exchange.after(entry)
            if entry.name == "publish":
                says.append(Said(after, publish=message.publish))
            else:
                says.append(Said(after, result=message.action_result))
        return Heard(tuple(says))

    def _misfits(self, exchange: Exchange, body: dict[str, Any]) -> list[Misfit]:
        assert exchange.heard is not None
        one, other = (without(self._ignored, _content(each)) for each in (exchange.heard.body, body))
        return self._fresh().misfits(one, other)

    def _fresh(self) -> Bindings:
        """Placeholders of their own: what is heard a second time has other ids."""
        bindings = Bindings()
        bindings.learn(self._role.lane, self.agent_id)
        return bindings

    def _missed(self, what: str, candidates: Sequence[Exchange], body: dict[str, Any]) -> str:
        head = f"{self.agent_id} {what} when it was recorded"
        if not candidates:
            return head
        nearest = min(candidates, key=lambda one: len(self._misfits(one, body)))
        assert nearest.heard is not None
        misfits = self._misfits(nearest, body)
        lines = [head, f"  nearest: {_line(nearest.heard)}", *map(_misfit, misfits[:MOST_MISFITS])]
        if len(misfits) > MOST_MISFITS:
            lines.append(f"    and {len(misfits) - MOST_MISFITS} more differences")
        return "\n".join(lines)


def _readdressed(said: Any, exchange: Exchange, heard: dict[str, Any] | None) -> Any:
    """What answers goes to whoever asks now, under its ids: they may be others than when it was recorded."""
    if heard is None or exchange.heard is None:
        return said
    recorded = exchange.heard.body
    if "event" not in said:
        return {**said, "id": escape(heard["id"])} if said.get("id") == recorded.get("id") else said
    then, now = _metadata(recorded), _metadata(heard)
    metadata = {**_metadata(said)}
    for name in (CORRELATION_ID, THREAD_ID):
        if name in metadata and metadata[name] == then.get(name) and name in now:
            metadata[name] = escape(now[name])
    answers = REPLY_TO in now and said.get("topic") == then.get(REPLY_TO)
    topic = escape(now[REPLY_TO]) if answers else said.get("topic")
    return {**said, "topic": topic, "event": {**said["event"], "metadata": metadata}}


def _metadata(body: dict[str, Any]) -> dict[str, Any]:
    """An event's; of a call its headers."""
    found: dict[str, Any] = body.get("event", {}).get("metadata") or body.get("headers", {})
    return found


def _content(body: dict[str, Any]) -> dict[str, Any]:
    """What is compared: no ids, no metadata."""
    event = body.get("event")
    return _shown(body if event is None else event)


def _shown(carrier: dict[str, Any]) -> dict[str, Any]:
    return {name: carrier[name] for name in ("type", "payload") if name in carrier}


def _topic(body: dict[str, Any]) -> str:
    return str(body.get("topic", ""))


def _event(body: dict[str, Any]) -> str:
    return _cut(f"{_topic(body)}  {show(body.get('event', {}).get('payload'))}")


def _call(body: dict[str, Any]) -> str:
    return _cut(f"{body.get('capability', '')}  {show(body.get('payload'))}")


def _line(entry: Entry) -> str:
    label, detail = label_of(entry)
    return _cut(f"{label}  {detail}".rstrip())


def _misfit(misfit: Misfit) -> str:
    return f"    {misfit.path}: recorded {_value(misfit.recorded)}, now {_value(misfit.came)}"


def _value(value: Any) -> str:
    return "nothing" if value is UNSET else _cut(show_text(show(value)))


def _cut(text: str) -> str:
    return cut(text, LONGEST)
