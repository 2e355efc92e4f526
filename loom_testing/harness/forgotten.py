"""What a test forgot to wait for: it would pass, and have tested nothing.

Python says of a coroutine that nobody awaited only in a warning. Here it is noted with the test's own line,
where the coroutine is one of Loom's.
"""

from __future__ import annotations

import linecache
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from loom_testing.harness.places import is_ours, is_own

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Forgotten", "expect_entered", "was_entered"]

DEPTH = 4
"""How far up from where a coroutine is made the test's own line is looked for."""
HOOK = "_warn_unawaited_coroutine"
"""Whom Python tells of a coroutine that is gone and was never awaited; in `warnings` since Python 3.7."""

_open: list[Forgotten] = []


class Forgotten:
    """Notes, inside its `with`, what this thread makes and nobody waits for.

    Attributes:
        noted: what that was, a line each.
        expected: what is to be entered and was not yet, by its identity, and how it was made.
    """

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.expected: dict[int, tuple[object, str]] = {}
        self._former: Callable[[Any], None] | None = None
        self._depth = 0

    def __enter__(self) -> Self:
        self._former = getattr(warnings, HOOK, None)
        if self._former is not None:
            setattr(warnings, HOOK, self._note)
        self._depth = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(max(self._depth, DEPTH))
        _open.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _open.remove(self)
        self.noted += [
            f"{what} did nothing: write `async with {what}:`, or in a plain test `with` and loom_bridge.sync"
            for _, what in self.expected.values()
        ]
        self.expected.clear()
        sys.set_coroutine_origin_tracking_depth(self._depth)
        if self._former is not None:
            setattr(warnings, HOOK, self._former)

    def _note(self, coroutine: Any) -> None:
        if is_ours(coroutine.cr_code.co_filename):
            own = next((made for made in coroutine.cr_origin or () if is_own(made[0])), None)
            if own is not None:
                file, number, _ = own
                said = linecache.getline(file, number).strip()
                self.noted.append(
                    f"{Path(file).name}:{number}: nobody waited for `{said}`: write `await` before the call, "
                    "or in a plain test use loom_bridge.sync"
                )
        if self._former is not None:
            self._former(coroutine)


def expect_entered(made: object, what: str) -> None:
    """Something was made for an `async with`, by the test that runs now, if any."""
    for forgotten in _open:
        forgotten.expected[id(made)] = made, what


def was_entered(made: object) -> None:
    """It was entered."""
    for forgotten in _open:
        forgotten.expected.pop(id(made), None)
