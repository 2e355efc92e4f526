"""One mutant against the checks of its clause."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loom_conformance.declared import ask
from loom_conformance.judge import judge
from loom_conformance.program import CannotStart, Program
from loom_conformance.result import Outcome
from loom_conformance.target import BridgeProgram, Target
from mutants.planted import PLAIN, SERVE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loom_conformance.declared import Declared
    from loom_conformance.registry import Check
    from mutants.mutant import Mutant

__all__ = ["Plant", "Trial", "declared_by_the_fake", "tried"]

Plant = Callable[..., Awaitable[BridgeProgram]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one mutant.

    Attributes:
        mutant: the mutant.
        killed: whether a check of its clause failed for the mutant's own reason.
        by: the checks that did.
        said: what the first of them said; where none did, why the mutant lives.
    """

    mutant: Mutant
    killed: bool
    by: tuple[str, ...]
    said: str


async def declared_by_the_fake() -> Declared:
    """What the fake declares without a bug: mutants are judged by that, also those that declare otherwise."""
    start = functools.partial(Program.started, [sys.executable, "-m", "loom.cli.fake", *SERVE], _environ())
    program = await start()
    try:
        return await ask(Target(program.address, start=start, plain=start))
    finally:
        await program.close()


async def tried(
    mutant: Mutant,
    checks: Sequence[Check],
    declared: Declared,
    features: Mapping[str, str],
    plant: Plant,
) -> Trial:
    """Plants the mutant, and runs the checks of its clause.

    Args:
        mutant: what to plant.
        checks: all checks; those of the clause are taken.
        declared: what the fake declares.
        features: clause -> the feature that it needs.
        plant: starts a bridge with the mutant of a name in it, and with further flags.
    """
    own = [check for check in checks if check.clause == mutant.clause]
    if not own:
        return Trial(mutant, killed=False, by=(), said=f"{mutant.clause} has no check")
    start = functools.partial(plant, mutant.name)
    plain = functools.partial(plant, mutant.name, PLAIN)
    try:
        program = await start()
    except CannotStart as problem:
        return Trial(mutant, killed=False, by=(), said=f"the fake does not even start: {problem}")
    try:
        target = Target(program.address, start=start, plain=plain)
        results = await judge(target, declared, own, features)
    finally:
        await program.close()
    killers = [r for r in results if r.outcome is Outcome.FAILED and mutant.reason().search(r.message)]
    if killers:
        return Trial(mutant, killed=True, by=tuple(r.check for r in killers), said=killers[0].message)
    said = "; ".join(f"{r.check} {r.outcome.value} {r.message}".rstrip() for r in results)
    return Trial(mutant, killed=False, by=(), said=said)


def _environ() -> dict[str, str]:
    """Bridges of ours follow us through their stdin, and not through another lifeline."""
    return {**os.environ, "LOOM_CLI_LIFELINE": "0"}
