"""The result as Markdown: for a pull request's comment or a CI job's summary."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from loom_conformance.report import figures
from loom_conformance.report.transcripts import as_text
from loom_conformance.result import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom_conformance.result import CheckResult, ClauseResult, RunResult

__all__ = ["draw"]

_SIGNS = {Verdict.CONFORMS: "✅", Verdict.FAILS: "❌", Verdict.UNTESTED: "⚠️"}
_SPECIAL = re.compile(r"([\\*_\[\]<>|#])")


def draw(result: RunResult) -> str:
    """The document."""
    return "\n".join(
        [
            *_head(result),
            *_areas(result),
            *_to_mend(result),
            *_problems(result),
            *_known(result),
            *_foot(result),
        ]
    )


def _head(result: RunResult) -> Iterator[str]:
    yield f"## {_SIGNS[result.verdict]} {_plain(figures.headline(result))}"
    yield ""
    yield f"**{_plain(result.summary)}**: {_plain(figures.tally(result))}."
    yield ""


def _areas(result: RunResult) -> Iterator[str]:
    yield "| | area | passed | failed | not applicable | not testable | planned |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for area in figures.areas(result):
        sign = "❌" if area.bad else "✅" if area.counts[Outcome.PASSED] else ""
        others = (Outcome.FAILED, Outcome.NOT_APPLICABLE, Outcome.NOT_TESTABLE, Outcome.PLANNED)
        cells = [str(area.counts[outcome] or "") for outcome in others]
        passed = f"{area.counts[Outcome.PASSED]}/{area.apply}"
        yield f"| {sign} | {area.area}: {area.title} | {passed} | {' | '.join(cells)} |"
    yield ""


def _to_mend(result: RunResult) -> Iterator[str]:
    broken = figures.to_mend(result)
    if broken:
        yield "### What is to be mended"
        yield ""
    for clause in broken:
        yield from _clause(result, clause)


def _clause(result: RunResult, clause: ClauseResult) -> Iterator[str]:
    yield f"**{clause.clause}** ({clause.level}, {clause.outcome.value}): {_plain(clause.text)}"
    yield ""
    checks = [check for check in figures.checks_of(result, clause) if check.outcome is not Outcome.PASSED]
    for check in checks:
        yield from _check(check)
    if not checks:
        yield f"- {_plain(clause.why)}"
        yield ""


def _check(check: CheckResult) -> Iterator[str]:
    yield f"- tried: {_plain(check.summary)}"
    if check.what:
        yield f"  - looked at: {_plain(check.what)}"
        yield f"  - expected: {_code(check.expected)}"
        yield f"  - got: {_code(check.got)}"
    else:
        yield f"  - {check.outcome.value}: {_plain(check.message)}"
    yield ""
    if check.transcript is not None:
        yield "  <details><summary>What crossed the wire</summary>"
        yield ""
        yield "  ```text"
        for line in as_text(check.transcript).splitlines():
            yield f"  {line}".rstrip()
        yield "  ```"
        yield ""
        yield "  </details>"
        yield ""


def _problems(result: RunResult) -> Iterator[str]:
    groups = figures.problem_groups(result)
    if groups:
        yield "### Why the run fails besides"
        yield ""
    for kind, problems, more in groups:
        yield f"- {_plain(kind)}"
        for problem in problems:
            yield f"  - {_plain(problem.text)}"
        if more:
            yield f"  - and {more} more"
    if groups:
        yield ""


def _known(result: RunResult) -> Iterator[str]:
    known = figures.known_bad(result)
    if known:
        yield "### Known"
        yield ""
    for clause in known:
        assert clause.known is not None
        yield f"- **{clause.clause}**: {_plain(clause.known.reason)} ([followed up]({clause.known.link}))"
    if known:
        yield ""


def _foot(result: RunResult) -> Iterator[str]:
    versions, target = result.versions, result.target
    checks = figures.plural(len(result.checks), "check")
    yield (
        f"<sub>Loom conformance {versions.suite}, protocol {versions.protocol}; "
        f"target {_plain(target.asked)} at {_plain(target.address)}; "
        f"{checks} in {result.seconds:.1f} s, {result.began}</sub>"
    )
    yield ""


def _plain(text: str) -> str:
    """Text whose characters mean themselves; what stands between backticks stays code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an odd backtick begins no code
        return _SPECIAL.sub(r"\\\1", text).replace("`", "\\`")
    shown = [part if number % 2 else _SPECIAL.sub(r"\\\1", part) for number, part in enumerate(parts)]
    return "`".join(shown)


def _code(text: str) -> str:
    """Text as code, on one line, whatever it holds."""
    return f"<code>{escape(' '.join(text.split())).replace('|', '&#124;')}</code>"
