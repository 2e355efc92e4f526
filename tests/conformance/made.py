"""Clauses, checks and results, made for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_conformance.clauses import Clause
from loom_conformance.conclude import Run, conclude
from loom_conformance.known import Entry, Lists
from loom_conformance.registry import Check
from loom_conformance.result import Asked, CheckResult, Outcome, RunResult, Target, Versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance import Bench

TRANSCRIPT = [
    {"transcript": 1, "clock": "real", "entries": 2},
    {
        "at": 10,
        "who": "shop",
        "rpc": "EventStream",
        "sent": "publish",
        "body": {"topic": "orders.new", "event": {"id": "<1>"}},
    },
    {"at": 20, "who": "shop", "rpc": "EventStream", "received": "status", "code": "OK"},
]


def clause(name: str = "PUB-1.1", **changes: Any) -> Clause:
    """A clause of the base level."""
    given: dict[str, Any] = {
        "level": "MUST",
        "since": 1,
        "feature": "",
        "text": f"What {name} says, with `code` in it.",
        "reason": f"Why {name} is there.",
    }
    return Clause(name, **(given | changes))


async def nothing(bench: Bench) -> None:
    """Tries nothing."""


def check(name: str, judges: str = "PUB-1.1", **changes: Any) -> Check:
    """A check that is never run."""
    return Check(name, judges, f"What {name} tries.", nothing, **changes)


def passed(name: str, judges: str = "PUB-1.1", **changes: Any) -> CheckResult:
    """A check that passed."""
    given: dict[str, Any] = {"outcome": Outcome.PASSED, "expectations": 2, "seconds": 0.012}
    given["summary"] = f"What {name} tries."
    return CheckResult(check=name, clause=judges, **(given | changes))


def failed(name: str, judges: str = "PUB-1.1", **changes: Any) -> CheckResult:
    """A check that found the bridge wrong."""
    given: dict[str, Any] = {
        "outcome": Outcome.FAILED,
        "message": "the deliveries: expected 1, got 2",
        "what": "the deliveries",
        "expected": "1 <event>",
        "got": "2 <events>",
        "transcript": TRANSCRIPT,
    }
    return passed(name, judges, **(given | changes))


def aside(name: str, judges: str, outcome: Outcome = Outcome.NOT_APPLICABLE) -> CheckResult:
    """A check that did not run."""
    said = f"why {name} did not run"
    return passed(name, judges, outcome=outcome, expectations=0, seconds=0.0, message=said)


def known(name: str, kind: Any = "failure", what: str = "clause") -> Lists:
    """One thing that is known."""
    return Lists((Entry(kind, what, name, "It is old.", "https://bugs.example/1"),))


def concluded(
    clauses: Sequence[Clause],
    results: Sequence[CheckResult],
    checks: Sequence[Check] | None = None,
    **run: Any,
) -> RunResult:
    """What a run says that judged these clauses, with a check for each result unless others are given."""
    if checks is None:
        checks = [check(result.check, result.clause) for result in results]
    given: dict[str, Any] = {
        "suite": clauses,
        "selected": clauses,
        "checks": checks,
        "results": results,
        "versions": Versions(suite="0.1.0", protocol="1.0", bridge_name="my-bridge", bridge="2.0"),
        "target": Target(asked="fake", kind="fake", address="127.0.0.1:1", features=["confirm"]),
        "asked": Asked(),
        "began": "2025-01-01T00:00:00+00:00",
        "seconds": 1.5,
    }
    return conclude(Run(**(given | run)))


def good() -> RunResult:
    """A run of a bridge that conforms."""
    return concluded([clause()], [passed("one")])


def bad() -> RunResult:
    """A run in which there is something of everything."""
    clauses = [
        clause("HB-1.1"),
        clause("PUB-1.1"),
        clause("PUB-1.2", level="SHOULD", feature="confirm"),
        clause("PUB-2.1", feature="drain"),
        clause("PUB-2.2", feature="resume", planned=True),
        clause("PUB-3.1"),
        clause("PUB-4.1"),
    ]
    error = {"outcome": Outcome.ERROR, "message": "KeyError: 'x'", "traceback": "Traceback …"}
    results = [
        passed("beats", "HB-1.1"),
        failed("twice", "PUB-1.1"),
        aside("held", "PUB-1.2", Outcome.NOT_TESTABLE),
        aside("drains", "PUB-2.1"),
        failed("breaks", "PUB-3.1", what="", expected="", got="", **error),
        failed("old", "PUB-4.1"),
    ]
    return concluded(clauses, results, known=known("PUB-4.1"))
