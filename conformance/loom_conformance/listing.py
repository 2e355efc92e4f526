"""The clauses for those who look them up: as a table, explained, as JSON."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from loom_conformance.clauses import AREAS, FEATURES
from loom_conformance.report.figures import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loom_conformance.clauses import Clause
    from loom_conformance.registry import Check

__all__ = ["as_json", "explained", "table"]

WIDTH = 100
INDENT = "    "


def as_json(clauses: Sequence[Clause], checks: Sequence[Check]) -> list[dict[str, Any]]:
    """One object for each clause, with its checks."""
    return [
        {
            **asdict(clause),
            "checks": [
                {"name": check.name, "summary": check.summary, "needs": list(check.needs)}
                for check in _checks(clause, checks)
            ],
        }
        for clause in clauses
    ]


def table(clauses: Sequence[Clause], checks: Sequence[Check]) -> str:
    """A line or two for each clause, area by area."""
    lines = []
    width = max(len(clause.id) for clause in clauses)
    for area, members in groupby(clauses, lambda clause: clause.area):
        lines += ["", click.style(f"{area}  {AREAS[area]}", bold=True)]
        for clause in members:
            number = len(_checks(clause, checks))
            said = "planned" if clause.planned else plural(number, "check")
            with_feature = f" with {clause.feature}" if clause.feature else ""
            head = f"  {clause.id.ljust(width)}  {clause.level.ljust(6)}  "
            about = click.style(f" ({said}{with_feature})", fg="bright_black")
            lines += _wrapped(clause.text, head)
            lines[-1] += about
    planned = sum(clause.planned for clause in clauses)
    total = (
        f"{plural(len(clauses), 'clause')}, {planned} planned, {plural(_number(clauses, checks), 'check')}"
    )
    return "\n".join([*lines[1:], "", total])


def explained(clauses: Sequence[Clause], checks: Sequence[Check]) -> str:
    """What each clause demands, why, and how it is tried."""
    return "\n\n".join("\n".join(_explained(clause, _checks(clause, checks))) for clause in clauses)


def _explained(clause: Clause, checks: Sequence[Check]) -> Iterator[str]:
    level = f"{clause.level}, since version {clause.since} of the protocol"
    yield f"{click.style(clause.id, bold=True)}  {level}"
    yield from _wrapped(clause.text, INDENT)
    yield from _wrapped(clause.reason, f"{INDENT}why    ")
    if clause.feature:
        yield from _wrapped(f"{clause.feature}: {FEATURES[clause.feature]}", f"{INDENT}needs  ")
    if clause.planned:
        yield f"{INDENT}tried  not yet: this is planned"
    for check in checks:
        needs = f" (needs {', '.join(check.needs)})" if check.needs else ""
        yield from _wrapped(f"{check.summary}{needs}", f"{INDENT}tried  ")


def _checks(clause: Clause, checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if check.clause == clause.id]


def _number(clauses: Sequence[Clause], checks: Sequence[Check]) -> int:
    return sum(len(_checks(clause, checks)) for clause in clauses)


def _wrapped(text: str, before: str) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - len(before), break_on_hyphens=False) or [""]
    return [f"{' ' * len(before) if number else before}{line}" for number, line in enumerate(lines)]
