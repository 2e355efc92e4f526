"""Known failures and known flaky checks: what is known to go wrong, each with a reason and a link.

    [[known]]
    clause = "PUB-1.2"          # or check = "two_patterns_give_one_delivery"
    reason = "The old router delivers once per pattern."
    link = "https://bugs.example/17"

Known failures are strict, so that the list cannot grow stale: an entry whose clause or check passes, or which
names nothing that was judged, fails the run. What is known to be flaky may pass or fail, but must be there.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from loom_conformance.result import CheckResult, ClauseResult, Known, Outcome, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["MATCHES_NOTHING", "PASSES", "Entry", "KnownError", "Lists", "mark"]

List = Literal["failure", "flaky"]

PASSES = "known failure passes"
MATCHES_NOTHING = "known entry matches nothing"
_BAD = (Outcome.FAILED, Outcome.ERROR, Outcome.NOT_TESTABLE)
_TITLES: dict[List, str] = {"failure": "known failure", "flaky": "known flaky"}


class KnownError(Exception):
    """A list is not as it must be; the text names the place."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is known.

    Attributes:
        list: `failure` or `flaky`.
        what: `clause` or `check`.
        name: its id or name.
        reason: why it is so.
        link: where it is followed up.
    """

    list: List
    what: str
    name: str
    reason: str
    link: str

    @property
    def known(self) -> Known:
        """What a result says of it."""
        return Known(list=self.list, entry=self.name, reason=self.reason, link=self.link)


@dataclass(frozen=True, slots=True)
class Lists:
    """The entries of both lists, each of another clause or check."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def load(cls, failures: Path | None = None, flaky: Path | None = None) -> Lists:
        """Reads the two files, where they are given.

        Raises:
            KnownError: one cannot be read or is malformed, or an entry stands there twice.
        """
        found: dict[str, Entry] = {}
        given: tuple[tuple[Path | None, List], ...] = ((failures, "failure"), (flaky, "flaky"))
        for path, kind in given:
            for entry in _read(path, kind) if path is not None else ():
                if entry.name in found:
                    raise KnownError(f"{path}: {entry.name} is listed twice, here or in both lists")
                found[entry.name] = entry
        return cls(tuple(found.values()))


def mark(
    lists: Lists,
    clauses: Sequence[ClauseResult],
    checks: Sequence[CheckResult],
    suite: Mapping[str, str],
) -> tuple[list[ClauseResult], list[CheckResult], list[Problem]]:
    """Sets `known` where an entry speaks of a result, and says which entries do not hold.

    Args:
        lists: what is known.
        clauses: what came of the clauses.
        checks: what came of the checks.
        suite: every check of the suite, and the clause that it judges. What it has and the run was not asked
            for is nobody's fault.
    """
    outcomes = {result.clause: result.outcome for result in clauses}
    outcomes |= {result.check: result.outcome for result in checks}
    names = {*suite, *suite.values()}
    problems = [problem for entry in lists.entries for problem in _broken(entry, outcomes, names)]
    by_name = {entry.name: entry.known for entry in lists.entries}
    marked_checks = [replace(result, known=by_name.get(result.check)) for result in checks]
    marked_clauses = [
        replace(result, known=by_name.get(result.clause) or _of_checks(result, marked_checks))
        for result in clauses
    ]
    return marked_clauses, marked_checks, problems


def _broken(entry: Entry, outcomes: Mapping[str, Outcome], names: set[str]) -> Iterator[Problem]:
    """How the entry does not hold."""
    title = _TITLES[entry.list]
    outcome = outcomes.get(entry.name)
    if outcome is None and entry.name in names:
        return
    if outcome is None:
        text = f"{title}: the suite has no {entry.what} {entry.name}: correct the name, or remove the entry"
        yield Problem(kind=MATCHES_NOTHING, subject=entry.name, text=text)
    elif outcome in (Outcome.NOT_APPLICABLE, Outcome.PLANNED):
        text = f"{title}: {entry.name} is {outcome.value} on this bridge: remove the entry"
        yield Problem(kind=MATCHES_NOTHING, subject=entry.name, text=text)
    elif outcome is Outcome.PASSED and entry.list == "failure":
        text = f"{title}: {entry.name} passes now: remove the entry"
        yield Problem(kind=PASSES, subject=entry.name, text=text)


def _of_checks(clause: ClauseResult, checks: Sequence[CheckResult]) -> Known | None:
    """Where everything that went wrong with a clause is known, what is known of the first of it."""
    if clause.outcome not in _BAD:
        return None
    bad = [result for result in checks if result.clause == clause.clause and result.outcome in _BAD]
    return bad[0].known if bad and all(result.known for result in bad) else None


def _read(path: Path, kind: List) -> Iterator[Entry]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise KnownError(f"{path}: {reason}") from None
    entries = table.get("known", [])
    if set(table) - {"known"} or not isinstance(entries, list):
        raise KnownError(f"{path}: it must hold [[known]] tables and nothing else")
    for number, entry in enumerate(entries, 1):
        yield _entry(entry, kind, f"{path}, entry {number}")


def _entry(entry: Any, kind: List, place: str) -> Entry:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise KnownError(f"{place}: it must hold texts")
    unknown = sorted(set(entry) - {"clause", "check", "reason", "link"})
    named = [what for what in ("clause", "check") if entry.get(what)]
    if unknown or len(named) != 1:
        raise KnownError(f"{place}: it needs either clause or check, with reason and link, and nothing else")
    if not entry.get("reason", "").strip():
        raise KnownError(f"{place}: say the reason")
    if not entry.get("link", "").startswith(("https://", "http://")):
        raise KnownError(f"{place}: link must say where it is followed up, as https://…")
    (what,) = named
    return Entry(kind, what, entry[what], entry["reason"].strip(), entry["link"])
