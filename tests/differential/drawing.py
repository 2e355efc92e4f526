"""How the fuzzer draws: evenly, and many small choices at little cost.

Hypothesis by itself prefers small numbers and likes to repeat itself, which suits values whose edges matter.
Here a number says which rule and which value comes next, and all of them matter alike; so a case that did
everything by small numbers would ask for snapshots all day. Shrinking is Hypothesis's own, whoever drew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.strategies import SearchStrategy

__all__ = ["EVEN", "EvenProvider", "among", "made_of", "mostly", "seldom", "short"]

EVEN = "loom-even"
"""The name for `settings(backend=...)`."""
SWARM = (0, 254)
"""The range from which Hypothesis draws how many of a case's rules are switched off, of 255."""


class EvenProvider(HypothesisProvider):
    """Draws numbers evenly, and leaves all rules on in half of the cases."""

    def draw_integer(
        self, min_value: int | None = None, max_value: int | None = None, **constraints: Any
    ) -> int:
        """A number between the two, all alike."""
        random = self._random
        if random is None or min_value is None or max_value is None:
            return super().draw_integer(min_value, max_value, **constraints)
        if (min_value, max_value) == SWARM:
            return random.choice((0, 0, 0, 30, 60, 120))
        return random.randint(min_value, max_value)


AVAILABLE_PROVIDERS[EVEN] = EvenProvider


def mostly(good: Sequence[Any], bad: Sequence[Any], often: int = 60) -> tuple[Any, ...]:
    """Values to choose from: the good ones, and about once in `often` times a bad one."""
    return (*(tuple(good) * -(-often * len(bad) // len(good))), *bad)


class _MadeOf(SearchStrategy[Any]):
    """What `made_of` gives. A strategy for each part would cost Hypothesis five times as much."""

    def __init__(self, make: Callable[..., Any], parts: tuple[Sequence[Any], ...]) -> None:
        super().__init__()
        self._make = make
        self._parts = parts

    def __repr__(self) -> str:
        return "made_of(...)"

    def do_draw(self, data: Any) -> Any:
        return self._make(*[part[data.draw_integer(0, len(part) - 1)] for part in self._parts])


def made_of(make: Callable[..., Any], *parts: Sequence[Any]) -> SearchStrategy[Any]:
    """What `make` makes of one value out of each part; the first ones are the simplest."""
    return _MadeOf(make, parts)


def seldom(usual: Any, others: Sequence[Any], often: int) -> SearchStrategy[Any]:
    """The usual value, and about once in `often` times each of the others."""
    return made_of(lambda value: value, mostly([usual], others, often))


class _Among(SearchStrategy[Any]):
    """What `among` gives."""

    def __init__(self, what: str, otherwise: Sequence[Any]) -> None:
        super().__init__()
        self._what = what
        self._otherwise = otherwise

    def __repr__(self) -> str:
        return f"among({self._what!r})"

    def do_draw(self, data: Any) -> Any:
        known = getattr(data.hypothesis_runner.world, self._what) or self._otherwise
        return known[data.draw_integer(0, len(known) - 1)]


def among(what: str, otherwise: Sequence[Any] = ()) -> SearchStrategy[Any]:
    """One of those that the running machine's world knows now; one of the others if there is none."""
    return _Among(what, otherwise)


def short(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """The same, written out in a word, since Hypothesis writes a rule's strategies out at each step."""
    return st.deferred(lambda: strategy)
