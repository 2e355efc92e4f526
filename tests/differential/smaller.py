"""Makes a case that shows a difference as small as it gets, after Hypothesis has done what it can.

Hypothesis shrinks what was drawn, which is thorough and slow: it gets some seconds. Then steps are left out
that the difference does not need, and what is left is made plain: no limits, no waiting, empty texts and
lists.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from loom_testing.engine.trace import Header
from tests.differential.divergence import Divergence
from tests.differential.operations import Case, Step

__all__ = ["Shows", "make_smaller"]

Shows = Callable[[Case], Divergence | None]
"""Plays a case; the difference that it shows."""


def make_smaller(found: Divergence, shows: Shows, seconds: float) -> Divergence:
    """A smaller case of a difference, at most after so many seconds.

    Args:
        found: the difference.
        shows: plays a case.
        seconds: how long to try.
    """
    return _Smaller(found, shows, time.monotonic() + seconds).run()


class _Smaller:
    def __init__(self, found: Divergence, shows: Shows, until: float) -> None:
        self._best = found
        self._shows = shows
        self._until = until

    def run(self) -> Divergence:
        size = -1
        while size != len(self._best.case.text()) and not self._is_over():
            size = len(self._best.case.text())
            self._leave_out_steps()
            self._make_plain()
        return self._best

    def _is_over(self) -> bool:
        return time.monotonic() > self._until

    def _try(self, header: Header, steps: list[Step]) -> bool:
        """Takes what is tried for the best so far, if it shows a difference."""
        if self._is_over():
            return False
        shown = self._shows(Case(self._best.case.lane, header, steps))
        if shown is None:
            return False
        self._best = shown
        return True

    def _leave_out_steps(self) -> None:
        """Halves, quarters, down to single steps."""
        size = len(self._best.case.steps) // 2
        while size:
            place = 0
            while place < len(steps := self._best.case.steps):
                if not self._try(self._best.case.header, steps[:place] + steps[place + size :]):
                    place += size
            size //= 2

    def _make_plain(self) -> None:
        header = self._best.case.header
        for plain in _plain_headers(header):
            self._try(plain, self._best.case.steps)
        self._hurry()
        place = 0
        while place < len(self._best.case.steps):
            step = self._best.case.steps[place]
            for plain in _plainer(step.does):
                steps = self._best.case.steps
                if self._try(
                    self._best.case.header, [*steps[:place], Step(step.at, plain), *steps[place + 1 :]]
                ):
                    break
            else:
                place += 1

    def _hurry(self) -> None:
        """Leaves out the time before each step."""
        place = 1
        while place < len(steps := self._best.case.steps):
            by = steps[place].at - steps[place - 1].at
            if by:
                rest = [Step(step.at - by, step.does) for step in steps[place:]]
                self._try(self._best.case.header, [*steps[:place], *rest])
            place += 1


def _plain_headers(header: Header) -> Iterator[Header]:
    yield Header(header.created, header.limits, False)
    for name in header.limits:
        if name != "message_bytes":  # the bridges were started with it
            yield Header(
                header.created, {k: v for k, v in header.limits.items() if k != name}, header.liveness
            )


def _plainer(value: Any) -> Iterator[Any]:
    """The same with less in it, the plainest first."""
    if is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            now, plain = getattr(value, item.name), _default(item)
            if now == plain:
                continue
            if plain is not MISSING:
                yield replace(value, **{item.name: plain})
            yield from (replace(value, **{item.name: less}) for less in _plainer(now))
    elif isinstance(value, list):
        yield from (value[:place] + value[place + 1 :] for place in range(len(value)))
        for place, item in enumerate(value):
            yield from ([*value[:place], less, *value[place + 1 :]] for less in _plainer(item))
    elif isinstance(value, dict):
        yield from ({k: v for k, v in value.items() if k != key} for key in value)
    elif isinstance(value, bytes) and value:
        yield from (value[:size] for size in (0, len(value) // 2, len(value) - 1))


def _default(item: Any) -> Any:
    return item.default_factory() if item.default_factory is not MISSING else item.default
