"""The diagram as SVG: self-contained, no scripts, no fonts of its own, light or dark as its viewer is.

In browsers colours are custom properties, so that a page may set its own: `--loom-ink`, `--loom-paper` and so
on; elsewhere they are plain attributes, in light. Each row is a group with a title, which screen readers read
and browsers show when the pointer rests there.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from loom_testing.transcript.cells import cut, one_line, width_of
from loom_testing.transcript.rows import BRIDGE, Row, Shape

if TYPE_CHECKING:
    from loom_testing.transcript.rows import Picture

__all__ = ["draw_svg"]

SVG = "http://www.w3.org/2000/svg"
FONT = 'font-family="monospace" font-size="12"'

MARGIN = 16
LANE_LEAST, LANE_MOST = 190, 320
"""Pixels between two lanes: as many as their labels need."""
HEAD_H = 34
HEAD_LEAST, HEAD_MOST = 150, 220
"""Pixels of a lane's head: as many as its name needs."""
ROW_H = 46
BARE_ROW_H = 34
"""An arrow's row with and without a detail."""
BAND_H = 40
CHARACTER = 7.3
SMALL_CHARACTER = 6.7
"""Pixels of a character of a label and of a detail, in the widest of the usual fonts."""
LONGEST_TITLE = 600

COLOURS = {
    "ink": ("#1c2330", "#e6e9ef"),
    "soft": ("#5b6575", "#a3adbd"),
    "line": ("#c3cad5", "#465061"),
    "paper": ("#ffffff", "#14181f"),
    "box": ("#f1f4f8", "#222936"),
    "event": ("#1a5fb4", "#7fb4ff"),
    "call": ("#7b3fa0", "#d0a2f2"),
    "bad": ("#b3261e", "#ff9c94"),
    "note": ("#7a5b00", "#f0cf7a"),
    "notebox": ("#fff6db", "#352d14"),
    "badbox": ("#fdeceb", "#3d1d1b"),
}
"""Each in light and in dark, with a contrast of at least 4.5 to 1 on its ground in both."""


def _properties(scheme: int) -> str:
    named = [f"--{name}:var(--loom-{name},{colours[scheme]})" for name, colours in COLOURS.items()]
    return ".loom-transcript{" + ";".join(named) + "}"


STYLE = """
@supports (color:var(--loom-ink)){
LIGHT
@media (prefers-color-scheme:dark){DARK}
.loom-transcript{max-width:100%;height:auto}
.loom-transcript .paper{fill:var(--paper)}
.loom-transcript text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
fill:var(--ink)}
.loom-transcript .halo{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
.loom-transcript .small{font-size:11px;fill:var(--soft)}
.loom-transcript .name{font-weight:600;text-anchor:middle}
.loom-transcript .mid{text-anchor:middle}.loom-transcript .end{text-anchor:end}
.loom-transcript .life{stroke:var(--line);stroke-width:1;stroke-dasharray:4 4}
.loom-transcript .head{fill:var(--box);stroke:var(--line)}
.loom-transcript .the-bridge{stroke:var(--soft);stroke-width:1.5}
.loom-transcript .arrow{stroke-width:1.5;fill:none}
.loom-transcript .event{--tone:var(--event)}.loom-transcript .call{--tone:var(--call)}
.loom-transcript .protocol{--tone:var(--soft)}
.loom-transcript .bad,.loom-transcript .fault{--tone:var(--bad)}
.loom-transcript .plain{--tone:var(--note)}
.loom-transcript .arrow,.loom-transcript .box{stroke:var(--tone)}
.loom-transcript .tip{fill:var(--tone)}
.loom-transcript .label{fill:var(--tone);font-weight:600}
.loom-transcript .box{fill:var(--notebox);stroke-width:1}
.loom-transcript .fault .box,.loom-transcript .bad .box{fill:var(--badbox)}
.loom-transcript .lost{stroke-dasharray:2 5}
.loom-transcript .gap{stroke:var(--soft);stroke-width:1;stroke-dasharray:1 5}
}
""".replace("LIGHT", _properties(0)).replace("DARK", _properties(1))
"""What browsers go by. Other renderers know no custom properties, and draw nothing where a colour is one: so
`@supports` keeps it from them, and they go by `PLAIN`."""

