"""The budget of time that calls inherit: across awaits, tasks, threads, and agents.

A handler of a request, and a capability, run under the deadline of who waits for them. Every call made
inside, however deep, gets what is left of it at the most.
"""

from __future__ import annotations

import contextlib
import math
from contextvars import ContextVar
from typing import TYPE_CHECKING

from loom.errors import DeadlineExceeded, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom.clock import Clock

__all__ = ["DEFAULT_TIMEOUT_S", "budget", "inherit", "remaining"]

DEFAULT_TIMEOUT_S = 30.0
"""Nothing waits for ever: a call that names no time-out has this one."""

MICRO_DIGITS = 6
"""Time is counted in whole microseconds: what is left does not depend on how sums are rounded."""

_deadline: ContextVar[tuple[Clock, float] | None] = ContextVar("loom_deadline", default=None)


def remaining() -> float | None:
    """Seconds left of the inherited budget, never below 0; None without one."""
    deadline = _deadline.get()
    if deadline is None:
        return None
    clock, when = deadline
    return max(0.0, round(when - clock.now(), MICRO_DIGITS))


def budget(timeout: float | None, what: str) -> float:
    """Seconds that a call may take: its own time-out, and no more than what is left.

    Args:
        timeout: what the caller said; None for the default, 30 s.
        what: how errors call it, such as `the request to paper.review`.

    Raises:
        DeadlineExceeded: nothing is left.
        InvalidInput: the time-out is not a number of seconds above 0.
    """
    if timeout is not None and not (_is_number(timeout) and timeout > 0 and math.isfinite(timeout)):
        raise InvalidInput(f"the timeout of {what} is {timeout!r}: give seconds above 0, or None for 30")
    wanted = DEFAULT_TIMEOUT_S if timeout is None else timeout
    left = remaining()
    if left is None:
        return wanted
    if left <= 0:
        raise DeadlineExceeded(f"no time is left for {what}: who asked for it waits no longer")
    return min(wanted, left)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@contextlib.contextmanager
def inherit(seconds: float | None, clock: Clock) -> Iterator[None]:
    """Runs the block with so many seconds of a clock; None leaves it without a budget."""
    token = _deadline.set(None if seconds is None else (clock, clock.now() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)
