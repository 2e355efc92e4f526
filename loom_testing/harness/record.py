"""What a probe has received, in order; who looks for something there can wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from loom.topics import matches
from loom_testing.harness.difference import describe_event, describe_miss
from loom_testing.harness.errors import ExpectationError, speaks_for_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.event import Event
    from loom_testing.harness.expected import Expected

__all__ = ["Record"]

__tracebackhide__ = speaks_for_itself


class Record:
    """Events in the order of their arrival. Each is given out once.

    Attributes:
        events: all of them.
        said: the topics that the owner published on itself, which it does not hear.

    Args:
        owner: whose record it is, for errors.
    """

    def __init__(self, owner: str) -> None:
        self.events: list[Event] = []
        self.said: set[str] = set()
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
                + self._own_words(expected)
            )
        self._open.remove(event)
        return event

    async def in_order(self, steps: Sequence[Expected], timeout: float) -> list[Event]:
        """Gives out one event for each step, in the order of the steps, as soon as all are there.

        Others may come in between, and stay. The oldest that fit are taken.

        Args:
            steps: which.
            timeout: seconds of real time to wait for all of them.

        Raises:
            ExpectationError: they did not all come in time, or came in another order.
            Exception: what `fail` was told.
        """
        found: list[Event] = []
        try:
            async with asyncio.timeout(timeout):
                while len(found := self._sequence(steps)) < len(steps):
                    if self._failure is not None:
                        raise self._failure
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise ExpectationError(self._out_of_order(steps, found, timeout)) from None
        self._open = [event for event in self._open if not any(event is taken for taken in found)]
        return found

    def _sequence(self, steps: Sequence[Expected]) -> list[Event]:
        """The oldest open events that fit the first steps in their order."""
        found: list[Event] = []
        for event in self._open:
            if len(found) < len(steps) and not steps[len(found)].misfits(event):
                found.append(event)
        return found

    def _out_of_order(self, steps: Sequence[Expected], found: Sequence[Event], timeout: float) -> str:
        missing = steps[len(found)]
        head = f"{self._owner} expected {missing} as number {len(found) + 1} of {len(steps)}"
        came = [f"  {number}. {describe_event(event)}" for number, event in enumerate(found, 1)]
        early = next((event for event in self._open if not missing.misfits(event)), None)
        if early is not None and all(early is not event for event in found):
            why = f", but it came before number {len(found)}\n  too early: {describe_event(early)}"
            return "\n".join([head + why, *came])
        left = [event for event in self._open if all(event is not taken for taken in found)]
        given_out = len(self.events) - len(self._open)
        miss = describe_miss(missing, left, given_out) + self._own_words(missing)
        return "\n".join([f"{head}, and no such event came within {timeout:g} s", *came, miss])

    def _own_words(self, expected: Expected) -> str:
        """A hint where the owner waits for what it said itself."""
        own = sorted(topic for topic in self.said if matches(expected.topic, topic))
        if not own:
            return ""
        return f"\n  ({self._owner} published {', '.join(own[:3])} itself, and does not hear itself)"

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
