"""What a sequence diagram shows, before anybody draws it: lanes, and rows of arrows and notes.

Text, Mermaid and SVG draw the same rows. To make them readable an agent's arrival (registration, handshake,
headers, welcome) is one row, and so is its leaving; a good receipt is told by its publish. `full=True` shows
each entry by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from loom_testing.transcript.entry import Entry, Kind, Way
from loom_testing.transcript.labels import label_of
from loom_testing.transcript.shown import show_text
from loom_testing.transcript.summaries import summarized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_testing.transcript.entry import Transcript

__all__ = ["BRIDGE", "Picture", "Row", "Shape", "Tone", "picture_of"]

BRIDGE = "bridge"
NAMELESS = "(nameless)"
"""The lane of an agent that gave no name."""


class Shape(StrEnum):
    """What a row looks like."""

    TO_BRIDGE = "to bridge"
    FROM_BRIDGE = "from bridge"
    NOTE = "note"
    """Beside one lane, or across all of them where `who` is empty."""
    CLOCK = "clock"
    GAP = "gap"


class Tone(StrEnum):
    """What a row is about, for its colour."""

    EVENT = "event"
    CALL = "call"
    PROTOCOL = "protocol"
    BAD = "bad"
    FAULT = "fault"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        shape: what it looks like.
        tone: what it is about.
        who: the agent's lane; empty for all.
        label: what it says, in a few words.
        detail: more of it: payload, reasons.
        lost: whether the arrow does not arrive.
        at: microseconds since the beginning, where times mean something.
    """

    shape: Shape
    tone: Tone
    who: str
    label: str
    detail: str = ""
    lost: bool = False
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A diagram that can be drawn.

    Attributes:
        lanes: from left to right; the bridge is one of them.
        rows: from top to bottom.
        title: what was recorded.
        bridge: which bridge it was.
    """

    lanes: tuple[str, ...]
    rows: tuple[Row, ...]
    title: str = ""
    bridge: str = ""


def picture_of(transcript: Transcript, *, most_rows: int, full: bool = False) -> Picture:
    """The rows of a transcript. The middle of more than `most_rows` is left out, and a row says so."""
    entries = list(transcript.entries) if full else summarized(transcript.entries)
    rows = [_row(entry) for entry in entries]
    if transcript.left_out and not any(_tells_of_a_gap(entry) for entry in transcript.entries):
        rows.insert(0, _gap(transcript.left_out, "before"))
    return Picture(_lanes(rows), tuple(_shortened(rows, most_rows)), transcript.about, transcript.bridge)


def _row(entry: Entry) -> Row:
    label, detail = label_of(entry)
    shape = _shape(entry)
    who = show_text(entry.who)
    if shape in (Shape.TO_BRIDGE, Shape.FROM_BRIDGE):
        who = who or NAMELESS
    return Row(shape, _tone(entry), who, label, detail, _is_lost(entry), entry.at)


def _shape(entry: Entry) -> Shape:
    match entry.way:
        case Way.SENT:
            return Shape.TO_BRIDGE
        case Way.RECEIVED:
            return Shape.FROM_BRIDGE
    return Shape.CLOCK if entry.kind is Kind.TIME else Shape.NOTE


_CALLS = frozenset({"action_call", "action_result", "action_cancel", "action_chunk", "action_credit"})
_EVENTS = frozenset({"publish", "delivery"})
_INVOKES = frozenset({"ForwardAction", "ForwardActionStream", "Invoke"})


def _tone(entry: Entry) -> Tone:
    if entry.kind is Kind.FAULT:
        return Tone.FAULT
    if _is_bad(entry):
        return Tone.BAD
    if entry.kind is not Kind.MESSAGE:
        return Tone.PLAIN if entry.way is Way.BESIDE else Tone.PROTOCOL
    if entry.name in _EVENTS:
        return Tone.EVENT
    return Tone.CALL if entry.name in _CALLS or entry.rpc in _INVOKES else Tone.PROTOCOL


def _is_bad(entry: Entry) -> bool:
    body: Any = entry.body if isinstance(entry.body, dict) else {}
    match entry.kind:
        case Kind.STATUS:
            return entry.name != "OK"
        case Kind.RESET | Kind.BYTES:
            return True
        case Kind.MESSAGE:
            refused = entry.rpc == "RegisterAgent" and entry.name == "response" and not body.get("success")
            return bool(
                entry.name == "err" or refused or body.get("status", "ok") != "ok" or body.get("code")
            )
    return False


def _is_lost(entry: Entry) -> bool:
    return (
        entry.kind is Kind.FAULT and entry.way is not Way.BESIDE and entry.name.startswith(("drop", "refuse"))
    )


def _lanes(rows: Sequence[Row]) -> tuple[str, ...]:
    """The agents in the order of their appearance, the bridge in their middle."""
    agents = list(dict.fromkeys(row.who for row in rows if row.who))
    middle = (len(agents) + 1) // 2
    return (*agents[:middle], BRIDGE, *agents[middle:])


def _shortened(rows: list[Row], most: int) -> list[Row]:
    if len(rows) <= most:
        return rows
    head = max(1, most // 3)
    tail = max(1, most - head)
    left_out = len(rows) - head - tail
    return [*rows[:head], _gap(left_out, "here"), *rows[-tail:]]


def _gap(count: int, where: str) -> Row:
    rows = "row" if count == 1 else "rows"
    text = f"{count} {rows} not shown" if where == "here" else f"{count} entries before this"
    return Row(Shape.GAP, Tone.PLAIN, "", text)


def _tells_of_a_gap(entry: Entry) -> bool:
    return entry.kind is Kind.NOTE and "left out here" in entry.name
