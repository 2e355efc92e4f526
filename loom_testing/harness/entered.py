"""`Entered`: what lives inside its `async with`, and does nothing without: a test that forgot it is told."""

from __future__ import annotations

from typing import NoReturn

from loom_testing.harness.errors import WrongPlaceError, speaks_for_itself
from loom_testing.harness.forgotten import expect_entered, was_entered

__all__ = ["Entered", "refuse_plain_with"]

__tracebackhide__ = speaks_for_itself


class Entered:
    """Something that a test enters.

    Attributes:
        made_by: how a test gets one, as in `loom_bridge.probe('p')`.
    """

    made_by = ""

    def _awaits_entering(self, made_by: str) -> None:
        """From now on it is to be entered, by the test that runs now. The last of what makes it."""
        self.made_by = made_by
        expect_entered(self, made_by)

    def note_entered(self) -> None:
        """Somebody wrote the `with`, or was told that it is missing."""
        was_entered(self)

    def __enter__(self) -> NoReturn:
        self.note_entered()
        refuse_plain_with(self.made_by)

    def __exit__(self, *exc: object) -> None:
        """Never reached: `__enter__` refuses."""


def refuse_plain_with(made_by: str) -> NoReturn:
    """Says what to write instead of `with loom_bridge.run(...)`.

    Raises:
        WrongPlaceError: always.
    """
    in_plain = made_by.replace("loom_bridge.", "loom_bridge.sync.", 1)
    raise WrongPlaceError(f"{made_by} needs `async with`; in a plain test: with {in_plain}")
