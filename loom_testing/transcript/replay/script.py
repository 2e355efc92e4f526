"""The script of a replay: who plays whom, when the agent comes and goes, what cannot be repeated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loom_testing.transcript.entry import Entry, Kind, Transcript, TranscriptError, Way
from loom_testing.transcript.replay.bindings import Bindings
from loom_testing.transcript.shown import show_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loom.agent import Agent
    from loom_testing.harness.handle import LoomBridge

__all__ = ["Script"]

REGISTER = "RegisterAgent"
HOUSEKEEPING = frozenset({"ping", "pong", "ack", "receipt"})
"""What an SDK exchanges by itself, also while it leaves."""


async def _disconnect(bridge: LoomBridge, agent_id: str) -> None:
    await bridge.disconnect(agent_id)


CONTROL: dict[str, Callable[[Any, str], Awaitable[None]]] = {"disconnected": _disconnect}
"""The faults that a bridge's testing control can repeat."""


@dataclass(frozen=True, slots=True)
class Script:
    """A transcript, made ready for one agent.

    Attributes:
        transcript: what was recorded.
        role: the lane that the agent plays.
        agent_id: its id now.
        starts: the entries at which it is started.
        stops: the entries at which it is told to stop.
    """

    transcript: Transcript
    role: str
    agent_id: str
    starts: frozenset[int] = field(default_factory=frozenset)
    stops: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(cls, transcript: Transcript, agent: Agent, role: str | None = None) -> Script:
        """The script for this agent.

        Raises:
            TranscriptError: nobody in the transcript is this agent, or it cannot be repeated.
        """
        lanes = list(dict.fromkeys(entry.who for entry in transcript.entries if entry.who))
        lane = _lane(lanes, agent, role)
        _check(transcript, lane)
        own = [(place, entry) for place, entry in enumerate(transcript.entries) if entry.who == lane]
        stops = _stops(own)
        return cls(transcript, lane, agent.id, _starts(own, stops), stops)

    @property
    def name(self) -> str:
        """The lane's name, for people."""
        return show_text(self.role)

    def bindings(self) -> Bindings:
        """The placeholders, that of the agent's own id bound."""
        bindings = Bindings()
        bindings.learn(self.role, self.agent_id)
        return bindings

    def control(self, fault: str) -> Callable[[LoomBridge, str], Awaitable[None]]:
        """What repeats a fault of the testing control."""
        return CONTROL[fault]


def _lane(lanes: list[str], agent: Agent, role: str | None) -> str:
    wanted = role or agent.id
    named = next((lane for lane in lanes if wanted in (lane, show_text(lane))), None)
    if named is not None:
        return named
    like = [lane for lane in lanes if lane.startswith(f"{agent.name}:${{")]
    if role is None and like:
        return like[0]
    known = ", ".join(map(show_text, lanes)) or "none"
    raise TranscriptError(
        f"no agent {wanted!r} was recorded; recorded were {known}: name one of them as its role"
    )


def _check(transcript: Transcript, lane: str) -> None:
    if transcript.left_out:
        raise TranscriptError(
            f"{transcript.left_out} entries are missing from the transcript, as the recorder was full: "
            "record a shorter run to replay it"
        )
    for entry in transcript.entries:
        if entry.kind is not Kind.FAULT:
            continue
        if entry.way is Way.BESIDE and entry.name not in CONTROL:
            raise TranscriptError(f"the fault {entry.name!r} cannot be repeated: replay a run without it")
        if entry.way is not Way.BESIDE and entry.who == lane:
            raise TranscriptError(
                f"a fault ({entry.name}) met a message of {lane} itself: replay another of the agents"
            )


def _stops(own: list[tuple[int, Entry]]) -> frozenset[int]:
    """Where the agent began to leave: at its goodbye, or at what its SDK did just before."""
    stops = set()
    for number, (place, entry) in enumerate(own):
        if entry.name == "goodbye" or entry.kind is Kind.HALF_CLOSE:
            first = place
            for before, earlier in reversed(own[:number]):
                if not _is_housekeeping(earlier):
                    break
                if earlier.way is Way.SENT:
                    first = before
            stops.add(first)
    return frozenset(stops)


def _starts(own: list[tuple[int, Entry]], stops: frozenset[int]) -> frozenset[int]:
    """Its first registration, and each one after it had left."""
    starts = set()
    is_gone, is_leaving = True, False
    for place, entry in own:
        if place in stops:
            is_leaving = True
        if entry.kind is Kind.STATUS and entry.rpc == "EventStream" and is_leaving:
            is_gone, is_leaving = True, False
        elif is_gone and entry.rpc == REGISTER and entry.name == "request":
            starts.add(place)
            is_gone = False
    return frozenset(starts)


def _is_housekeeping(entry: Entry) -> bool:
    return entry.rpc == REGISTER or entry.kind is Kind.HEADERS or entry.name in HOUSEKEEPING
