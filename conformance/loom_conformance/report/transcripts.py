"""The transcript of a check, as a result holds it, drawn: for a page and for a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from loom_testing.transcript import decode, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_testing.transcript import Transcript

__all__ = ["as_svg", "as_text"]

MOST_ROWS = 80


def as_svg(lines: Sequence[dict[str, Any]]) -> str:
    """The sequence diagram, an SVG element that may stand in a page."""
    return draw(_read(lines), "svg", full=True, most_rows=MOST_ROWS)


def as_text(lines: Sequence[dict[str, Any]]) -> str:
    """The sequence diagram as text."""
    return draw(_read(lines), full=True, most_rows=MOST_ROWS)


def _read(lines: Sequence[dict[str, Any]]) -> Transcript:
    return decode("".join(f"{json.dumps(line)}\n" for line in lines), "the result's transcript")
