"""How a run goes on, for people, on stderr: one line that changes where somebody watches, else a few."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

from loom.cli import console
from loom_conformance.report.figures import plural
from loom_conformance.result import Outcome
from loom_conformance.run import Watcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance.declared import Declared
    from loom_conformance.registry import Check
    from loom_conformance.result import CheckResult
    from loom_conformance.targets import Choice

__all__ = ["Progress"]

STEPS = 4
"""How often a run says how far it is where nobody watches."""
MOST_TOLD = 40
"""How many failures are told as they come: a bridge that died fails everything that is left."""
ERASE = "\r\x1b[K"
_BAD = (Outcome.FAILED, Outcome.ERROR)


class Progress(Watcher):
    """Tells how a run goes on.

    Args:
        watched: whether stderr is a terminal; found out unless given.
    """

    def __init__(self, *, watched: bool | None = None) -> None:
        can = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._watched = can if watched is None else watched
        self._total = 0
        self._done = 0
        self._failed = 0

    def starting(self, choice: Choice) -> None:
        """The bridge is being found or started."""
        verb = "looking for" if choice.kind == "address" else "starting"
        self._line(f"{verb} {choice.asked}")

    def began(self, choice: Choice, found: Declared, checks: Sequence[Check]) -> None:
        """The bridge answers."""
        self._total = len(checks)
        name = f"{found.server.get('name', '')} {found.server.get('version', '')}".strip() or choice.asked
        clauses = len({check.clause for check in checks})
        told = f"judging {name}: {plural(clauses, 'clause')} by {plural(self._total, 'check')}"
        self._say(f"{console.mark('note')} {told}")

    def came(self, result: CheckResult) -> None:
        """A check came to its end; one that failed is told at once."""
        self._done += 1
        if result.outcome in _BAD:
            self._failed += 1
            if self._failed <= MOST_TOLD:
                self._say(f"{console.mark('bad')} {result.clause}  {result.message}")
            elif self._failed == MOST_TOLD + 1:
                self._say(f"{console.mark('bad')} and more, which are not told one by one")
        if self._watched and self._done < self._total:
            failed = click.style(f", {self._failed} failed", fg="red") if self._failed else ""
            self._line(f"{self._done}/{self._total}{failed}  {result.clause}  {result.check}")
        elif self._watched:
            self._clear()
        elif self._done * STEPS // self._total > (self._done - 1) * STEPS // self._total:
            console.say(f"{console.mark('note')} {self._done} of {plural(self._total, 'check')}")

    def _say(self, text: str) -> None:
        """One line that stays."""
        self._clear()
        console.say(_cut(text) if self._watched else text)

    def _line(self, text: str) -> None:
        """The line that changes."""
        if self._watched:
            shown = f"{console.mark('note')} {_cut(text)}"
            _raw(ERASE + (click.unstyle(shown) if console.colour_wanted() is False else shown))

    def _clear(self) -> None:
        if self._watched:
            _raw(ERASE)


def _raw(text: str) -> None:
    """To the terminal as it is: click would take the erasing away together with colours."""
    sys.stderr.write(text)
    sys.stderr.flush()


def _cut(text: str) -> str:
    """What fits into one line of the terminal."""
    room = shutil.get_terminal_size().columns - 4
    return text if len(click.unstyle(text)) <= room else f"{click.unstyle(text)[: room - 1]}…"
