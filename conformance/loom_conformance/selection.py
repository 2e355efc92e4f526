"""Which clauses a run judges: by area, group or id, by level."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from loom_conformance.clauses import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance.clauses import Clause

__all__ = ["EmptySelectionError", "select"]


class EmptySelectionError(Exception):
    """A word selects nothing, so that nothing would be judged; the text suggests others."""


def select(clauses: Sequence[Clause], words: Sequence[str] = (), level: str = "MAY") -> list[Clause]:
    """The clauses of at least that level which one of the words names.

    Args:
        clauses: all of them.
        words: areas (`PUB`), groups (`PUB-3`) and ids (`PUB-3.1`), in any case; none: all.
        level: the weakest level.

    Raises:
        EmptySelectionError: a word names no clause, or nothing is left at that level.
    """
    named = clauses
    if words:
        wanted = [word.upper() for word in words]
        for word in wanted:
            if not any(_names(word, clause) for clause in clauses):
                raise EmptySelectionError(_unknown(word, clauses))
        named = [clause for clause in clauses if any(_names(word, clause) for word in wanted)]
    allowed = LEVELS[: LEVELS.index(level) + 1]
    left = [clause for clause in named if clause.level in allowed]
    if not left:
        raise EmptySelectionError(
            f"nothing is left to judge: no clause of {', '.join(words) or 'the suite'} has level {level}"
            f"{'' if level == 'MUST' else ' or a stronger one'}"
        )
    return left


def _names(word: str, clause: Clause) -> bool:
    return word in (clause.area, clause.group, clause.id)


def _unknown(word: str, clauses: Sequence[Clause]) -> str:
    names = list(dict.fromkeys(name for each in clauses for name in (each.area, each.group, each.id)))
    near = get_close_matches(word, names, n=3, cutoff=0.5)
    areas = list(dict.fromkeys(clause.area for clause in clauses))
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(areas)}"
    return f"no clause is named {word!r}: {hint} (`loom conformance list` shows all)"
