"""Why a surviving mutant means the same: `conformance/mutation/answers.toml`.

The list is strict. An answer to a mutant that is killed, or that there is not, fails the run.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.mutants.mutant import CannotTryError, Mutant, Outcome

__all__ = ["Answers", "Key", "read_answers"]

Key = tuple[str, str, str]
"""File, function and change of a mutant."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers about one engine: a reason for each mutant."""

    reasons: Mapping[Key, str]

    def unmatched(self, mutants: Iterable[Mutant]) -> list[Key]:
        """Answers to none of all these mutants."""
        there = {mutant.key for mutant in mutants}
        return sorted(key for key in self.reasons if key not in there)

    def refuted(self, outcomes: Mapping[Mutant, Outcome], *, timeouts: bool = True) -> list[Mutant]:
        """Mutants that are answered for, and were noticed after all.

        Args:
            outcomes: what became of the mutants that were tried.
            timeouts: whether tests that did not end count; a busy machine makes such as well.
        """
        silent = {Outcome.SURVIVED} if timeouts else {Outcome.SURVIVED, Outcome.TIMEOUT}
        return sorted(
            mutant
            for mutant, outcome in outcomes.items()
            if mutant.key in self.reasons and outcome not in silent
        )

    def unanswered(self, outcomes: Mapping[Mutant, Outcome]) -> list[Mutant]:
        """Survivors without an answer."""
        return sorted(
            mutant
            for mutant, outcome in outcomes.items()
            if outcome is Outcome.SURVIVED and mutant.key not in self.reasons
        )


def read_answers(path: Path, language: str) -> Answers:
    """Reads the answers about one engine.

    Raises:
        CannotTryError: the file is not as its head says.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CannotTryError(f"{path.name} cannot be read: {error}") from None
    reasons: dict[Key, str] = {}
    for entry in data.get(language, []):
        if set(entry) != {"file", "function", "changes", "reason"} or not entry["reason"].strip():
            raise CannotTryError(f"{path.name}: an entry needs file, function, changes and a reason: {entry}")
        for change in entry["changes"]:
            key = (entry["file"], entry["function"], change)
            if key in reasons:
                raise CannotTryError(f"{path.name} answers twice: {' '.join(key)}")
            reasons[key] = " ".join(entry["reason"].split())
    return Answers(reasons)
