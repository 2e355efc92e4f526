"""The badge: `Loom conformance | full 143/143` as an SVG that needs nothing from outside."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from loom_conformance.report.figures import known_bad
from loom_conformance.result import Verdict

if TYPE_CHECKING:
    from loom_conformance.result import RunResult

__all__ = ["draw"]

LABEL = "Loom conformance"
GREEN, YELLOW, RED, GREY = "#2b8a3e", "#8a6d00", "#c92a2a", "#5c636a"
"""Dark enough for white text (contrast of at least 4.5)."""

HEIGHT = 20
PADDING = 7
CHARACTER = 6.7
"""The mean width of a character at 11 px; `textLength` fits the text to the room that was counted."""


def draw(result: RunResult) -> str:
    """The badge of a result."""
    said = result.summary if result.verdict is not Verdict.UNTESTED else "not tested"
    left, right = _width(LABEL), _width(said)
    whole = left + right
    title = f"{LABEL}: {said}, {result.verdict.value}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f'<clipPath id="r"><rect width="{whole}" height="{HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{HEIGHT}" fill="#343a40"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{_colour(result)}"/></g>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(LABEL, 0, left)}{_text(said, left, right)}</g></svg>\n"
    )


def _colour(result: RunResult) -> str:
    if result.verdict is Verdict.CONFORMS:
        return YELLOW if known_bad(result) else GREEN
    return RED if result.verdict is Verdict.FAILS else GREY


def _width(text: str) -> int:
    return round(len(text) * CHARACTER) + 2 * PADDING


def _text(text: str, x: int, width: int) -> str:
    return (
        f'<text x="{x + PADDING}" y="14" textLength="{width - 2 * PADDING}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )
