"""The result as one HTML page that needs nothing beside it, light or dark, wide or narrow.

What is wrong comes first, so that who wrote the bridge sees at once what to mend: the clause, what was tried,
what was expected and what came, and what crossed the wire as a diagram. All clauses follow, area by area.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from loom_conformance.report import figures
from loom_conformance.report.elements import chip, kind, milliseconds, prose
from loom_conformance.report.figures import plural
from loom_conformance.report.transcripts import as_svg, as_text
from loom_conformance.result import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom_conformance.report.figures import AreaFigures
    from loom_conformance.result import CheckResult, ClauseResult, RunResult

__all__ = ["draw"]

_STYLES = {Verdict.CONFORMS: "conforms", Verdict.FAILS: "fails", Verdict.UNTESTED: "untested"}
_SHOWN = (Outcome.PASSED, Outcome.FAILED, Outcome.NOT_TESTABLE, Outcome.NOT_APPLICABLE, Outcome.PLANNED)
SLOWEST = 5


def draw(result: RunResult) -> str:
    """The page."""
    css = files("loom_conformance.report").joinpath("page.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(figures.headline(result))}</title>",
            f"<style>\n{css}</style>\n</head>\n<body>",
            *_top(result),
            "<main>",
            *_to_mend(result),
            *_problems(result),
            *_known(result),
            *_areas(result),
            *_about(result),
            "</main>\n</body>\n</html>\n",
        ]
    )


# The head: the verdict in one look.


def _top(result: RunResult) -> Iterator[str]:
    counts = Counter(clause.outcome for clause in result.clauses)
    shown = [outcome for outcome in _SHOWN if counts[outcome]]
    yield f'<header class="top {_STYLES[result.verdict]}"><div>'
    yield '<p class="eyebrow">Loom conformance report</p>'
    yield f"<h1>{escape(figures.headline(result))}</h1>"
    yield f'<p class="lead">{_lead(result, counts)}</p>'
    for problem in figures.deaths(result):
        yield f'<p class="alarm">{escape(problem.text[:1].upper() + problem.text[1:])}</p>'
    segments = "".join(
        f'<span class="{kind(outcome)}" style="flex:{counts[outcome]}" '
        f'title="{counts[outcome]} {outcome.value}"></span>'
        for outcome in shown
    )
    yield f'<div class="bar" role="img" aria-label="{escape(figures.tally(result))}">{segments}</div>'
    items = "".join(
        f'<li class="{kind(outcome)}"><b>{counts[outcome]}</b>{outcome.value}</li>' for outcome in shown
    )
    yield f'<ul class="figures">{items}</ul>'
    yield f"<nav>{''.join(_links(result))}</nav>"
    yield "</div></header>"


def _lead(result: RunResult, counts: Counter[Outcome]) -> str:
    apply = len(result.clauses) - counts[Outcome.NOT_APPLICABLE] - counts[Outcome.PLANNED]
    broken, known = len(figures.to_mend(result)), len(figures.known_bad(result))
    said = f"{plural(apply, 'clause')} of the protocol {'applies' if apply == 1 else 'apply'} to this bridge"
    said += f", and it keeps {counts[Outcome.PASSED]:,} of them." if apply else "."
    if broken:
        said += f" {plural(broken, 'clause')} {'is' if broken == 1 else 'are'} to be mended."
    if known:
        said += f" {plural(known, 'failure')} {'is' if known == 1 else 'are'} known."
    if result.problems:
        said += f" The run itself has {plural(len(result.problems), 'problem')}."
    return f"{said} <strong>{escape(result.summary)}</strong>"


def _links(result: RunResult) -> Iterator[str]:
    if figures.to_mend(result):
        yield '<a href="#to-mend">What is to be mended</a>'
    if result.problems:
        yield '<a href="#problems">Problems of the run</a>'
    if figures.known_bad(result):
        yield '<a href="#known">Known failures</a>'
    yield '<a href="#clauses">All clauses</a>'
    yield '<a href="#about">About this run</a>'


# What is wrong.


def _to_mend(result: RunResult) -> Iterator[str]:
    broken = figures.to_mend(result)
    if not broken:
        return
    yield '<section id="to-mend"><h2>What is to be mended</h2>'
    yield '<p class="soft">Each box is one statement of the protocol that this bridge does not keep.</p>'
    for clause in broken:
        yield from _clause(result, clause)
    yield "</section>"


def _clause(result: RunResult, clause: ClauseResult) -> Iterator[str]:
    style = "broken" if clause.outcome is Outcome.FAILED else "stalled"
    yield f'<article class="card {style}" id="mend-{escape(clause.clause.lower())}"><header>'
    yield f'<span class="id">{escape(clause.clause)}</span>{chip(clause.outcome)}{_level(clause)}</header>'
    yield f'<p class="statement"><strong>{prose(clause.text)}</strong></p>'
    yield f'<p class="soft">{prose(clause.reason)}</p>'
    checks = [check for check in figures.checks_of(result, clause) if check.outcome is not Outcome.PASSED]
    for check in checks:
        yield from _trial(check)
    if not checks:
        yield f'<div class="trial"><p>{prose(clause.why)}</p></div>'
    yield "</article>"


def _trial(check: CheckResult) -> Iterator[str]:
    yield '<div class="trial">'
    yield f"<p><strong>Tried:</strong> {prose(check.summary)}</p>"
    if check.what:
        yield f"<p><strong>Looked at:</strong> {prose(check.what)}</p>"
        yield '<div class="compare">'
        yield f"<figure><figcaption>Expected</figcaption><pre>{escape(check.expected)}</pre></figure>"
        yield f'<figure class="got"><figcaption>Got</figcaption><pre>{escape(check.got)}</pre></figure>'
        yield "</div>"
    else:
        yield f"<p>{chip(check.outcome)} {prose(check.message)}</p>"
    if check.transcript is not None:
        yield "<details open><summary>What crossed the wire</summary>"
        yield f'<div class="diagram">{as_svg(check.transcript)}</div>'
        yield f"<details><summary>As text</summary><pre>{escape(as_text(check.transcript))}</pre></details>"
        yield "</details>"
    if check.traceback:
        yield "<details><summary>Where the check went wrong</summary>"
        yield f'<pre class="trace">{escape(check.traceback)}</pre></details>'
    spent = milliseconds(check.seconds)
    yield f'<p class="soft small">Check <code>{escape(check.check)}</code>, {spent}</p></div>'


def _problems(result: RunResult) -> Iterator[str]:
    groups = figures.problem_groups(result)
    if not groups:
        return
    yield '<section id="problems"><h2>Problems of the run</h2>'
    yield '<p class="soft">Besides what the bridge does, these make the run fail.</p>'
    for title, problems, more in groups:
        items = "".join(f"<li>{prose(problem.text)}</li>" for problem in problems)
        rest = f"<li>and {more} more, all in the JSON result</li>" if more else ""
        name = escape(title[:1].upper() + title[1:])
        yield f'<div class="card stalled"><h3>{name}</h3><ul>{items}{rest}</ul></div>'
    yield "</section>"


def _known(result: RunResult) -> Iterator[str]:
    known = figures.known_bad(result)
    if not known:
        return
    yield '<section id="known"><h2>Known failures</h2>'
    yield '<p class="soft">These fail and do not make the run fail. When one passes, its entry must go.</p>'
    for clause in known:
        yield from _known_clause(result, clause)
    yield "</section>"


def _known_clause(result: RunResult, clause: ClauseResult) -> Iterator[str]:
    assert clause.known is not None
    link = f'<a href="{escape(clause.known.link)}">{escape(clause.known.link)}</a>'
    yield f'<article class="card stalled"><header><span class="id">{escape(clause.clause)}</span>'
    yield f"{chip(clause.outcome)}{_level(clause)}</header>"
    yield f'<p class="statement"><strong>{prose(clause.text)}</strong></p>'
    yield f"<p><strong>Known:</strong> {prose(clause.known.reason)} {link}</p>"
    bad = [check for check in figures.checks_of(result, clause) if check.outcome is not Outcome.PASSED]
    if bad:
        yield "<details><summary>What was expected, and what came</summary>"
        for check in bad:
            yield from _trial(check)
        yield "</details>"
    yield "</article>"


# Everything.


def _areas(result: RunResult) -> Iterator[str]:
    yield '<section id="clauses"><h2>All clauses</h2>'
    for area in figures.areas(result):
        yield from _area(result, area)
    yield "</section>"


def _area(result: RunResult, area: AreaFigures) -> Iterator[str]:
    others = [outcome for outcome in _SHOWN[1:] if area.counts[outcome]]
    chips = "".join(
        f'<span class="chip {kind(outcome)}">{area.counts[outcome]} {outcome.value}</span>'
        for outcome in others
    )
    yield f'<details class="area" id="area-{area.area.lower()}"{" open" if area.bad else ""}><summary>'
    yield f'<span class="id">{escape(area.area)}</span><h3>{escape(area.title)}</h3>{chips}'
    yield f'<span class="count">{area.counts[Outcome.PASSED]}/{area.apply} passed</span></summary>'
    yield '<div class="scroll"><table class="clauses"><thead><tr>'
    yield "<th>clause</th><th>level</th><th>outcome</th><th>what it says</th>"
    yield '<th class="number">checks</th></tr></thead><tbody>'
    for clause in area.clauses:
        yield _row(result, clause)
    yield "</tbody></table></div></details>"


def _row(result: RunResult, clause: ClauseResult) -> str:
    checks = figures.checks_of(result, clause)
    name = escape(clause.clause)
    broken = clause in figures.to_mend(result)
    shown = f'<a href="#mend-{name.lower()}">{name}</a>' if broken else name
    known = '<span class="chip known">known</span>' if clause.known else ""
    why = f'<p class="soft">→ {prose(clause.why)}</p>' if clause.why and not broken else ""
    spent = milliseconds(sum(check.seconds for check in checks)) if checks else ""
    return (
        f'<tr class="{kind(clause.outcome)}" id="{name.lower()}"><td><span class="id">{shown}</span></td>'
        f"<td>{_level(clause)}</td><td>{chip(clause.outcome)}{known}</td>"
        f'<td class="says"><p>{prose(clause.text)}</p><p class="soft">{prose(clause.reason)}</p>{why}</td>'
        f'<td class="number soft small">{plural(len(checks), "check")}<br> {spent}</td></tr>'
    )


def _level(clause: ClauseResult) -> str:
    feature = f' <span class="soft small with">with {escape(clause.feature)}</span>' if clause.feature else ""
    return f'<span class="chip">{escape(clause.level)}</span>{feature}'


def _about(result: RunResult) -> Iterator[str]:
    versions, target, asked, emitted = result.versions, result.target, result.asked, result.emitted
    expectations = sum(check.expectations for check in result.checks)
    bridge = f"{figures.bridge_name(result)}, protocol {versions.bridge_protocol or 'not told'}"
    facts = {
        "bridge": bridge,
        "target": f"{target.asked} ({target.kind}) at {target.address}",
        "declares": ", ".join(target.features) or "nothing beyond the base level",
        "profile": f"{asked.profile}, level {asked.level} and stronger",
        "selected": ", ".join(asked.select) or "everything",
        "suite": f"Loom {versions.suite}, protocol {versions.protocol}, Python {versions.python}, "
        f"grpcio {versions.grpc}",
        "results": f"{emitted.emitted} of {emitted.expected} clauses owed came, {emitted.judged} judged",
        "checks": f"{len(result.checks)}, with {expectations:,} expectations",
        "time": f"{milliseconds(result.seconds)}, {asked.jobs} at a time, began {result.began}",
        "slowest": ", ".join(_slowest(result)) or "none ran",
    }
    yield '<section id="about"><h2>About this run</h2><div class="card"><dl class="facts">'
    for name, value in facts.items():
        yield f"<dt>{name}</dt><dd>{escape(value)}</dd>"
    yield "</dl></div>"
    yield "<footer>Drawn from the JSON result by <code>loom conformance</code>.</footer></section>"


def _slowest(result: RunResult) -> Iterator[str]:
    for check in sorted(result.checks, key=lambda check: -check.seconds)[:SLOWEST]:
        if check.seconds:
            yield f"{check.check} ({milliseconds(check.seconds)})"
