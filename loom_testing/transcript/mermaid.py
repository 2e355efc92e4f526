"""The diagram in Mermaid, as Markdown pages and many viewers draw it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_testing.transcript.cells import cut
from loom_testing.transcript.rows import BRIDGE, Row, Shape

if TYPE_CHECKING:
    from loom_testing.transcript.rows import Picture

__all__ = ["draw_mermaid"]

LONGEST = 60
"""Characters of a label, and of its detail."""


def draw_mermaid(picture: Picture) -> str:
    """The diagram, ending in a newline."""
    names = {who: f"p{place}" for place, who in enumerate(picture.lanes)}
    lines = ["sequenceDiagram"]
    if picture.title:
        lines.append(f"    accTitle: {_safe(picture.title)}")
    for who, name in names.items():
        shown = "bridge" if who == BRIDGE else who
        lines.append(f"    participant {name} as {_safe(shown)}")
    lines += [f"    {_row(row, names)}" for row in picture.rows]
    return "\n".join(lines) + "\n"


def _row(row: Row, names: dict[str, str]) -> str:
    text = _safe(row.label)
    if row.detail:
        text += f"<br/>{_safe(row.detail)}"
    agent, bridge = names.get(row.who, ""), names[BRIDGE]
    match row.shape:
        case Shape.TO_BRIDGE:
            return f"{agent}{'-x' if row.lost else '->>'}{bridge}: {text}"
        case Shape.FROM_BRIDGE:
            return f"{bridge}{'--x' if row.lost else '-->>'}{agent}: {text}"
        case Shape.NOTE if row.who:
            return f"Note over {agent}: {text}"
    lanes = list(names.values())
    return f"Note over {lanes[0]},{lanes[-1]}: {text}" if len(lanes) > 1 else f"Note over {lanes[0]}: {text}"


def _safe(text: str) -> str:
    """No character that Mermaid or HTML would read as its own."""
    return "".join(_ENTITIES.get(character, character) for character in cut(text, LONGEST)) or " "


_ENTITIES = {character: f"#{ord(character)};" for character in "#;<>&\"'{}[]|`%\\"}
