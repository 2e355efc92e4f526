"""`Role`: what one agent heard and said in a transcript, made ready to be said again.

What it said is put to what it answered: a result to its call; an event to what it names by its correlation,
its topic or its thread, else to what was heard last. What it said before it had heard anything comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from loom.envelope import CORRELATION_ID, REPLY_TO, THREAD_ID
from loom.topics import replies_topic
from loom.v1 import agent_pb2
from loom_testing.transcript.entry import Entry, Kind, TranscriptError, Way
from loom_testing.transcript.replay.rebuild import rebuilt
from loom_testing.transcript.shown import show_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from loom_testing.transcript.entry import Transcript

__all__ = ["Exchange", "Role"]

STREAM = "EventStream"
HEARD = frozenset({"delivery", "action_call"})
SAID = frozenset({"publish", "action_result"})


@dataclass(slots=True)
class Exchange:
    """Something that was heard, and what was said to it.

    Attributes:
        heard: a delivery or a call; None for what was said before anything was heard.
        said: events and results, in their order.
    """

    heard: Entry | None
    said: list[Entry] = field(default_factory=list)

    def after(self, said: Entry) -> float:
        """How long it took, seconds; 0 where times mean nothing."""
        before = None if self.heard is None else self.heard.at
        return 0.0 if before is None or said.at is None else max(0, said.at - before) / 1e6


@dataclass(frozen=True, slots=True)
class Role:
    """One agent's part of a transcript.

    Attributes:
        lane: the agent, as in `Entry.who`.
        registration: all that it subscribed to and offered; placeholders in it.
        opening: what it said before it had heard anything.
        exchanges: what it heard, in order, each with what it said to it.
        virtual: whether it took the times of a virtual clock.
    """

    lane: str
    registration: Entry
    opening: Exchange
    exchanges: tuple[Exchange, ...]
    virtual: bool

    @classmethod
    def of(cls, transcript: Transcript, agent: str) -> Role:
        """The part of one agent.

        Args:
            transcript: what was recorded.
            agent: its id, as in the file or as in the picture; of `writer:3f9a01bc` the name is enough.

        Raises:
            TranscriptError: it was not recorded, or something is missing.
        """
        lane = _lane(transcript, agent)
        if transcript.left_out:
            raise TranscriptError(
                f"{transcript.left_out} entries are missing from the transcript: record a shorter run to "
                f"have somebody stand in for {agent}"
            )
        own = [entry for entry in transcript.entries if entry.who == lane and entry.kind is Kind.MESSAGE]
        if any(entry.name == "action_chunk" for entry in own):
            raise TranscriptError(f"{agent} answered in parts, which no stand-in does")
        opening, exchanges = _exchanges(own, lane)
        if not transcript.virtual:
            opening, exchanges = _untimed(opening), [_untimed(one) for one in exchanges]
        return cls(lane, _registration(own, lane), opening, tuple(exchanges), transcript.virtual)

    def request(self, fill: Callable[[Any], Any]) -> agent_pb2.AgentRegisterRequest:
        """The registration; `fill` puts values in place of placeholders.

        Raises:
            TranscriptError: it is no message of this Loom.
        """
        message = rebuilt(self.registration, fill(self.registration.body))
        assert isinstance(message, agent_pb2.AgentRegisterRequest)
        return message


def _lane(transcript: Transcript, agent: str) -> str:
    lanes = list(dict.fromkeys(entry.who for entry in transcript.entries if entry.who))
    fits = [lane for lane in lanes if agent in (lane, show_text(lane))]
    fits += [lane for lane in lanes if lane.startswith(f"{agent}:${{")]
    if not fits:
        raise TranscriptError(
            f"no agent {agent!r} was recorded; recorded were {', '.join(map(show_text, lanes)) or 'none'}"
        )
    return fits[0]


def _registration(own: Sequence[Entry], lane: str) -> Entry:
    """One registration for all that it heard and offered at any time."""
    said = [entry for entry in own if entry.rpc == "RegisterAgent" and entry.name == "request"]
    if not said:
        raise TranscriptError(
            f"{lane} does not register in the transcript: record from before it starts, to have somebody "
            "stand in for it"
        )
    body: dict[str, Any] = {**said[0].body}
    for name in ("subscribed_topics", "subscriptions", "capabilities"):
        body[name] = _distinct(item for entry in said for item in entry.body.get(name, []))
    more = [
        item for entry in own if entry.name == "subscribe" for item in entry.body.get("subscriptions", [])
    ]
    body["subscriptions"] = _distinct([*body["subscriptions"], *more])
    return Entry(lane, Way.SENT, Kind.MESSAGE, "request", "RegisterAgent", 1, body)


def _distinct(items: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def _exchanges(own: Sequence[Entry], lane: str) -> tuple[Exchange, list[Exchange]]:
    opening, exchanges = Exchange(None), list[Exchange]()
    linked: dict[str, Exchange] = {}
    for entry in own:
        if entry.rpc != STREAM:
            continue
        if entry.way is Way.RECEIVED and entry.name in HEARD:
            if entry.name == "delivery" and entry.body.get("topic") == replies_topic(lane):
                continue  # an answer to what it asked itself
            exchanges.append(Exchange(entry))
            linked.update(dict.fromkeys(_heard_links(entry), exchanges[-1]))
        elif entry.way is Way.SENT and entry.name in SAID:
            named = next((linked[link] for link in _said_links(entry) if link in linked), None)
            last = exchanges[-1] if exchanges else opening
            (named or last).said.append(entry)
    return opening, exchanges


def _untimed(exchange: Exchange) -> Exchange:
    """A real clock's times say how fast a machine was, and are not waited for again."""
    heard = None if exchange.heard is None else replace(exchange.heard, at=None)
    return Exchange(heard, [replace(entry, at=None) for entry in exchange.said])


def _heard_links(entry: Entry) -> list[str]:
    """By what it may be answered."""
    if entry.name == "action_call":
        headers = entry.body.get("headers", {})
        call, thread = entry.body.get("id"), headers.get(THREAD_ID) or entry.body.get("correlation_id")
        return _named(call=call, thread=thread)
    event = entry.body.get("event", {})
    metadata = event.get("metadata", {})
    return _named(
        correlation=metadata.get(CORRELATION_ID),
        topic=metadata.get(REPLY_TO),
        thread=metadata.get(THREAD_ID) or event.get("id"),
    )


def _said_links(entry: Entry) -> list[str]:
    """What it may answer, the surest first."""
    if entry.name == "action_result":
        return _named(call=entry.body.get("id"))
    metadata = entry.body.get("event", {}).get("metadata", {})
    return _named(
        correlation=metadata.get(CORRELATION_ID),
        topic=entry.body.get("topic"),
        thread=metadata.get(THREAD_ID),
    )


def _named(**links: Any) -> list[str]:
    return [f"{kind} {value}" for kind, value in links.items() if value]
