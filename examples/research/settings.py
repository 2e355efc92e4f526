"""What an agent's process is told by its environment, and how it ends with the process that started it."""

from __future__ import annotations

import os
import platform
import signal
import threading
from pathlib import Path

__all__ = ["corpus_name", "end_with_parent", "folder", "home", "name", "narrator", "share"]


def home() -> Path:
    """Where reports, memory and logs are kept: RESEARCH_HOME, or `out/research`."""
    return Path(os.environ.get("RESEARCH_HOME", "out/research"))


def folder() -> Path | None:
    """The folder that is searched: RESEARCH_FOLDER, or None for the documentation of Python."""
    named = os.environ.get("RESEARCH_FOLDER", "")
    return Path(named) if named else None


def name(default: str) -> str:
    """This agent's id: RESEARCH_NAME, or `default`."""
    return os.environ.get("RESEARCH_NAME", default)


def share() -> tuple[int, int]:
    """Which share of how many this researcher reads: RESEARCH_SHARE as `1/2`, or all of it.

    Raises:
        ValueError: it is something else.
    """
    text = os.environ.get("RESEARCH_SHARE", "1/1")
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise ValueError(f"RESEARCH_SHARE is {text!r}; write it as 1/2 for the first of two shares")
    return int(index), int(count)


def narrator() -> str:
    """Who tells the report: RESEARCH_NARRATOR as `package.module:factory`, or empty for quotes alone."""
    return os.environ.get("RESEARCH_NARRATOR", "")


def corpus_name(searched: Path | None) -> str:
    """What is searched, in a few words."""
    return str(searched) if searched else f"the documentation that Python {platform.python_version()} carries"


def end_with_parent() -> None:
    """Stop this process as SIGTERM does when its standard input ends, if RESEARCH_END_WITH_PARENT is set.

    The starter holds the other end, so its agents go with it, however it goes.
    """
    if not os.environ.get("RESEARCH_END_WITH_PARENT"):
        return

    def watch() -> None:
        os.read(0, 1)  # not through sys.stdin, whose lock this thread would still hold at the end
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
