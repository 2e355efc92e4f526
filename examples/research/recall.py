"""Which earlier questions have to do with this one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from examples.research.text import terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.research.events import Earlier

__all__ = ["alike", "is_same"]

_ENOUGH = 0.34  # of the words of the shorter question


def is_same(one: str, other: str) -> bool:
    """Whether two questions have the same words, in whatever form and order."""
    return set(terms(one)) == set(terms(other))


def alike(question: str, earlier: Sequence[Earlier], most: int = 5) -> list[Earlier]:
    """The earlier questions that share words with this one, the closest first; of the same, the newest."""
    newest = {frozenset(terms(one.text)): one for one in earlier}
    own = set(terms(question))
    ranked = sorted(newest.items(), key=lambda item: (-_shared(own, item[0]), item[1].text))
    return [one for stems, one in ranked if _shared(own, stems) >= _ENOUGH][:most]


def _shared(own: set[str], other: frozenset[str]) -> float:
    return len(own & other) / (min(len(own), len(other)) or 1)
