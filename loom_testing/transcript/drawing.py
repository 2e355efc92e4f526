"""Drawing a transcript as a sequence diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from loom_testing.transcript.mermaid import draw_mermaid
from loom_testing.transcript.rows import picture_of
from loom_testing.transcript.svg import draw_svg
from loom_testing.transcript.text import draw_text

if TYPE_CHECKING:
    from loom_testing.transcript.entry import Transcript

__all__ = ["FORMATS", "Format", "draw"]

Format = Literal["text", "mermaid", "svg"]
FORMATS: tuple[Format, ...] = ("text", "mermaid", "svg")

MOST_ROWS = 400


def draw(
    transcript: Transcript,
    format: Format = "text",  # noqa: A002 - what it is called on the command line
    *,
    full: bool = False,
    most_rows: int = MOST_ROWS,
    width: int = 100,
    colour: bool = False,
) -> str:
    """The sequence diagram.

    Args:
        transcript: what to draw.
        format: `text` for a terminal, `mermaid` for Markdown, `svg` for a page: self-contained, light or dark
            as its viewer is.
        full: whether to show each entry by itself; else arrivals, leavings and receipts are summed up.
        most_rows: how many rows to show; the middle of more is left out, and the picture says so.
        width: columns of text.
        colour: whether text is coloured by ANSI sequences.

    Raises:
        ValueError: there is no such format.
    """
    picture = picture_of(transcript, most_rows=most_rows, full=full)
    match format:
        case "text":
            return draw_text(picture, width=width, colour=colour)
        case "mermaid":
            return draw_mermaid(picture)
        case "svg":
            return draw_svg(picture)
    raise ValueError(f"there is no format {format!r}: choose {', '.join(FORMATS)}")
