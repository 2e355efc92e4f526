"""Draws a small state machine as SVG, without any outside tool.

States stand in columns, by their longest way from the first state. Between two columns stands a column
of labels. An edge that skips columns passes through places of its own there, so that no edge runs
through a state. Within a column the order follows where the edges come from. An edge that leads back is
an arc below everything.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from html import escape

__all__ = ["draw"]

Edge = tuple[str, str, str]

STATE_WIDTH = 110
STATE_HEIGHT = 36
LABEL_WIDTH = 96
ROW = 56
MARGIN = 4
LOOP = 28
FONT = 13
LABEL_CHARACTERS = 16


@dataclass(slots=True)
class _Place:
    """Something that takes room in a column: a state, a label, or where an edge passes."""

    column: int
    state: str = ""
    label: str = ""
    y: float = 0.0
    sources: list[_Place] = field(default_factory=list)

    @property
    def x(self) -> float:
        """The middle."""
        states, labels = (self.column + 1) // 2, self.column // 2
        width = STATE_WIDTH if self.column % 2 == 0 else LABEL_WIDTH
        return MARGIN + states * STATE_WIDTH + labels * LABEL_WIDTH + width / 2


def draw(title: str, edges: list[Edge]) -> str:
    """The SVG element of a state machine given as (state, trigger, next state)."""
    columns = _columns(edges)
    places = {state: _Place(2 * column, state=state) for state, column in columns.items()}
    routes, arcs, loops = [], [], []
    for source, target, label in _merged(edges):
        if source == target:
            loops.append((places[source], label))
        elif columns[source] < columns[target]:
            routes.append(_route(places, source, target, label))
        else:
            arcs.append((places[source], places[target], label))
    everything = list(places.values()) + [place for route in routes for place in route[1:-1]]
    _arrange(everything)
    return _svg(title, everything, (routes, arcs, loops), edges)


def _columns(edges: list[Edge]) -> dict[str, int]:
    """Each state's column: its longest way from the first state, edges that lead back left out.

    States that nothing leads out of share the last column.
    """
    order = list(dict.fromkeys(state for source, _, target in edges for state in (source, target)))
    forward = _forward(order[0], edges)
    columns = dict.fromkeys(order, 0)
    for _ in order:
        for source, target in forward:
            columns[target] = max(columns[target], columns[source] + 1)
    last = max(columns.values())
    sources = {source for source, _, _ in edges}
    return {state: column if state in sources else last for state, column in columns.items()}


def _forward(start: str, edges: list[Edge]) -> list[tuple[str, str]]:
    """The edges that do not close a circle, in a walk from `start`."""
    forward: list[tuple[str, str]] = []
    done: dict[str, bool] = {}

    def walk(state: str) -> None:
        done[state] = False
        for source, _, target in edges:
            if source != state or done.get(target) is False:
                continue
            forward.append((source, target))
            if target not in done:
                walk(target)
        done[state] = True

    walk(start)
    return forward


def _merged(edges: list[Edge]) -> list[Edge]:
    """The edges, those between the same two states as one: (source, target, label)."""
    labels: dict[tuple[str, str], list[str]] = {}
    for source, trigger, target in edges:
        labels.setdefault((source, target), []).append(trigger)
    return [(source, target, ", ".join(triggers)) for (source, target), triggers in labels.items()]


def _route(places: dict[str, _Place], source: str, target: str, label: str) -> list[_Place]:
    """The places an edge goes through, its two states included."""
    first, last = places[source], places[target]
    columns = range(first.column + 1, last.column)
    # What skips a state has its label below that state, where there is room.
    passing = [column for column in columns if column % 2 == 0]
    route = [first]
    for column in columns[:-1] if passing else columns:
        labelled = column == (passing[-1] if passing else columns[-1])
        route.append(_Place(column, label=label if labelled else "", sources=[route[-1]]))
    last.sources.append(route[-1])
    return [*route, last]


def _arrange(everything: list[_Place]) -> None:
    """Sets every place's height: column by column, in the order of where its edges come from."""
    by_column: dict[int, list[_Place]] = {}
    for place in everything:
        by_column.setdefault(place.column, []).append(place)
    for column in sorted(by_column):
        members = by_column[column]
        # States first where it is a tie, so that what skips a state passes below it.
        members.sort(key=lambda place: (_wished(place), not place.state))
        for row, place in enumerate(members):
            place.y = row * ROW


def _wished(place: _Place) -> float:
    return sum(source.y for source in place.sources) / len(place.sources) if place.sources else 0.0


