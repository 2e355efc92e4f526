"""What can be wrong with faults: one line each, with what to do."""

from __future__ import annotations

from loom_testing.harness.errors import HarnessError

__all__ = ["FaultError", "UnfiredError"]


class FaultError(HarnessError):
    """A fault asks for what cannot be, or contradicts another; the text says what to write instead."""


class UnfiredError(HarnessError):
    """A fault never fired, so that the test has shown nothing about it."""
