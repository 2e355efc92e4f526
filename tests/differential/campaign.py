"""A run of the fuzzer on one lane: rounds of cases, each with a seed of its own, until enough was played.

A round is a run of Hypothesis. The first round's seed is the run's, each later one's is one more: so a
failure names the seed of its own round, with which it can be had again at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import Flaky
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import run_state_machine_as_test

from loom_testing.engine import Engine
from loom_testing.engine import outputs as o
from tests.differential.divergence import Divergence
from tests.differential.drawing import EVEN
from tests.differential.machine import BridgeMachine, Lane
from tests.differential.operations import Burst, Case, Step

__all__ = ["Campaign", "Outcome"]


FEWEST = 3
"""The least cases of a round: Hypothesis begins each with the simplest one, in which little happens."""


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        lane: on which lane.
        seed: of the first round.
        rounds: how many rounds there were.
        cases: how many cases, each in a fresh namespace.
        operations: how many operations were played; those of shrinking are not counted.
        kinds: how many of each kind.
        seconds: how long it took.
        divergence: the difference that ended the run, made small.
        found_at: the seed of the round that found it.
        is_steady: whether it showed every time its case was played.
    """

    lane: str
    seed: int
    rounds: int = 0
    cases: int = 0
    operations: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    divergence: Divergence | None = None
    found_at: int = 0
    is_steady: bool = True


class Campaign:
    """Runs a lane's machine until so many operations were played, the time is over, or a difference was
    found.

    Args:
        machine: the lane's machine.
        lane: what plays its operations.
        operations: how many to play at least.
        seed: the first round's.
        seconds: after this no new round begins.
        cases: how many cases a round has at the most.
        steps: how many steps a case has.
        shrink_s: for how many seconds Hypothesis may shrink what was found.
        tell: called after each case with what was done so far.
    """

    def __init__(
        self,
        machine: type[BridgeMachine],
        lane: Lane,
        operations: int,
        seed: int,
        *,
        seconds: float = float("inf"),
        cases: int = 100,
        steps: int = 100,
        shrink_s: float = 20.0,
        tell: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self._lane = _Counting(lane, Outcome(lane.name, seed), tell)
        self._machine: type[BridgeMachine] = type(machine.__name__, (machine,), {"lane": self._lane})
        self._operations = operations
        self._seconds = seconds
        self._cases = cases
        self._steps = steps
        self._shrink_s = shrink_s

    def run(self) -> Outcome:
        """Runs it."""
        outcome = self._lane.outcome
        began = time.monotonic()
        while outcome.operations < self._operations and outcome.divergence is None:
            outcome.seconds = time.monotonic() - began
            if outcome.seconds >= self._seconds:
                break
            self._round(outcome.seed + outcome.rounds)
            outcome.rounds += 1
        outcome.seconds = time.monotonic() - began
        return outcome

    def _round(self, number: int) -> None:
        outcome = self._lane.outcome
        left = self._operations - outcome.operations
        cases = max(FEWEST, min(self._cases, 1 + -(-left // self._steps)))
        seed(number)(self._machine)
        try:
            with _shrinking_at_most(self._shrink_s):
                run_state_machine_as_test(self._machine, settings=_settings(cases, self._steps))
        except Divergence as divergence:
            outcome.divergence, outcome.found_at = divergence, number
        except Flaky:
            outcome.divergence, outcome.found_at = self._lane.first, number
            outcome.is_steady = False
            if outcome.divergence is None:
                raise


@contextmanager
def _shrinking_at_most(seconds: float) -> Iterator[None]:
    """Hypothesis shrinks for five minutes, and has no setting for it."""
    before, engine.MAX_SHRINKING_SECONDS = engine.MAX_SHRINKING_SECONDS, int(seconds)
    try:
        yield
    finally:
        engine.MAX_SHRINKING_SECONDS = before


def _settings(cases: int, steps: int) -> settings:
    return settings(
        backend=EVEN,
        database=None,
        deadline=None,
        max_examples=cases,
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
        report_multiple_bugs=False,
        stateful_step_count=steps,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )


class _Counting:
    """A lane that counts what it plays, until something is found."""

    def __init__(self, lane: Lane, outcome: Outcome, tell: Callable[[Outcome], None]) -> None:
        self.name = lane.name
        self.outcome = outcome
        self.first: Divergence | None = None
        self._lane = lane
        self._tell = tell

    def begin(self, case: Case) -> Engine:
        if self.first is None:
            self.outcome.cases += 1
        return self._lane.begin(case)

    def play(self, step: Step) -> list[o.Output]:
        if self.first is None:
            self.outcome.operations += step.size
            self.outcome.kinds.update(_kinds(step.does))
        return self._noting(self._lane.play, step)

    def unread(self) -> list[int]:
        return self._lane.unread()

    def end(self) -> None:
        self._noting(self._lane.end)
        if self.first is None:
            self._tell(self.outcome)

    def _noting(self, act: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return act(*arguments)
        except Divergence as divergence:
            self.first = self.first or divergence
            raise


def _kinds(does: object) -> list[str]:
    if isinstance(does, Burst):
        return [type(message).__name__ for message in does.messages]
    return [type(getattr(does, "message", does)).__name__]
