"""Who takes part in a namespace's virtual clock with timers of their own, and whether all is settled (CTL-3).

A participant is a program: agents in one event loop share one. Each of its gRPC calls names it and carries
a number, and on streams both sides count messages. So when a participant reports that it is idle, and its
counts are those of the bridge, nothing is under way between the two: it stays idle until it is told
something.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from loom_testing.clock import VirtualClock

__all__ = ["MOST_PARTICIPANTS", "OpenCall", "Participant", "Participants", "Report", "Tag", "Told", "Traffic"]

MOST_PARTICIPANTS = 1_000
"""How many may take part in one namespace's clock."""

ID = re.compile(r"[A-Za-z0-9_:.-]{1,64}", re.ASCII)
NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tag:
    """Which gRPC call of which participant: what the metadata `loom-participant` says."""

    participant: str
    number: int

    @classmethod
    def read(cls, text: str) -> Tag:
        """Reads `ID/NUMBER`.

        Raises:
            ValueError: it is malformed; the text says how it must be.
        """
        name, _, number = text.partition("/")
        if not (ID.fullmatch(name) and NUMBER.fullmatch(number)):
            raise ValueError(
                "loom-participant is no ID/NUMBER: 1 to 64 of A-Z a-z 0-9 _ : . -, then a number"
            )
        return cls(name, int(number))


class Traffic(Protocol):
    """What a stream counts."""

    agent: str
    """Whose stream it is; empty before the handshake."""
    received: int
    """Messages of the client that the engine has taken."""

    @property
    def sent(self) -> int:
        """Messages given to it for the client."""

    @property
    def reading(self) -> bool:
        """Whether it is read; else what the client sends waits on the way."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A participant's gRPC call, as the participant sees it."""

    sent: int = 0
    received: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a participant stood when it came to rest. Times are microseconds since the epoch; 0 is none."""

    turn: int
    busy: tuple[str, ...] = ()
    next: int = 0
    next_of: str = ""
    awaited: int = 0
    calls: Mapping[int, OpenCall] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What a participant is told."""

    turn: int
    now: int
    fire: bool
    report: bool


class Participant:
    """One participant, on the bridge's side.

    Attributes:
        id: its id.
        turn: the number of what it was last told.
        report: the last it reported.
    """

    def __init__(self, id: str) -> None:  # noqa: A002 (called so on the wire)
        self.id = id
        self.turn = 0
        self.report: Report | None = None
        self.end: tuple[str, str] | None = None
        """How its stream ends: a gRPC status and a message; None while it goes on."""
        self._told: Told | None = None
        self._news = asyncio.Event()

    def tell(self, now: int, *, fire: bool = False, report: bool) -> None:
        """Tells it something; what it has not fetched yet is made part of it."""
        self.turn += 1
        fire = fire or (self._told is not None and self._told.fire)
        self._told = Told(self.turn, now, fire, report)
        self._news.set()

    def finish(self, status: str, message: str) -> None:
        """It takes part no more."""
        self.end = self.end or (status, message)
        self._news.set()

    async def next(self) -> Told | None:
        """What to tell it; None when its stream ends."""
        while self._told is None and self.end is None:
            self._news.clear()
            await self._news.wait()
        told, self._told = self._told, None
        return None if self.end is not None else told


