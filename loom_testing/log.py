"""The log of `loom-testing`, for people: one line each on stderr."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

__all__ = ["LEVELS", "setup"]

LEVELS = ("debug", "info", "warning", "error")

_COLOURS = {logging.DEBUG: "2", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "31"}


class _Lines(logging.Formatter):
    """`12:34:56.789 warning  text`, in colours on a terminal."""

    def __init__(self, *, colours: bool) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(levelname)-8s %(message)s", datefmt="%H:%M:%S")
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        record.levelname = record.levelname.lower()
        text = super().format(record)
        colour = _COLOURS.get(record.levelno) if self._colours else None
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def setup(level: str, stream: TextIO | None = None) -> None:
    """Sends the log of this process, and nothing else, to a stream.

    Args:
        level: one of `LEVELS`; what is not of this package is shown from `warning` on.
        stream: stderr unless told otherwise.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Lines(colours=stream.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("loom_testing").setLevel(level.upper())