PLAIN: dict[str, dict[str, str]] = {
    "paper": {"fill": "paper"},
    "life": {"stroke": "line", "stroke-dasharray": "4 4"},
    "head": {"fill": "box", "stroke": "line"},
    "the-bridge": {"stroke": "soft", "stroke-width": "1.5"},
    "arrow": {"stroke": "tone", "stroke-width": "1.5", "fill": "none"},
    "tip": {"fill": "tone"},
    "label": {"fill": "tone", "font-weight": "600"},
    "small": {"fill": "soft", "font-size": "11"},
    "name": {"fill": "ink", "font-weight": "600", "text-anchor": "middle"},
    "mid": {"text-anchor": "middle"},
    "end": {"text-anchor": "end"},
    "box": {"fill": "notebox", "stroke": "tone"},
    "lost": {"stroke-dasharray": "2 5"},
    "gap": {"stroke": "soft", "stroke-dasharray": "1 5"},
}
"""The same as attributes, in light, for whatever else renders it; style wins over them."""
TONES = {"protocol": "soft", "fault": "bad", "plain": "note"}
"""The colours of tones that are not called as theirs."""


def draw_svg(picture: Picture) -> str:
    """The diagram, ending in a newline. It may stand in a page as it is, or be a file."""
    return _Sheet(picture).drawn()


