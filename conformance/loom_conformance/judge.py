"""`judge`: runs checks against a bridge, each alone in a world of its own, several side by side."""

from __future__ import annotations

import asyncio
import time
import traceback
from typing import TYPE_CHECKING

from loom_conformance import expect
from loom_conformance.bench import Bench
from loom_conformance.result import CheckResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from loom_conformance.declared import Declared
    from loom_conformance.registry import Check
    from loom_conformance.tape import Tape
    from loom_conformance.target import Target

    Transcribe = Callable[[Tape], list[dict[str, Any]]]

__all__ = ["JOBS", "judge", "trial"]

JOBS = 8
"""How many checks run side by side unless told otherwise."""
CHECK_S = 120.0
"""After so many seconds of real time a check is given up; more where the bridge has no virtual clock."""


async def judge(
    target: Target,
    declared: Declared,
    checks: Sequence[Check],
    features: Mapping[str, str],
    *,
    jobs: int = JOBS,
    on_result: Callable[[CheckResult], None] = lambda _: None,
    transcribe: Transcribe | None = None,
) -> list[CheckResult]:
    """Runs the checks.

    Args:
        target: how the bridge is reached.
        declared: what it can do.
        checks: what to try.
        features: clause -> the feature that the clause needs, empty at the base level.
        jobs: how many at once.
        on_result: told of each result as it comes.
        transcribe: makes the transcript of a check that did not pass.

    Returns:
        A result for each check, in the order of the checks.
    """
    room = asyncio.Semaphore(jobs)

    async def one(item: Check) -> CheckResult:
        aside = _set_aside(item, declared, features[item.clause])
        if aside is None:
            async with room:
                aside = await trial(target, declared, item, transcribe)
        on_result(aside)
        return aside

    return list(await asyncio.gather(*(one(item) for item in checks)))


async def trial(
    target: Target, declared: Declared, check: Check, transcribe: Transcribe | None = None
) -> CheckResult:
    """Runs one check."""
    expect.counting()
    bench = Bench(target, declared, check)
    found: dict[str, Any] = {"outcome": Outcome.PASSED}
    began = time.monotonic()
    try:
        async with asyncio.timeout(CHECK_S * (1 if bench.virtual else 3)):
            async with bench:
                await check.body(bench)
        if not expect.counted():
            found = {"outcome": Outcome.ERROR, "message": "the check expected nothing, so it judged nothing"}
    except expect.Violation as problem:
        found = {
            "outcome": Outcome.FAILED,
            "message": str(problem),
            "what": problem.what,
            "expected": problem.expected,
            "got": problem.got,
        }
    except TimeoutError:
        found = _went_wrong(f"the check did not come to an end within {CHECK_S:g} s")
    except Exception as problem:  # whatever it is, the other checks go on
        found = _went_wrong(f"{type(problem).__name__}: {problem}".splitlines()[0])
    if found["outcome"] is not Outcome.PASSED and transcribe is not None:
        found["transcript"] = transcribe(bench.tape)
    return CheckResult(
        check=check.name,
        clause=check.clause,
        summary=check.summary,
        seconds=round(time.monotonic() - began, 4),
        expectations=expect.counted(),
        **found,
    )


def _went_wrong(message: str) -> dict[str, Any]:
    return {"outcome": Outcome.ERROR, "message": message, "traceback": traceback.format_exc()}


def _set_aside(check: Check, declared: Declared, feature: str) -> CheckResult | None:
    """The result of a check that does not run on this bridge."""
    missing = [name for name in check.needs if name not in declared.features]
    if feature and feature not in declared.features:
        outcome, message = Outcome.NOT_APPLICABLE, f"the bridge does not declare {feature}"
    elif missing:
        outcome, message = Outcome.NOT_TESTABLE, f"the check needs {', '.join(missing)}"
    else:
        return None
    return CheckResult(
        check=check.name, clause=check.clause, outcome=outcome, summary=check.summary, message=message
    )
