"""The clauses: what a bridge must do, read from `clauses.toml`, strictly.

A slip in the file must never make a clause vanish: what is unknown, missing, doubled or out of order is an
error that names its place.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["AREAS", "FEATURES", "LEVELS", "PROTOCOL", "Clause", "ClausesError", "find", "load", "read"]

PROTOCOL = "1.0"
"""The version of the protocol whose clauses these are."""

AREAS = {
    "BASE": "The wire, and compatibility both ways",
    "NS": "Namespaces",
    "REG": "Registration",
    "SES": "Handshake and sessions",
    "HB": "Heartbeat",
    "PUB": "Publish and deliver",
    "ACT": "Actions",
    "FLOW": "Flow",
    "LIM": "Limits",
    "SEC": "Security",
    "CTL": "Testing control",
}
"""The areas and what they are about, in the file's order."""

LEVELS = ("MUST", "SHOULD", "MAY")
"""The strongest first."""

FEATURES = {
    "": "the base level, which every bridge speaks",
    "session": "epochs, a welcome, heartbeats on the stream",
    "confirm": "receipts for publishes",
    "subscriptions": "filters, groups, QoS, observers, subscribing while live",
    "cancel": "providers are told when nobody waits any more",
    "drain": "sessions are told that the bridge is about to stop",
    "resume": "sessions outlive a broken stream",
    "batch": "several messages in one",
    "flow": "credit for publishers",
    "stream": "partial outputs of a call",
    "namespaces": "the metadata key loom-namespace is honoured",
    "control": "the testing control answers",
    "process": "the suite starts the bridge itself, and can send it signals",
    "plain": "the suite can start one without its testing control",
    "auth": "bearer tokens",
    "tls": "TLS and mutual TLS",
}
"""What a clause may need, and what it means that a bridge has it."""

_ID = re.compile(r"(?P<area>[A-Z]+)-(?P<group>[1-9][0-9]*)\.(?P<number>[1-9][0-9]*)")


class ClausesError(Exception):
    """`clauses.toml` is not as it must be; the text names the place."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement that a check can refute.

    Attributes:
        id: `AREA-n.m`; never given to another statement.
        level: MUST, SHOULD or MAY.
        since: the version of the protocol that brought it.
        feature: what a bridge must declare for it to apply; empty at the base level.
        text: the statement.
        reason: why it is made.
        planned: its feature is not built yet: listed, not judged.
    """

    id: str
    level: str
    since: int
    feature: str
    text: str
    reason: str
    planned: bool = False

    @property
    def area(self) -> str:
        """`PUB` of `PUB-1.2`."""
        return self.id.partition("-")[0]

    @property
    def group(self) -> str:
        """`PUB-1` of `PUB-1.2`."""
        return self.id.partition(".")[0]

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it stands among the others."""
        group, number = self.id.partition("-")[2].split(".")
        return list(AREAS).index(self.area), int(group), int(number)


def find() -> Path:
    """Where `clauses.toml` is: beside the package in a checkout, in it where it is installed."""
    here = Path(__file__).resolve().parent
    return next(path for path in (here / "clauses.toml", here.parent / "clauses.toml") if path.is_file())


def load(path: Path | None = None) -> list[Clause]:
    """The clauses, in the file's order.

    Args:
        path: another file than the suite's own.

    Raises:
        ClausesError: the file is not as it must be.
    """
    path = path or find()
    return read(path.read_text(encoding="utf-8"), path.name)


def read(text: str, name: str) -> list[Clause]:
    """The clauses of a file with this text.

    Raises:
        ClausesError: it is not as it must be.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ClausesError(f"{name}: {error}") from None
    unknown = set(table) - {"clause"}
    entries = table.get("clause", [])
    if unknown or not isinstance(entries, list) or not entries:
        raise ClausesError(f"{name}: it must hold [[clause]] tables and nothing else")
    clauses = []
    for number, entry in enumerate(entries, 1):
        place = f"{name}, clause {entry.get('id', f'number {number}')}"
        for problem in _problems(entry):
            raise ClausesError(f"{place}: {problem}")
        clauses.append(Clause(**entry))
    for problem in _disorder(clauses):
        raise ClausesError(f"{name}, {problem}")
    return clauses


def _problems(entry: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one clause."""
    kinds = {"id": str, "level": str, "since": int, "feature": str, "text": str, "reason": str}
    kinds["planned"] = bool
    needed = {field.name for field in fields(Clause)} - {"planned"}
    if unknown := sorted(set(entry) - set(kinds)):
        yield f"it has no key {unknown[0]!r}; there are {', '.join(kinds)}"
    if missing := sorted(needed - set(entry)):
        yield f"it lacks {missing[0]!r}"
    for key, value in entry.items():
        if type(value) is not kinds[key]:
            yield f"{key} is {value!r}, which is not of type {kinds[key].__name__}"
    yield from _wrong_values(entry)


def _wrong_values(entry: dict[str, Any]) -> Iterator[str]:
    found = _ID.fullmatch(entry["id"])
    if not found or found["area"] not in AREAS:
        yield f"the id must be AREA-n.m, with one of the areas {', '.join(AREAS)}"
    if entry["level"] not in LEVELS:
        yield f"level is {entry['level']!r}; there are {', '.join(LEVELS)}"
    if entry["since"] < 1:
        yield "since is a version of the protocol, from 1"
    if entry["feature"] not in FEATURES:
        yield f"feature is {entry['feature']!r}; there are {', '.join(name for name in FEATURES if name)}"
    for key in ("text", "reason"):
        if not entry[key].rstrip("`)").endswith((".", "?")) or entry[key] != " ".join(entry[key].split()):
            yield f"{key} must be whole sentences on one line, with a full stop at the end"


def _disorder(clauses: Iterable[Clause]) -> Iterator[str]:
    """What is wrong with the clauses among each other."""
    before: Clause | None = None
    texts: dict[str, str] = {}
    for clause in clauses:
        if before is not None and clause.place <= before.place:
            order = "clauses stand by area, then by number, each once"
            yield f"clause {clause.id}: it stands after {before.id}; {order}"
        if clause.text in texts:
            yield f"clause {clause.id}: {texts[clause.text]} says the same in the same words"
        texts[clause.text] = clause.id
        before = clause
