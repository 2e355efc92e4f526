"""The diagram as plain text: lanes with arrows at the left, what they say at the right.

probe       bridge       shop
  │           │           │
  ├──────────▶│           │      publish orders.new  {"id":7}
  │           ├──────────▶│      orders.new  {"id":7}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_testing.transcript.cells import beside, cut, width_of
from loom_testing.transcript.rows import BRIDGE, Row, Shape, Tone

if TYPE_CHECKING:
    from loom_testing.transcript.rows import Picture

__all__ = ["draw_text"]

WIDEST_LANE = 14
WIDE_LANE = 10
"""Columns of a lane whose name needs no more."""
NARROWEST_LANE = 6
LEAST_LABEL = 44
"""Columns that the labels have at least; where lanes leave less, they go without a picture."""

_COLOURS = {
    Tone.EVENT: "34",
    Tone.CALL: "35",
    Tone.PROTOCOL: "90",
    Tone.BAD: "31",
    Tone.FAULT: "1;31",
    Tone.PLAIN: "33",
}


def draw_text(picture: Picture, *, width: int = 100, colour: bool = False) -> str:
    """The diagram, ending in a newline.

    Args:
        picture: what to draw.
        width: columns; at least 60.
        colour: whether to colour it by ANSI sequences.
    """
    width = max(60, width)
    longest = max((max(map(width_of, _split(who, WIDEST_LANE - 2))) for who in picture.lanes), default=0)
    lane = min(max(WIDE_LANE, longest + 2), (width - LEAST_LABEL) // max(1, len(picture.lanes)))
    if lane < NARROWEST_LANE:
        return _list(picture, width, colour)
    return _Lanes(picture, lane, width, colour).drawn()


class _Lanes:
    """Draws arrows between lanes."""

    def __init__(self, picture: Picture, lane: int, width: int, colour: bool) -> None:
        self._picture = picture
        self._lane = lane
        self._width = width
        self._colour = colour
        self._columns = {who: lane // 2 + place * lane for place, who in enumerate(picture.lanes)}
        self._label_at = lane * len(picture.lanes) + 1

    def drawn(self) -> str:
        lines = [*self._names(), self._lifelines()]
        for row in self._picture.rows:
            lines += self._row(row)
        lines.append(self._lifelines())
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _names(self) -> list[str]:
        """The lanes' names; long ones on two lines."""
        room = self._lane - 1
        first, second = "", ""
        for who in self._picture.lanes:
            upper, lower = _split(who, room)
            first += _centred(upper, self._lane)
            second += _centred(lower, self._lane)
        return [first, second] if second.strip() else [first]

    def _lifelines(self) -> str:
        line = [" "] * (self._lane * len(self._picture.lanes))
        for column in self._columns.values():
            line[column] = "│"
        return "".join(line)

    def _row(self, row: Row) -> list[str]:
        match row.shape:
            case Shape.GAP | Shape.CLOCK:
                return [self._painted(self._band(row), row)]
            case Shape.NOTE:
                return [self._painted(self._labelled(self._note(row), row), row)]
        return [self._painted(self._labelled(self._arrow(row), row), row)]

    def _band(self, row: Row) -> str:
        """A line across all lanes."""
        fill = "═" if row.shape is Shape.CLOCK else "·"
        room = self._lane * len(self._picture.lanes)
        text = f" {cut(row.label, max(4, room - 4))} "
        left = max(0, (room - width_of(text)) // 2)
        return fill * left + text + fill * max(0, room - left - width_of(text))

    def _note(self, row: Row) -> list[str]:
        line = list(self._lifelines())
        for who, column in self._columns.items():
            if row.who in ("", who):
                line[column] = "●" if row.tone is Tone.FAULT else "◆"
        return line

    def _arrow(self, row: Row) -> list[str]:
        line = list(self._lifelines())
        agent, bridge = self._columns[row.who], self._columns[BRIDGE]
        start, end = (agent, bridge) if row.shape is Shape.TO_BRIDGE else (bridge, agent)
        right = end > start
        low, high = min(start, end), max(start, end)
        for column in range(low + 1, high):
            line[column] = "┼" if line[column] == "│" else "─"
        line[start] = "├" if right else "┤"
        line[end - 1 if right else end + 1] = "▶" if right else "◀"
        if row.lost:
            line[end - 1 if right else end + 1] = "─"
            line[(low + high) // 2] = "✗"
        return line

    def _labelled(self, line: list[str], row: Row) -> str:
        return "".join(line) + " " + beside(row.label, row.detail, self._width - self._label_at - 1)

    def _painted(self, line: str, row: Row) -> str:
        return f"\x1b[{_COLOURS[row.tone]}m{line.rstrip()}\x1b[0m" if self._colour else line


def _list(picture: Picture, width: int, colour: bool) -> str:
    """So many lanes that no picture fits: one line each, the agent's name first."""
    room = min(24, max((width_of(who) for who in picture.lanes), default=0))
    lines = []
    for row in picture.rows:
        mark = {Shape.TO_BRIDGE: "→", Shape.FROM_BRIDGE: "←"}.get(row.shape, "·")
        mark = "✗" if row.lost else mark
        who = cut(row.who, room)
        line = f"{who}{' ' * (room - width_of(who))} {mark} {beside(row.label, row.detail, width - room - 3)}"
        lines.append(f"\x1b[{_COLOURS[row.tone]}m{line}\x1b[0m" if colour else line)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _split(who: str, room: int) -> tuple[str, str]:
    if width_of(who) <= room:
        return who, ""
    for mark in (":", ".", "-", "_"):
        head, found, rest = who.partition(mark)
        if found and width_of(head) < room:
            return head + mark, cut(rest, room)
    return cut(who[:room], room), cut(who[room:], room)


def _centred(text: str, room: int) -> str:
    """The text's middle stands on the lane's column."""
    left = max(0, room // 2 - (width_of(text) - 1) // 2)
    left = min(left, max(0, room - width_of(text)))
    return " " * left + text + " " * max(0, room - left - width_of(text))
