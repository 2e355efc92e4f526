"""What can go wrong in a test that is not the code under test: one line each, with what to do.

HarnessError
├── BridgeChoiceError     no such kind of bridge, or it cannot be had
├── BridgeDiedError       the bridge ended while it was needed; its log's end follows
├── NoControlError        the bridge was not started for testing
└── WrongPlaceError       called where it cannot work: sync in a coroutine, or the other way round

AssertionError
├── ExpectationError      a probe was not given what it expected
└── HangError             the test did not end in time
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = [
    "BridgeChoiceError",
    "BridgeDiedError",
    "ExpectationError",
    "HangError",
    "HarnessError",
    "NoControlError",
    "WrongPlaceError",
    "speaks_for_itself",
]


class HarnessError(Exception):
    """Something is wrong with the bridge of a test, or with how the test uses it."""


class BridgeChoiceError(HarnessError):
    """No such kind of bridge, or it cannot be had here."""


class BridgeDiedError(HarnessError):
    """The bridge ended while a test needed it; the end of its log follows."""


class NoControlError(HarnessError):
    """The bridge was not started for testing: its clock cannot be moved, nor its state be seen (CTL)."""


class WrongPlaceError(HarnessError):
    """Called where it cannot work: without an event loop, or on the one it would have to wait for."""


class ExpectationError(AssertionError):
    """A probe was not given what it expected; the text says what came instead."""


class HangError(AssertionError):
    """The test did not end in time; the text says what it was waiting for."""


def speaks_for_itself(caught: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether a traceback may end at the test's own line: the error says all that there is to say.

    A module that has it as `__tracebackhide__` is left out of such tracebacks by pytest.
    """
    return isinstance(caught.value, HarnessError | ExpectationError | HangError)
