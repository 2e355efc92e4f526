"""How much room a text takes in a terminal, and cutting it to fit."""

from __future__ import annotations

import unicodedata

__all__ = ["beside", "cut", "one_line", "width_of"]

ELLIPSIS = "…"
GAP = "  "
LEAST = 4
"""Less of a detail than this says nothing."""


def width_of(text: str) -> int:
    """How many columns the text takes."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def cut(text: str, room: int) -> str:
    """The text on one line, cut to fit so many columns; what is left out shows as an ellipsis."""
    text = one_line(text)
    if width_of(text) <= room:
        return text
    taken, used = [], 0
    for character in text:
        used += _width(character)
        if used > room - 1:
            break
        taken.append(character)
    return "".join(taken).rstrip() + ELLIPSIS if room > 0 else ""


def beside(label: str, detail: str, room: int) -> str:
    """The label, and as much of the detail behind it as there is room for."""
    label = cut(label, room)
    left = room - width_of(label) - len(GAP)
    return f"{label}{GAP}{cut(detail, left)}" if detail and left >= LEAST else label


def one_line(text: str) -> str:
    """The text without anything that would break a line or act on a terminal."""
    text = " ".join(text.split())
    return text if text.isprintable() else "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
