"""What a probe has received, in order; who looks for something there can wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from loom_testing.harness.difference import describe_event, describe_miss
from loom_testing.harness.errors import ExpectationError, speaks_for_itself

if TYPE_CHECKING:
    from loom.event import Event
    from loom_testing.harness.expected import Expected

__all__ = ["Record"]

__tracebackhide__ = speaks_for_itself


class Record:
    """Events in the order of their arrival. Each is given out once.

    Attributes:
        events: all of them.

    Args:
        owner: whose record it is, for errors.
    """

    def __init__(self, owner: str) -> None:
        self.events: list[Event] = []
        self._owner = owner
        self._open: list[Event] = []
        self._changed = asyncio.Event()
        self._failure: Exception | None = None

    def add(self, event: Event) -> None:
        """An event arrived."""
        self.events.append(event)
        self._open.append(event)
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """Nothing more will arrive: who waits is told why."""
        self._failure = self._failure or error
        self._changed.set()

    async def wait_for(self, expected: Expected, timeout: float) -> Event:
        """Gives out the oldest event that fits and was not given out yet, as soon as there is one.

        Args:
            expected: which.
            timeout: seconds of real time to wait.

        Raises:
            ExpectationError: none came in time; the text says what did.
            Exception: what `fail` was told.
        """
        event = await self._first(expected, timeout)
        if event is None:
            given_out = len(self.events) - len(self._open)
            raise ExpectationError(
                f"{self._owner} expected {expected}, and no such event came within {timeout:g} s\n"
                + describe_miss(expected, self._open, given_out)
            )
        self._open.remove(event)
        return event

    async def none_within(self, expected: Expected, within: float) -> None:
        """Waits so many seconds of real time, and sees that nothing fits that was not given out yet.

        Raises:
            ExpectationError: something did.
            Exception: what `fail` was told.
        """
        event = await self._first(expected, within)
        if event is not None:
            raise ExpectationError(
                f"{self._owner} expected no {expected}, and one came\n  {describe_event(event)}"
            )

    async def _first(self, expected: Expected, timeout: float) -> Event | None:
        """The oldest open event that fits; None where none came in time."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for event in self._open:
                        if not expected.misfits(event):
                            return event
                    if self._failure is not None:
                        raise self._failure
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None
