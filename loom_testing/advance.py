"""Moving a namespace's virtual clock: one deadline fires, everything settles, the next fires (CTL-2, CTL-3).

Deadlines are the engine's and the participants', in the order of their times; of equal ones the engine's
comes first. Everybody knows the time before anything happens at it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from loom_testing.engine.inputs import Tick

if TYPE_CHECKING:
    from loom_testing.clock import VirtualClock
    from loom_testing.engine import Engine
    from loom_testing.engine.inputs import Input
    from loom_testing.participants import Participants

__all__ = ["MOST_DEADLINES", "PATIENCE_S", "Advance", "Bystanders", "NotSettled", "TooManyDeadlines"]

PATIENCE_S = 10.0
"""How long participants are waited for at each deadline, seconds of real time."""
MOST_DEADLINES = 100_000
"""How many deadlines one advance may fire."""


class TooManyDeadlines(Exception):  # noqa: N818 - named after what happened, as the others
    """An advance was stopped on its way because too much fired; the clock stands where it was stopped."""


class NotSettled(Exception):  # noqa: N818 - named after what happened
    """A participant did not come to rest; the text says which, and the clock stands where it was stopped."""


class Bystanders(Exception):  # noqa: N818 - named after what happened
    """Agents are connected that take no part in the clock; the text names them."""


class Namespace(Protocol):
    """What is advanced."""

    engine: Engine
    participants: Participants

    def feed(self, came_in: Input) -> None:
        """Lets the engine handle an input."""

    async def flush(self) -> None:
        """Waits until every stream has written what it holds."""

    def bystanders(self) -> list[str]:
        """The agents that take no part in the clock."""


class Advance:
    """Moves one namespace's clock. What is asked for meanwhile waits its turn."""

    def __init__(self, namespace: Namespace, clock: VirtualClock) -> None:
        self._namespace = namespace
        self._participants = namespace.participants
        self._clock = clock
        self._turn = asyncio.Lock()

    async def by(self, micros: int, patience: float = PATIENCE_S) -> int:
        """Moves so many microseconds. Answers how many deadlines fired.

        Args:
            micros: how far.
            patience: how long participants are waited for at each deadline, seconds.

        Raises:
            TooManyDeadlines, NotSettled: as they say.
        """
        async with self._turn:
            with self._participants.watched(self._clock):
                await self._settle(patience)
                target = self._clock.now() + micros
                fired = 0
                while (moment := self._next()) is not None and moment <= target:
                    if fired == MOST_DEADLINES:
                        raise TooManyDeadlines
                    await self._fire(moment, patience)
                    fired += 1
                await self._move_to(target, patience)
        return fired

    async def jump(self, patience: float = PATIENCE_S) -> None:
        """Waits until all is settled and a participant awaits a time, then fires what comes next.

        Raises:
            Bystanders: an agent takes no part, so that nobody knows whether it is idle.
            NotSettled: a participant did not come to rest afterwards.
        """
        with self._participants.watched(self._clock):
            while True:
                while self._participants.problem() or self._participants.awaited() is None:
                    await self._participants.change()
                async with self._turn:
                    moment = self._next()
                    if self._participants.problem() or self._participants.awaited() is None or moment is None:
                        continue
                    apart = self._namespace.bystanders()
                    if apart:
                        raise Bystanders(", ".join(apart))
                    await self._fire(moment, patience)
                    return

    def _next(self) -> int | None:
        """The next deadline of all."""
        moments = (self._namespace.engine.next_deadline(), self._participants.next_deadline())
        return min((moment for moment in moments if moment is not None), default=None)

    async def _fire(self, moment: int, patience: float) -> None:
        """Fires one deadline that is due at a moment, and settles."""
        engine = self._namespace.engine.next_deadline()
        of_engine = engine is not None and engine <= moment
        if of_engine or len(self._participants) > 1:
            await self._move_to(moment, patience)
        else:
            self._clock.move_to(moment)  # the one there is learns it with what it fires
        if of_engine:
            self._namespace.feed(Tick())
        else:
            self._participants.fire_next(self._clock.now())
        await self._settle(patience)

    async def _move_to(self, moment: int, patience: float) -> None:
        """Everybody knows the time, but nothing happens."""
        if moment > self._clock.now():
            self._clock.move_to(moment)
            if len(self._participants):
                self._participants.tell_all(moment)
                await self._settle(patience)

    async def _settle(self, patience: float) -> None:
        """Waits until all that is due is written, all participants are idle and nothing is under way."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while True:
            await self._namespace.flush()
            problem = self._participants.problem()
            if not problem:
                return
            try:
                async with asyncio.timeout_at(until):
                    await self._participants.change()
            except TimeoutError:
                raise NotSettled(problem) from None
