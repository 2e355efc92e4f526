"""A difference between the bridges, told so that a reader sees it at once."""

from __future__ import annotations

from collections.abc import Mapping

from tests.differential.operations import Case, describe

__all__ = ["Divergence", "Told", "tell_apart"]

Told = Mapping[str, list[str]]
"""What somebody observed in one step: at each place (a stream, a call, the answer) lines in order."""

MOST_STEPS = 60
"""How many steps of a case are shown."""
LONGEST = 200
"""How many characters of a line."""
BEFORE = 40
"""How many of what all begin with alike."""
ELLIPSIS = "..."


class Divergence(AssertionError):  # noqa: N818 - it is a finding, named after what was found
    """Two of those compared differ.

    Attributes:
        case: what was done, up to and with the step that shows it.
        told: what each observed in that step, by their names.
    """

    def __init__(self, case: Case, told: Mapping[str, Told]) -> None:
        super().__init__()
        self.case = case
        self.told = told

    def __str__(self) -> str:
        return "\n".join([*self._steps(), "", *tell_apart(self.told)])

    def _steps(self) -> list[str]:
        start = self.case.header.created
        lines = []
        for number, step in enumerate(self.case.steps, 1):
            mark = ">" if number == len(self.case.steps) else " "
            lines.append(f"{mark} {number:3}  {_seconds(step.at - start):>10}  {describe(step.does)}")
        left_out = len(lines) - MOST_STEPS
        if left_out > 0:
            lines[: left_out + 1] = [f"       ... {left_out + 1} steps before"]
        header = self.case.header
        limits = ", ".join(f"{name}={value}" for name, value in sorted(header.limits.items())) or "defaults"
        liveness = "on" if header.liveness else "off"
        return [f"lane {self.case.lane}; limits: {limits}; liveness {liveness}", *lines]


def _seconds(micros: int) -> str:
    whole, part = divmod(micros, 1_000_000)
    return f"{whole}.{part:06}".rstrip("0").rstrip(".") + " s"


def tell_apart(told: Mapping[str, Told]) -> list[str]:
    """The places where not all observed the same, from the first line that differs on."""
    lines = []
    for place in sorted({place for each in told.values() for place in each}):
        seen = {name: list(each.get(place, [])) for name, each in told.items()}
        if len({tuple(each) for each in seen.values()}) == 1:
            continue
        lines.append(f"{place}:")
        width = max(map(len, seen))
        common = _common(list(seen.values()))
        rests = {
            name: each[common:] or ["(nothing more)" if each else "(nothing)"] for name, each in seen.items()
        }
        start = _common([list(rest[0]) for rest in rests.values()])
        for name, rest in rests.items():
            lines.append(f"    {name:{width}}  {_cut(rest[0], start)}")
            lines += [f"    {'':{width}}  {_cut(line)}" for line in rest[1:]]
    return lines


def _common(each: list[list[str]]) -> int:
    """With how many lines, or letters, all begin alike."""
    count = 0
    for lines in zip(*each, strict=False):
        if len(set(lines)) > 1:
            break
        count += 1
    return count


def _cut(line: str, start: int = 0) -> str:
    """A long line without what all begin with alike, but for some words, and without its end."""
    if start > BEFORE + len(ELLIPSIS) and len(line) > LONGEST:
        line = ELLIPSIS + line[start - BEFORE :]
    return line if len(line) <= LONGEST else line[: LONGEST - len(ELLIPSIS)] + ELLIPSIS