class _Sheet:
    """One diagram: the places of its lanes and rows."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._head = _head_width(picture)
        self._lane = max(_lane_width(picture), self._head + 2 * MARGIN)
        self._columns = {
            who: MARGIN + self._head // 2 + place * self._lane for place, who in enumerate(picture.lanes)
        }
        self._width = 2 * MARGIN + self._head + (len(picture.lanes) - 1) * self._lane
        # A single agent's notes need room as well.
        self._width = max(self._width, 460)

    def drawn(self) -> str:
        y = MARGIN + HEAD_H + 12
        rows = []
        for row in self._picture.rows:
            height = _height(row)
            rows.append(self._row(row, y, height))
            y += height
        bottom = y + 12
        height = bottom + HEAD_H + MARGIN
        lives = [
            f'<line class="life" x1="{x}" y1="{MARGIN + HEAD_H}" x2="{x}" y2="{bottom}"/>'
            for x in self._columns.values()
        ]
        title = escape(self._picture.title or "What crossed the bridge")
        agents = ", ".join(who for who in self._picture.lanes if who != BRIDGE)
        described = escape(
            f"A sequence diagram of {len(rows)} rows between the bridge and {agents or 'nobody'}."
        )
        size = f'viewBox="0 0 {self._width} {height}" width="{self._width}" height="{height}"'
        return "\n".join(
            [
                f'<svg xmlns="{SVG}" class="loom-transcript" role="img" {size} {FONT}>',
                f"<title>{title}</title>",
                f"<desc>{described}</desc>",
                f"<style>{STYLE}</style>",
                _plainly(f'<rect class="paper" width="{self._width}" height="{height}"/>'),
                *map(_plainly, lives),
                *map(_plainly, self._heads(MARGIN)),
                *rows,
                *map(_plainly, self._heads(bottom)),
                "</svg>\n",
            ]
        )

    def _heads(self, y: int) -> list[str]:
        room = int((self._head - 12) / CHARACTER)
        drawn = []
        for who, x in self._columns.items():
            kind = "head the-bridge" if who == BRIDGE else "head"
            drawn.append(
                f'<g><title>{_title(who)}</title><rect class="{kind}" x="{x - self._head // 2}" y="{y}" '
                f'width="{self._head}" height="{HEAD_H}" rx="6"/>'
                f'<text class="name" x="{x}" y="{y + 21}">{_text(who, room)}</text></g>'
            )
        return drawn

    def _row(self, row: Row, y: int, height: int) -> str:
        match row.shape:
            case Shape.TO_BRIDGE | Shape.FROM_BRIDGE:
                inner = self._arrow(row, y + height - 12)
            case Shape.NOTE:
                inner = self._note(row, y + 6, height - 12)
            case _:
                inner = self._band(row, y, height)
        said = f"{row.who}: " if row.who else ""
        full = f"{said}{row.label} {row.detail}".strip()
        tone = row.tone.value
        return f'<g class="{tone}"><title>{_title(full)}</title>{_plainly(inner, tone)}</g>'

    def _arrow(self, row: Row, y: int) -> str:
        agent, bridge = self._columns[row.who], self._columns[BRIDGE]
        start, end = (agent, bridge) if row.shape is Shape.TO_BRIDGE else (bridge, agent)
        step = 1 if end > start else -1
        is_left = agent < bridge
        x = agent + 10 if is_left else agent - 10
        label = _label(row, x, y, abs(end - start) - 20, "" if is_left else " end")
        if row.lost:
            middle = (start + end) // 2
            cross = f'<path class="arrow" d="M{middle - 5} {y - 5}l10 10m0 -10l-10 10"/>'
            lost = _line("arrow lost", middle + step * 12, end, y)
            return _line("arrow", start, middle - step * 12, y) + lost + cross + label
        tip = f'<path class="tip" d="M{end - step} {y}l{-9 * step} -4.5v9z"/>'
        return _line("arrow", start, end - step * 8, y) + tip + label

    def _note(self, row: Row, y: int, height: int) -> str:
        text = f"{row.label}  {one_line(row.detail)}" if row.detail else row.label
        middle = self._columns[row.who] if row.who else self._width // 2
        width = min(self._width - 2 * MARGIN, max(HEAD_LEAST, int(width_of(text) * CHARACTER) + 28))
        x = min(max(MARGIN, middle - width // 2), self._width - MARGIN - width)
        said = _text(text, int((width - 20) / CHARACTER))
        return (
            f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>'
            f'<text class="mid label" x="{x + width // 2}" y="{y + height // 2 + 4}">{said}</text>'
        )

    def _band(self, row: Row, y: int, height: int) -> str:
        middle = y + height // 2
        text = cut(row.label, int((self._width - 80) / CHARACTER))
        half = int(width_of(text) * CHARACTER / 2) + 12
        centre = self._width // 2
        kind = "gap" if row.shape is Shape.GAP else "arrow"
        return (
            _line(kind, MARGIN, centre - half, middle)
            + _line(kind, centre + half, self._width - MARGIN, middle)
            + f'<text class="mid label halo" x="{centre}" y="{middle + 4}">{escape(text)}</text>'
        )


def _plainly(drawn: str, tone: str = "") -> str:
    """What was drawn, with its looks as attributes beside its classes."""

    def looks(found: re.Match[str]) -> str:
        attributes: dict[str, str] = {}
        for name in found[1].split():
            attributes |= PLAIN.get(name, {})
        for name, value in attributes.items():
            colour = TONES.get(tone, tone) if value == "tone" else value
            if colour == "notebox" and TONES.get(tone, tone) == "bad":
                colour = "badbox"
            attributes[name] = COLOURS[colour][0] if colour in COLOURS else value
        return " ".join([found[0], *(f'{name}="{value}"' for name, value in attributes.items())])

    return re.sub(r'class="([^"]*)"', looks, drawn)


def _height(row: Row) -> int:
    if row.shape in (Shape.TO_BRIDGE, Shape.FROM_BRIDGE):
        return ROW_H if row.detail else BARE_ROW_H
    return BAND_H


def _line(kind: str, start: int, end: int, y: int) -> str:
    return f'<line class="{kind}" x1="{start}" y1="{y}" x2="{end}" y2="{y}"/>'


def _label(row: Row, x: int, y: int, room: int, side: str) -> str:
    """The label above its arrow, the detail between them; both at the agent's end of it."""
    label = _text(row.label, int(room / CHARACTER))
    if not row.detail:
        return f'<text class="label halo{side}" x="{x}" y="{y - 7}">{label}</text>'
    detail = _text(row.detail, int(room / SMALL_CHARACTER))
    return (
        f'<text class="label halo{side}" x="{x}" y="{y - 21}">{label}</text>'
        f'<text class="small halo{side}" x="{x}" y="{y - 7}">{detail}</text>'
    )


def _head_width(picture: Picture) -> int:
    longest = max((width_of(who) for who in picture.lanes), default=0)
    return int(min(HEAD_MOST, max(HEAD_LEAST, longest * CHARACTER + 24)))


def _lane_width(picture: Picture) -> int:
    """As wide as the labels want, within bounds: what is cut off stands in the titles."""
    wanted = max(
        (
            max(width_of(row.label) * CHARACTER, min(width_of(row.detail), 44) * SMALL_CHARACTER)
            for row in picture.rows
        ),
        default=0.0,
    )
    return int(min(LANE_MOST, max(LANE_LEAST, wanted + 28)))


def _text(text: str, room: int) -> str:
    return escape(cut(text, max(3, room)))


def _title(text: str) -> str:
    return escape(cut(text, LONGEST_TITLE))