class Participants:
    """The participants of one namespace."""

    def __init__(self) -> None:
        self._joined: dict[str, Participant] = {}
        self._calls: dict[str, dict[int, Traffic | None]] = {}
        self._watchers = 0
        self._waiting: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        return len(self._joined)

    def join(self, id: str, now: int) -> Participant:  # noqa: A002 (called so on the wire)
        """A participant joins, and is told the time. Whoever joined under its id before is put out.

        Raises:
            ValueError: the id is malformed, or there are too many.
        """
        if not ID.fullmatch(id):
            raise ValueError("the participant's id is malformed: give 1 to 64 of A-Z a-z 0-9 _ : . -")
        before = self._joined.pop(id, None)
        if before is not None:
            before.finish("ABORTED", "another participant joined under this id")
        if len(self._joined) >= MOST_PARTICIPANTS:
            raise ValueError(
                f"{MOST_PARTICIPANTS} participants have joined, as many as may; use fewer processes"
            )
        participant = self._joined[id] = Participant(id)
        participant.tell(now, report=bool(self._watchers))
        self.stir()
        return participant

    def leave(self, participant: Participant) -> None:
        """Its stream is over."""
        if self._joined.get(participant.id) is participant:
            del self._joined[participant.id]
        self.stir()

    def reported(self, participant: Participant, report: Report) -> None:
        """A participant reports.

        Raises:
            ValueError: it speaks of a turn that it was not told.
        """
        if not 0 < report.turn <= participant.turn:
            raise ValueError(f"the report is about turn {report.turn}; the last was {participant.turn}")
        participant.report = report
        self.stir()

    def close(self, message: str) -> None:
        """The namespace ends."""
        for participant in self._joined.values():
            participant.finish("UNAVAILABLE", message)
        self._joined.clear()
        self.stir()

    # Their calls.

    def began(self, tag: Tag, stream: Traffic | None = None) -> None:
        """A gRPC call has arrived."""
        self._calls.setdefault(tag.participant, {})[tag.number] = stream

    def ended(self, tag: Tag) -> None:
        """A gRPC call was answered, or is over."""
        calls = self._calls.get(tag.participant)
        if calls is not None:
            calls.pop(tag.number, None)
            if not calls:
                del self._calls[tag.participant]
        self.stir()

    # What is settled.

    @contextlib.contextmanager
    def watched(self, clock: VirtualClock) -> Iterator[None]:
        """Inside, reports are asked for."""
        self._watchers += 1
        if self._watchers == 1:
            self.tell_all(clock.now())
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self.tell_all(clock.now())

    def tell_all(self, now: int) -> None:
        """Tells everyone the time."""
        for participant in self._joined.values():
            participant.tell(now, report=bool(self._watchers))

    def problem(self) -> str:
        """Why not everything is settled; empty where it is."""
        for participant in self._joined.values():
            problem = self._problem(participant)
            if problem:
                return problem
        return ""

    def stir(self) -> None:
        """Something may have changed."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    async def change(self) -> None:
        """Waits until something may have changed."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def bystanders(self, streams: Iterable[tuple[Traffic, Tag | None]]) -> list[str]:
        """The agents whose streams belong to nobody who takes part."""
        return sorted(
            stream.agent or "a client before its handshake"
            for stream, tag in streams
            if tag is None or tag.participant not in self._joined
        )

    # Their timers. Valid where everything is settled.

    def next_deadline(self) -> int | None:
        """When the next timer of any of them fires."""
        return min((report.next for report in self._reports() if report.next), default=None)

    def next_timer(self) -> tuple[int, str] | None:
        """When the next timer of any of them fires, and whose it is."""
        return min(((report.next, report.next_of) for report in self._reports() if report.next), default=None)

    def awaited(self) -> int | None:
        """When the next timer fires that somebody waits for."""
        return min((report.awaited for report in self._reports() if report.awaited), default=None)

    def fire_next(self, now: int) -> bool:
        """Tells the participant whose timer comes first to fire it. Answers whether one is due."""
        due = [
            (report.next, report.next_of, participant.id, participant)
            for participant in self._joined.values()
            if (report := participant.report) is not None and 0 < report.next <= now
        ]
        if not due:
            return False
        min(due, key=lambda item: item[:3])[3].tell(now, fire=True, report=bool(self._watchers))
        return True

    def _reports(self) -> Iterator[Report]:
        for participant in self._joined.values():
            if participant.report is not None:
                yield participant.report

    def _problem(self, participant: Participant) -> str:
        report = participant.report
        here = self._calls.get(participant.id, {})
        if report is None or report.turn != participant.turn:
            who = _name(participant, here)
            return f"{who} does not answer: its event loop is blocked, or its process frozen"
        if report.busy:
            return "; ".join(report.busy)
        if report.calls.keys() != here.keys() or any(
            _under_way(report.calls[number], stream) for number, stream in here.items() if stream is not None
        ):
            return f"messages of {_name(participant, here)} are still under way"
        return ""


def _under_way(call: OpenCall, stream: Traffic) -> bool:
    """Whether a message of a stream is between the two. One that a side does not read may wait there."""
    return (stream.sent != call.received and not call.paused) or (
        stream.received != call.sent and stream.reading
    )


def _name(participant: Participant, calls: Mapping[int, Traffic | None]) -> str:
    """Whom people know it by: its agents."""
    agents = sorted({stream.agent for stream in calls.values() if stream is not None and stream.agent})
    return ", ".join(agents) if agents else f"participant {participant.id}"
