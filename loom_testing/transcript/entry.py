"""What a transcript is made of: plain data, ready to be written, compared, drawn and replayed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

__all__ = ["VERSION", "Entry", "Kind", "Transcript", "TranscriptError", "Way"]

VERSION = 1
"""The version of the format that this module writes and reads."""
RAW = "$base64"
"""Under this name stand bytes that are no message, beside how many there are."""


class TranscriptError(ValueError):
    """A file is no transcript of this version, or cannot be used as asked; the text says what to do."""


class Way(StrEnum):
    """Which way an entry went, seen from the agent."""

    SENT = "sent"
    RECEIVED = "received"
    BESIDE = "beside"
    """Nothing crossed the wire: a note, a fault, time that passed."""


class Kind(StrEnum):
    """What an entry is."""

    MESSAGE = "message"
    BYTES = "bytes"
    """Bytes that are no message of their method."""
    HEADERS = "headers"
    HALF_CLOSE = "half-close"
    RESET = "reset"
    STATUS = "status"
    NOTE = "note"
    FAULT = "fault"
    TIME = "time"
    """A virtual clock was moved."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        who: the agent, or the connection's name; empty where it concerns nobody in particular.
        way: sent to the bridge, received from it, or beside the wire.
        kind: what it is.
        name: of a message: its member of the stream's oneof (`publish`), else `request` or `response`; of
            a status its code (`OK`); of a note, fault or moved clock its text.
        rpc: the method, such as `EventStream`; empty beside the wire.
        call: which of `who`'s calls of that method, from 1; 0 where it belongs to none.
        body: its content as JSON, placeholders in it.
        at: microseconds since the recording began; None where times mean nothing.
    """

    who: str
    way: Way
    kind: Kind
    name: str = ""
    rpc: str = ""
    call: int = 0
    body: Any = None
    at: int | None = None


def _without_raw(entry: Entry) -> Any:
    """The body of an entry, of bytes that are no message only how many there are."""
    body = entry.body
    if not isinstance(body, dict):
        return body
    if entry.kind is Kind.BYTES:
        return {name: value for name, value in body.items() if name != RAW}
    met = body.get("message") if entry.kind is Kind.FAULT else None
    raw = met.get(Kind.BYTES.value) if isinstance(met, dict) else None
    if not isinstance(raw, dict):
        return body
    kept = {name: value for name, value in raw.items() if name != RAW}
    return {**body, "message": {Kind.BYTES.value: kept}}


@dataclass(frozen=True, slots=True)
class Transcript:
    """What crossed a bridge, in order.

    Attributes:
        entries: what happened.
        virtual: whether `Entry.at` is a virtual clock's, and so the same in every run.
        bridge: name and version of the bridge; empty where unknown.
        started: when the recording began, as ISO 8601; empty where unknown.
        about: what was recorded, for people.
        left_out: how many entries the recorder left out of the middle, as it was full.
    """

    entries: tuple[Entry, ...] = ()
    virtual: bool = False
    bridge: str = ""
    started: str = ""
    about: str = ""
    left_out: int = field(default=0)

    def comparable(self) -> Transcript:
        """What is the same in every run of the same thing.

        Without the bridge, the date, real times, and what stands in bytes that are no message, for that holds
        ids and times of the run.
        """
        entries = tuple(
            replace(entry, at=entry.at if self.virtual else None, body=_without_raw(entry))
            for entry in self.entries
        )
        return replace(self, entries=entries, bridge="", started="")

    def of(self, *agents: str) -> Transcript:
        """Only what concerns these agents, and what concerns nobody in particular."""
        wanted = {"", *agents}
        return replace(self, entries=tuple(entry for entry in self.entries if entry.who in wanted))

    def tail(self, most: int) -> Transcript:
        """The last entries; `left_out` counts those before."""
        before = max(0, len(self.entries) - most)
        return replace(self, entries=self.entries[before:], left_out=self.left_out + before)