def _svg(
    title: str,
    everything: list[_Place],
    lines: tuple[list[list[_Place]], list[tuple[_Place, _Place, str]], list[tuple[_Place, str]]],
    edges: list[Edge],
) -> str:
    routes, arcs, loops = lines
    top = MARGIN + STATE_HEIGHT / 2 + FONT + (LOOP + FONT if loops else 0)
    for place in everything:
        place.y += top
    width = max(place.x for place in everything) + STATE_WIDTH / 2 + MARGIN
    bottom = max(place.y for place in everything) + STATE_HEIGHT / 2
    height = bottom + MARGIN + (ROW * len(arcs) + ROW / 4 if arcs else 0)
    ends = {target for _, _, target in edges} - {source for source, _, _ in edges}
    parts = [
        (
            f'<svg class="state-diagram" role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'aria-label="States of a {escape(title)}: {escape(_spoken(edges))}">'
        ),
        (
            f'<defs><marker id="{title}-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
            'markerHeight="8" orient="auto"><path class="head" d="M0,0 L8,4 L0,8 z"/></marker></defs>'
        ),
        *(_path(title, route) for route in routes),
        *(_arc(title, arc, bottom + ROW * row) for row, arc in enumerate(arcs, 1)),
        *(_loop(title, place, label) for place, label in loops),
        *(_box(place, place.state in ends) for place in everything if place.state),
        "</svg>",
    ]
    return '<div class="state-diagram-frame">' + "".join(parts) + "</div>"


def _spoken(edges: list[Edge]) -> str:
    return "; ".join(f"{source} on {trigger} to {target}" for source, trigger, target in edges)


def _path(title: str, route: list[_Place]) -> str:
    """A smooth line through the route, with the label in the middle of its own place."""
    points = [(route[0].x + STATE_WIDTH / 2, route[0].y)]
    for place in route[1:-1]:
        half = (STATE_WIDTH if place.column % 2 == 0 else LABEL_WIDTH) / 2
        points += [(place.x - half * 0.7, place.y), (place.x + half * 0.7, place.y)]
    points.append((route[-1].x - STATE_WIDTH / 2, route[-1].y))
    line = f"M{points[0][0]:g},{points[0][1]:g}"
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        middle = (x1 + x2) / 2
        line += f" C{middle:g},{y1:g} {middle:g},{y2:g} {x2:g},{y2:g}"
    label = next(place for place in route if place.label)
    return f'<path class="edge" d="{line}" marker-end="url(#{title}-arrow)"/>' + _text(
        label.x, label.y - 6, label.label
    )


def _arc(title: str, arc: tuple[_Place, _Place, str], depth: float) -> str:
    """A line that leads back, below everything down to `depth`."""
    source, target, label = arc
    down, up = source.y + STATE_HEIGHT / 2, target.y + STATE_HEIGHT / 2
    low = depth + ROW / 4
    return (
        f'<path class="edge" d="M{source.x:g},{down:g} C{source.x:g},{low:g} {target.x:g},{low:g} '
        f'{target.x:g},{up:g}" marker-end="url(#{title}-arrow)"/>'
        + _text((source.x + target.x) / 2, depth - 8, label)
    )


def _loop(title: str, place: _Place, label: str) -> str:
    """A small arc above a state."""
    x, y = place.x, place.y - STATE_HEIGHT / 2
    return (
        f'<path class="edge" d="M{x - 22:g},{y:g} C{x - 22:g},{y - LOOP:g} {x + 22:g},{y - LOOP:g} '
        f'{x + 22:g},{y:g}" marker-end="url(#{title}-arrow)"/>' + _text(x, y - LOOP + 2, label)
    )


def _text(x: float, y: float, label: str) -> str:
    """The label's lines, the last of them at `y`."""
    lines = [""]
    for word in label.split():
        if lines[-1] and len(lines[-1]) + len(word) >= LABEL_CHARACTERS:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    first = y - (len(lines) - 1) * FONT
    return "".join(
        f'<text x="{x:g}" y="{first + row * FONT:g}">{escape(line)}</text>' for row, line in enumerate(lines)
    )


def _box(place: _Place, final: bool) -> str:
    x, y = place.x - STATE_WIDTH / 2, place.y - STATE_HEIGHT / 2
    kind = "state final" if final else "state"
    return (
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{STATE_WIDTH}" height="{STATE_HEIGHT}" rx="8"/>'
        f'<text class="name" x="{place.x:g}" y="{place.y + 4:g}">{escape(place.state)}</text>'
    )
