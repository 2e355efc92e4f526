"""How a command speaks: data on stdout, talk on stderr, colour only where it is welcome.

Colour is off where the stream is no terminal or NO_COLOR is set (https://no-color.org), and on where
FORCE_COLOR is set.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "colour_wanted",
    "data",
    "error",
    "json_line",
    "mark",
    "patience",
    "say",
    "table",
    "tolerate_narrow_encodings",
]

PATIENCE_SECONDS = 1.5

MARKS = {"good": ("✓", "green"), "bad": ("✗", "red"), "warn": ("!", "yellow"), "note": ("·", "bright_black")}


def colour_wanted(environ: Mapping[str, str] = os.environ) -> bool | None:
    """True or False where the environment decides; None leaves it to each stream (a terminal gets colour)."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return None


def say(text: str = "") -> None:
    """One line of talk, for people: stderr."""
    click.echo(text, err=True, color=colour_wanted())


def data(text: str) -> None:
    """One line of what was asked for: stdout."""
    click.echo(text, color=colour_wanted())


def json_line(value: Any, *, pretty: bool = False) -> None:
    """One JSON document on stdout: a line, or indented where a person may read it."""
    import json

    data(json.dumps(value, ensure_ascii=False, indent=2 if pretty else None))


def error(message: str) -> None:
    """One line that says what went wrong and what to do."""
    say(f"{click.style('error:', fg='red', bold=True)} {message}")


def mark(kind: str) -> str:
    """The sign before a finding: `good`, `bad`, `warn` or `note`."""
    sign, colour = MARKS[kind]
    return click.style(sign, fg=colour, bold=kind != "note")


def table(rows: Sequence[Sequence[str]], *, gap: str = "  ") -> list[str]:
    """Rows as lines with aligned columns; styled cells are measured without their style."""
    widths = [max(len(click.unstyle(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return [gap.join(map(_padded, row, widths)).rstrip() for row in rows]


@contextmanager
def patience(what: str) -> Iterator[threading.Timer | None]:
    """Says what is being waited for, once it takes long and somebody is watching (else it gives None)."""
    import threading

    if not sys.stderr.isatty():
        yield None
        return
    timer = threading.Timer(PATIENCE_SECONDS, lambda: say(f"{mark('note')} {what}"))
    timer.daemon = True
    timer.start()
    try:
        yield timer
    finally:
        timer.cancel()


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - len(click.unstyle(cell)))


def tolerate_narrow_encodings() -> None:
    """A terminal that cannot show a character gets a `?`, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
