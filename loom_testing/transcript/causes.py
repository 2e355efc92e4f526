"""What caused what, as far as messages tell.

- What one agent sent comes in its order, and so does what it received on one call.
- A delivery comes of its publish, a receipt of what it confirms, a call at the provider of the caller's
  request, its answer of the provider's, a pong of its ping. A subscriber was there before what it received.
- What an agent sends may name what it answers: a call by its id, an event by its correlation or its thread.
  It comes after the latest of that.
- What names nothing was done by the program that drives the agents: it comes after all that this agent had
  heard, and in the program's order also between agents.
- Of two events that one agent received, the one that it received first was published first.
- Notes, and clocks that are moved, come after everything before them. A fault stands where its message would.

Every cause was recorded before its effect, so there is never a circle.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from loom.envelope import CORRELATION_ID, REPLY_TO, THREAD_ID
from loom_testing.transcript.entry import Kind, Way
from loom_testing.transcript.wire import method_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loom_testing.transcript.wire import Crossing

__all__ = ["Causes"]

INVOKES = frozenset({"ForwardAction", "ForwardActionStream", "Invoke"})
HEARD = frozenset(
    {"delivery", "action_call", "action_cancel", "welcome", "response", "chunk", "result", "err"}
)
"""What an agent may act upon."""
ANSWERS_ALL = frozenset({Kind.HEADERS, Kind.STATUS, Kind.RESET})
"""What answers all that was sent on its call so far."""
REACTIONS = frozenset({"ack", "action_result", "action_chunk", "ping"})
"""What an agent sends by itself, never the program."""


class Causes:
    """Reads entries in the order of arrival, and says for each which earlier ones caused it.

    Attributes:
        later: what showed only later: the place of an entry, and of an earlier one that was before it.
    """

    def __init__(self) -> None:
        self.later: list[tuple[int, int]] = []
        self._published: dict[tuple[Any, ...], int] = {}
        """The publish of the latest delivery on a call."""
        self._barrier = -1
        self._program = -1
        self._sent: dict[str, int] = {}
        self._on_call: dict[tuple[Any, ...], int] = {}
        self._sent_on: dict[tuple[Any, ...], int] = {}
        self._requests: dict[tuple[Any, ...], Crossing] = {}
        self._asked: dict[tuple[Any, ...], int] = {}
        self._heard: dict[str, dict[tuple[Any, ...], int]] = defaultdict(dict)
        self._links: dict[tuple[str, str], int] = {}
        self._threads: dict[tuple[str, str], str] = {}
        """The thread that a call given to an agent belongs to; its result names only the call."""
        self._matches = _Matches()

    def of(self, place: int, crossing: Crossing) -> set[int]:
        """The places of its causes."""
        match crossing.item.way:
            case Way.SENT:
                causes = self._of_sent(place, crossing)
            case Way.RECEIVED:
                causes = self._of_received(place, crossing)
            case _:
                causes = set(range(max(self._barrier, 0), place))
                self._program = self._barrier = place
        return {cause for cause in (*causes, self._barrier) if 0 <= cause < place}

    def _of_sent(self, place: int, crossing: Crossing) -> set[int]:
        who, call = crossing.item.who, _call(crossing)
        causes = {self._sent.get(who, -1), *self._matches.present(crossing)}
        answered = self._answered(crossing)
        if answered >= 0:
            causes.add(answered)
        else:
            causes.update(self._heard.pop(who, {}).values())  # what comes later comes after this as well
            if crossing.name not in REACTIONS:
                causes.add(self._program)
                self._program = place
        self._sent[who] = self._sent_on[call] = place
        self._on_call.setdefault(call, place)
        self._requests.setdefault(call, crossing)
        if crossing.kind is Kind.RESET and call in self._asked:
            self._matches.given_up[self._asked[call]] = place
        if crossing.kind is Kind.MESSAGE and _is_invocation(crossing):
            self._asked[call] = place  # neither its metadata, nor a fault that kept it back
        self._matches.sent(place, crossing)
        return causes

    def _of_received(self, place: int, crossing: Crossing) -> set[int]:
        who, call = crossing.item.who, _call(crossing)
        named = self._matches.cause(crossing, self._asked.get(call, -1))
        causes = {self._on_call.get(call, -1), named}
        if crossing.kind in ANSWERS_ALL or (crossing.name == "err" and named < 0):
            causes.add(self._sent_on.get(call, -1))
        self._on_call[call] = place
        if crossing.name == "delivery" and named >= 0:
            if 0 <= self._published.get(call, -1) < named:
                self.later.append((named, self._published[call]))
            self._published[call] = named
        if crossing.name in HEARD:
            self._heard[who][call] = place
        links = _heard_links(crossing, self._requests.get(call))
        for link in links:
            self._links[who, link] = place
        if crossing.name == "action_call":
            self._threads[who, links[0]] = links[-1]
        return causes

    def _answered(self, crossing: Crossing) -> int:
        """The latest of what the message says that it follows from; -1 where it says nothing.

        The latest, not the surest: a reply follows from its request, and from the answers it waited for.
        """
        who = crossing.item.who
        links = _sent_links(crossing)
        links += [self._threads[who, link] for link in links if (who, link) in self._threads]
        return max((self._links.get((who, link), -1) for link in links), default=-1)


class _Matches:
    """Which message of the bridge comes of which message of an agent."""

    def __init__(self) -> None:
        self.given_up: dict[int, int] = {}
        """Where a caller gave up, by the place of its request."""
        self._publishes: dict[bytes, list[int]] = defaultdict(list)
        self._delivered: dict[tuple[str, bytes], int] = defaultdict(int)
        self._numbered: dict[tuple[str, str], int] = {}
        self._waiting: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        self._given: dict[tuple[Any, ...], int] = {}
        """The request that was given out last, by its key."""
        self._request_of: dict[str, int] = {}
        self._results: dict[int, int] = {}
        self._joined: dict[str, int] = {}

    def present(self, crossing: Crossing) -> Iterable[int]:
        """Who had joined before this was published or asked: only they can have received it."""
        asks = crossing.name == "publish" or _is_invocation(crossing)
        return list(self._joined.values()) if asks else ()

    def sent(self, place: int, crossing: Crossing) -> None:
        """An agent sent it."""
        who, message = crossing.item.who, crossing.message
        if message is None or crossing.kind is Kind.FAULT:
            return
        for reference in _references(crossing):
            self._numbered[who, reference] = place
        match crossing.name:
            case "publish":
                self._publishes[_event_key(message)].append(place)
            case "subscribe":
                self._joined[who] = place
            case "ack":
                self._joined[who] = place
            case "action_result":
                self._results[self._request_of.get(_value(message, "id"), -1)] = place
            case "request" if _is_invocation(crossing):
                self._waiting[_request_key(message)].append(place)

    def cause(self, crossing: Crossing, request: int) -> int:
        """What a message of the bridge comes of; -1 where it does not say."""
        who, message = crossing.item.who, crossing.message
        if message is None:
            return -1
        match crossing.name:
            case "delivery":
                return self._publish_of(who, message)
            case "err" if _value(message, "code") == "SUPERSEDED":
                return self._joined.get(who, -1)
            case "receipt" | "err":
                return self._numbered.get((who, str(_value(message, "ref"))), -1)
            case "pong":
                return self._numbered.get((who, f"ping {_value(message, 'timestamp_ms')}"), -1)
            case "action_call":
                return self._request_for(message)
            case "action_cancel":
                return self.given_up.get(self._request_of.get(_value(message, "id"), -1), -1)
            case "response" if _is_invocation(crossing):
                return self._results.get(request, -1)
        return -1

    def _publish_of(self, who: str, delivery: Any) -> int:
        """The n-th delivery of equal events to an agent comes of the n-th publish of them."""
        key = _event_key(delivery)
        published = self._publishes.get(key)
        if not published:
            return -1
        number = self._delivered[who, key]
        self._delivered[who, key] += 1
        return published[min(number, len(published) - 1)]

    def _request_for(self, call: Any) -> int:
        """The oldest equal request that was not given out yet; else the latest, given out once more."""
        key = _request_key(call)
        waiting = self._waiting[key]
        request = waiting.pop(0) if waiting else self._given.get(key, -1)
        if request < 0:
            return -1
        self._given[key] = self._request_of[call.id] = request
        return request


def _references(crossing: Crossing) -> list[str]:
    """By what the bridge may refer to a message that it was sent."""
    message: Any = crossing.message
    match crossing.name:
        case "publish":
            references = [str(message.pub_seq or ""), message.event.id]
        case "subscribe" | "unsubscribe":
            references = [str(message.ref or "")]
        case "ping":
            references = [f"ping {message.timestamp_ms}"]
        case "action_result":
            references = [message.id]
        case _:
            references = []
    return [reference for reference in references if reference]


def _sent_links(crossing: Crossing) -> list[str]:
    """What a sent message may answer."""
    message: Any = crossing.message
    match crossing.name:
        case "action_result" | "action_chunk":
            return [f"call {message.id}"]
        case "publish":
            metadata = message.event.metadata
            return _named(
                correlation=metadata.get(CORRELATION_ID), topic=message.topic, thread=metadata.get(THREAD_ID)
            )
        case "request" if _is_invocation(crossing):
            return _named(thread=message.headers.get(THREAD_ID) or message.correlation_id)
    return []


def _heard_links(crossing: Crossing, request: Crossing | None) -> list[str]:
    """By what a received message may be answered. An answer belongs to the thread of its question."""
    message: Any = crossing.message
    match crossing.name:
        case "action_call":
            thread = message.headers.get(THREAD_ID) or message.correlation_id or message.id
            return _named(call=message.id, thread=thread)
        case "delivery":
            metadata = message.event.metadata
            return _named(
                correlation=metadata.get(CORRELATION_ID),
                topic=metadata.get(REPLY_TO),
                thread=metadata.get(THREAD_ID) or message.event.id,
            )
        case "response" if request is not None and _is_invocation(request):
            return _sent_links(request)
    return []


def _named(**links: str | None) -> list[str]:
    return [f"{kind} {value}" for kind, value in links.items() if value]


def _call(crossing: Crossing) -> tuple[Any, ...]:
    return crossing.item.who, method_of(crossing.item.rpc), crossing.item.call


def _is_invocation(crossing: Crossing) -> bool:
    return crossing.message is not None and method_of(crossing.item.rpc) in INVOKES


def _value(message: Any, name: str) -> Any:
    return getattr(message, name, 0)


def _event_key(carrier: Any) -> bytes:
    return bytes(carrier.topic.encode() + b"\0" + carrier.event.SerializeToString(deterministic=True))


def _request_key(call: Any) -> tuple[Any, ...]:
    return (
        call.capability,
        call.version,
        call.payload,
        call.headers.get("x-agent-id", ""),
        call.correlation_id,
    )
