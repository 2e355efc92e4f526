"""The result in a terminal: a table of the areas, then what is to be mended, then the verdict."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from loom.cli.console import mark, table
from loom_conformance.report import figures
from loom_conformance.result import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom_conformance.result import CheckResult, RunResult

__all__ = ["draw"]

WIDTH = 96
MOST = 20
"""How many broken clauses are shown."""
LONGEST = 400
"""How much of a value is shown; the reports show all of it."""

_MARKS = {Verdict.CONFORMS: "good", Verdict.FAILS: "bad", Verdict.UNTESTED: "warn"}


def draw(result: RunResult) -> str:
    """The lines, with the terminal's colours in them."""
    spent = f"{figures.plural(len(result.checks), 'check')} in {result.seconds:.1f} s"
    return "\n".join(
        [
            *_areas(result),
            *_known(result),
            *_to_mend(result),
            *_problems(result),
            "",
            f"{mark(_MARKS[result.verdict])} {click.style(figures.headline(result), bold=True)}",
            f"  {result.summary}: {figures.tally(result)}; {spent}",
        ]
    )


def _areas(result: RunResult) -> Iterator[str]:
    """One row for each area."""
    rows = [
        [
            "",
            *(
                click.style(word, bold=True)
                for word in ("area", "", "passed", "failed", "set aside", "planned")
            ),
        ]
    ]
    for area in figures.areas(result):
        aside = area.counts[Outcome.NOT_APPLICABLE] + area.counts[Outcome.NOT_TESTABLE]
        passed = area.counts[Outcome.PASSED]
        kind = "bad" if area.bad else "note" if not area.apply else "good" if passed == area.apply else "warn"
        failed = area.counts[Outcome.FAILED]
        rows.append(
            [
                mark(kind),
                area.area,
                area.title,
                f"{passed}/{area.apply}",
                click.style(str(failed), fg="red", bold=True) if failed else "·",
                str(aside or "·"),
                str(area.counts[Outcome.PLANNED] or "·"),
            ]
        )
    yield from table(rows)


def _known(result: RunResult) -> Iterator[str]:
    for clause in figures.known_bad(result):
        assert clause.known is not None
        yield ""
        known = f"{clause.known.reason} ({clause.known.link})"
        yield from _wrapped(known, f"{mark('note')} {clause.clause} fails, as is known: ")


def _to_mend(result: RunResult) -> Iterator[str]:
    broken = figures.to_mend(result)
    for clause in broken[:MOST]:
        yield ""
        yield f"{mark('bad')} {click.style(clause.clause, bold=True)} {clause.level}  {clause.outcome.value}"
        yield from _wrapped(clause.text, "    ")
        checks = [check for check in figures.checks_of(result, clause) if check.outcome is not Outcome.PASSED]
        for check in checks:
            yield from _check(check)
        if not checks:
            yield from _wrapped(clause.why, "    → ")
    if len(broken) > MOST:
        yield ""
        yield f"{mark('bad')} and {len(broken) - MOST} clauses more; --report DIR writes them all"


def _check(check: CheckResult) -> Iterator[str]:
    yield ""
    yield from _wrapped(check.summary, "    tried     ")
    if check.what:
        yield from _wrapped(check.what, "    looked at ")
        yield from _wrapped(check.expected, click.style("    expected  ", fg="green"))
        yield from _wrapped(check.got, click.style("    got       ", fg="red"))
    else:
        yield from _wrapped(check.message, f"    {check.outcome.value:10}")


def _problems(result: RunResult) -> Iterator[str]:
    for kind, problems, more in figures.problem_groups(result):
        yield ""
        yield f"{mark('bad')} {click.style(kind, bold=True)}"
        for problem in problems:
            yield from _wrapped(problem.text, "    ")
        if more:
            yield f"    and {more} more"


def _wrapped(text: str, before: str) -> Iterator[str]:
    """The text in lines, the first behind `before`, the others below it."""
    indent = " " * len(click.unstyle(before))
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    lines = textwrap.wrap(cut, WIDTH - len(indent), break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        yield f"{indent if number else before}{line}"
