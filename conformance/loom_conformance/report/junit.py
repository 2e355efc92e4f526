"""The result as JUnit XML: a suite for each area, a case for each check, and one suite for the run itself.

A check that does not apply, and one whose failure is known, is a skipped case that says why. A problem of the
run is a failed case, so that what reads only this file sees a run that is not worth its name.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # written here, never read
from typing import TYPE_CHECKING

from loom_conformance.conclude import breaks
from loom_conformance.report.figures import areas, checks_of
from loom_conformance.report.transcripts import as_text
from loom_conformance.result import Outcome

if TYPE_CHECKING:
    from loom_conformance.result import CheckResult, ClauseResult, RunResult

__all__ = ["draw"]

_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def draw(result: RunResult) -> str:
    """The XML document."""
    root = ET.Element("testsuites", name="loom conformance", time=f"{result.seconds:.3f}")
    for area in areas(result):
        suite = ET.SubElement(root, "testsuite", name=f"{area.area}: {area.title}")
        for clause in area.clauses:
            for check in checks_of(result, clause):
                _case(suite, clause, check)
        _count(suite)
    run = ET.SubElement(root, "testsuite", name="the run itself")
    for problem in result.problems:
        name = _clean(f"{problem.kind} {problem.subject}".rstrip())
        case = ET.SubElement(run, "testcase", classname="run", name=name)
        _set(ET.SubElement(case, "failure", type=problem.kind), problem.text)
    done = ET.SubElement(run, "testcase", classname="run", name="something was judged")
    if not result.emitted.judged:
        _set(ET.SubElement(done, "failure"), "no clause was judged")
    _count(run)
    _count(root)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(suite: ET.Element, clause: ClauseResult, check: CheckResult) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=clause.clause, name=check.check, time=f"{check.seconds:.3f}"
    )
    known = check.known or clause.known
    if check.outcome is Outcome.PASSED:
        return
    if known is not None and check.outcome is not Outcome.NOT_APPLICABLE:
        _set(ET.SubElement(case, "skipped"), f"known {known.list}: {known.reason} ({known.link})")
    elif check.outcome is Outcome.NOT_APPLICABLE or not breaks(clause):
        _set(ET.SubElement(case, "skipped"), f"{check.outcome.value}: {check.message}")
    elif check.outcome is Outcome.ERROR:
        _set(ET.SubElement(case, "error"), check.message, check.traceback)
    else:
        _set(ET.SubElement(case, "failure"), check.message, _story(clause, check))


def _story(clause: ClauseResult, check: CheckResult) -> str:
    """What a stranger needs to understand a failure."""
    parts = [f"{clause.clause} ({clause.level}): {clause.text}", f"tried: {check.summary}"]
    if check.expected or check.got:
        parts += [f"looked at: {check.what}", f"expected: {check.expected}", f"got: {check.got}"]
    if check.transcript is not None:
        parts += ["", as_text(check.transcript)]
    return "\n".join(parts)


def _set(element: ET.Element, message: str, text: str = "") -> None:
    element.set("message", _clean(message))
    if text:
        element.text = _clean(text)


def _count(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for outcome, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(outcome) is not None for case in cases)))


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
