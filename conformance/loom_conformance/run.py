"""One run, from the bridge's name to the result."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from loom_conformance import conclude, declared, manifest
from loom_conformance.clauses import PROTOCOL
from loom_conformance.judge import JOBS, judge
from loom_conformance.known import Lists
from loom_conformance.result import Asked, CheckResult, Problem, RunResult, Target, Verdict, Versions
from loom_conformance.transcribe import transcribe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance.clauses import Clause
    from loom_conformance.declared import Declared
    from loom_conformance.registry import Check
    from loom_conformance.targets import Choice

__all__ = ["Order", "Watcher", "carry_out"]


class Watcher:
    """Is told how a run goes on. This one does not care."""

    def starting(self, choice: Choice) -> None:
        """The bridge is being found or started."""

    def began(self, choice: Choice, found: Declared, checks: Sequence[Check]) -> None:
        """The bridge answers; these checks are tried on it."""

    def came(self, result: CheckResult) -> None:
        """A check came to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be judged, and by what.

    Attributes:
        choice: the bridge.
        clauses: every clause of the suite.
        checks: every check of the suite.
        selected: the clauses that are asked for.
        words: the words that selected them.
        profile: what is demanded.
        level: the weakest level that is judged.
        known: what is known to go wrong.
        jobs: how many checks run side by side.
    """

    choice: Choice
    clauses: Sequence[Clause]
    checks: Sequence[Check]
    selected: Sequence[Clause]
    words: Sequence[str] = ()
    profile: str = "full"
    level: str = "MAY"
    known: Lists = field(default_factory=Lists)
    jobs: int = JOBS


async def carry_out(order: Order, watcher: Watcher | None = None) -> RunResult:
    """Runs the checks of an order, and says what came of it.

    Raises:
        TargetError: the bridge cannot be had here.
        Unreachable: nothing answers, or nothing that is a bridge.
    """
    watcher = watcher or Watcher()
    began, clock = datetime.now(UTC), time.monotonic()
    checks = manifest.checks_of(order.selected, order.checks)
    watcher.starting(order.choice)
    async with order.choice.open() as opened:
        found = await declared.ask(opened.target)
        watcher.began(order.choice, found, checks)
        results = await judge(
            opened.target,
            found,
            checks,
            {clause.id: clause.feature for clause in order.clauses},
            jobs=order.jobs,
            on_result=watcher.came,
            transcribe=transcribe,
        )
        death = await opened.death()
    result = conclude.conclude(
        conclude.Run(
            suite=order.clauses,
            checks=order.checks,
            selected=order.selected,
            results=results,
            versions=_versions(found),
            target=Target(
                asked=order.choice.asked,
                kind=order.choice.kind,
                address=opened.target.address,
                features=sorted(found.features),
            ),
            asked=Asked(profile=order.profile, level=order.level, select=list(order.words), jobs=order.jobs),
            known=order.known,
            began=began.isoformat(timespec="seconds"),
            seconds=time.monotonic() - clock,
        )
    )
    return result if not death else _with_death(result, death)


def _versions(found: Declared) -> Versions:
    return Versions(
        suite=version("loom-py"),
        protocol=PROTOCOL,
        python=platform.python_version(),
        grpc=version("grpcio"),
        bridge_name=found.server.get("name", ""),
        bridge=found.server.get("version", ""),
        bridge_protocol=found.server.get("protocol", ""),
    )


def _with_death(result: RunResult, death: str) -> RunResult:
    """A bridge that does not outlive its checks does not conform, whatever they say."""
    problem = Problem(kind=conclude.DIED, subject=result.target.asked, text=f"while it was judged, {death}")
    return replace(result, verdict=Verdict.FAILS, problems=[*result.problems, problem])
