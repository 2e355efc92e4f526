"""What `loom conformance doctor` looks at: the suite, the bridges that can be started, the named one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from loom.cli.findings import Finding
from loom_conformance import declared, manifest, registry, targets
from loom_conformance.clauses import ClausesError, load
from loom_conformance.conclude import demanded
from loom_conformance.report.figures import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loom_conformance.clauses import Clause
    from loom_conformance.declared import Declared
    from loom_conformance.targets import Choice

__all__ = ["diagnose"]


def diagnose(choice: Choice) -> Iterator[Finding]:
    """What is found. Starts the bridge that is named, and ends it; changes nothing."""
    try:
        clauses = load()
    except ClausesError as error:
        yield Finding("suite", "clauses", "bad", str(error))
        return
    yield from _suite(clauses)
    yield from _kinds()
    yield from _target(choice, clauses)


def _suite(clauses: Sequence[Clause]) -> Iterator[Finding]:
    checks = registry.load()
    planned = sum(clause.planned for clause in clauses)
    yield Finding("suite", "clauses", "good", f"{len(clauses)}, {planned} of them planned")
    yield Finding("suite", "checks", "good" if checks else "bad", str(len(checks)))
    problems = manifest.compare(clauses, checks)
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        yield Finding("suite", "manifest", "bad", f"{problems[0].text}{more}")
    else:
        yield Finding("suite", "manifest", "good", "each clause has a check, each check a clause")


def _kinds() -> Iterator[Finding]:
    for kind in targets.KINDS:
        problem = targets.choose(kind).missing()
        yield Finding("bridges here", kind, "note" if problem else "good", problem or "can be started")


def _target(choice: Choice, clauses: Sequence[Clause]) -> Iterator[Finding]:
    problem = choice.missing()
    if problem:
        yield Finding("target", choice.asked, "bad", problem)
        return
    try:
        found, address = asyncio.run(_ask(choice))
    except (targets.TargetError, declared.Unreachable) as error:
        yield Finding("target", choice.asked, "bad", str(error), "check the address, or start a bridge there")
        return
    name = f"{found.server.get('name', '')} {found.server.get('version', '')}".strip() or "it does not say"
    yield Finding("target", "bridge", "good", f"{name} at {address}")
    yield Finding("target", "features", "note", ", ".join(sorted(found.features)) or "the base level only")
    yield from _extent(found, clauses)


async def _ask(choice: Choice) -> tuple[Declared, str]:
    async with choice.open() as opened:
        return await declared.ask(opened.target), opened.target.address


def _extent(found: Declared, clauses: Sequence[Clause]) -> Iterator[Finding]:
    """How much of the suite applies, and which profile can be reached."""
    judged = [clause for clause in clauses if not clause.planned]
    apply = [clause for clause in judged if not clause.feature or clause.feature in found.features]
    yield Finding("target", "clauses", "note", f"{len(apply)} of {plural(len(judged), 'clause')} apply")
    missing = sorted(demanded("full", clauses) - found.features - {""})
    if missing:
        lacks = f"it does not declare {', '.join(missing)}: judge with --profile base"
        yield Finding("target", "profile full", "note", lacks)
    if "control" not in found.features:
        yield Finding(
            "target",
            "control",
            "warn",
            "there is no testing control: clauses that need it cannot be tested, and time is real",
            "start the bridge for testing (the Rust bridge: --testing)",
        )
