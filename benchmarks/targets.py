"""What we want of a row's figures, and whether they are so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measure import Figures

__all__ = ["Target", "Verdict", "judge"]

Figure = Literal["p50", "p99", "per_second"]

SHOWN: dict[Figure, str] = {"p50": "p50", "p99": "p99", "per_second": "rate"}


@dataclass(frozen=True, slots=True)
class Target:
    """One wish. Of `per_second` we want at least so much, of the others at most.

    Attributes:
        whose: the contestant that should reach it.
        figure: which of its figures.
        bound: milliseconds; or, beside another contestant, a multiple of its figure.
        beside: the other contestant; empty for an absolute bound.
    """

    whose: str
    figure: Figure
    bound: float
    beside: str = ""

    def __str__(self) -> str:
        most = "at least" if self.figure == "per_second" else "at most"
        bound = f"{self.bound:g} x {self.beside}" if self.beside else f"{self.bound:g} ms"
        return f"{self.whose}: {SHOWN[self.figure]} {most} {bound}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a target.

    Attributes:
        target: the target, in words.
        found: the figure, in words.
        met: whether it is reached; None where somebody did not take part.
    """

    target: str
    found: str
    met: bool | None


def judge(target: Target, figures: Sequence[Figures]) -> Verdict:
    """Compares a target with what was measured."""
    by_name = {one.name: one for one in figures}
    names = [target.whose, target.beside] if target.beside else [target.whose]
    away = [name for name in names if by_name[name].problem]
    if away:
        return Verdict(str(target), f"{away[0]} did not run", None)
    ours, *theirs = (float(getattr(by_name[name], target.figure)) for name in names)
    value = ours / theirs[0] if theirs else ours
    found = f"{value:.3g} x" if theirs else f"{value:.2f} ms"
    met = value >= target.bound if target.figure == "per_second" else value <= target.bound
    return Verdict(str(target), found, met)
