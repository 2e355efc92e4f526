"""The time of one agent, through which all its timers go: request time-outs, barriers, back-off, heartbeats.

It is real, at no cost, unless the bridge says that the namespace's clock is a test's (CTL-2). Then the agent
takes part in that clock (CTL-3): its timers fire when the test moves the time, and at no other moment.

What stays real either way: how long connecting, registering and saying goodbye may take, the grace of a
stop, gRPC's own keepalive, and whatever a user's code waits for without Loom.
"""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from loom.traffic import Traffic
from loom.work import resting

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from loom.participant import Participant
    from loom.timers import Timer

__all__ = ["Clock"]

T = TypeVar("T")

MICRO_DIGITS = 6


class Clock:
    """One agent's clock.

    Attributes:
        owner: the agent's id.
        participant: what takes part in the test's clock; None on real time.
    """

    __slots__ = ("_ahead", "_random", "owner", "participant")

    def __init__(self, owner: str = "") -> None:
        self.owner = owner
        self.participant: Participant | None = None
        self._ahead = 0.0
        self._random: random.Random | None = None

    @property
    def is_virtual(self) -> bool:
        """Whether it moves only when a test says so."""
        return self.participant is not None and not self.participant.is_lost

    @property
    def has_heartbeats(self) -> bool:
        """Whether silence of the bridge means anything; on a test's clock only where it asked for that."""
        return self.participant is None or self.participant.is_lost or self.participant.liveness

    def join(self, participant: Participant) -> None:
        """From now on its time is the participant's. It does not go back."""
        # Whole seconds, so that the same test computes with the same numbers each time.
        self._ahead = float(int(self.now() - participant.now()) + 1)
        self._random = random.Random(self.owner)  # noqa: S311 (jitter, not a secret)
        self.participant = participant

    def leave(self) -> None:
        """From now on its time is real."""
        self._ahead = self.now() - time.monotonic()
        self.participant = None

    def now(self) -> float:
        """Seconds that only go forward, since no moment in particular."""
        participant = self.participant
        if participant is None:
            return self._ahead + time.monotonic()
        return round(self._ahead + participant.now(), MICRO_DIGITS)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        """As `asyncio.timeout`: what takes longer inside is cancelled, and TimeoutError raised."""
        if self.participant is None or seconds is None or seconds <= 0:
            return asyncio.timeout(seconds)
        return _Timeout(self, self.participant, seconds)

    async def sleep(self, seconds: float, *, awaited: bool = True) -> None:
        """As `asyncio.sleep`.

        Args:
            seconds: how long.
            awaited: whether a test's clock that moves by itself goes on to its end.
        """
        if self.participant is None or seconds <= 0:
            await asyncio.sleep(seconds)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.participant.call_in(seconds, self.owner, partial(_wake, woken), awaited=awaited)
        try:
            with resting():
                await woken
        finally:
            timer.cancel()

    async def wait(
        self,
        futures: Iterable[asyncio.Future[T]],
        timeout: float,
        return_when: str = asyncio.ALL_COMPLETED,
    ) -> tuple[set[asyncio.Future[T]], set[asyncio.Future[T]]]:
        """As `asyncio.wait`: the futures that are done, and those that are not."""
        given = set(futures)
        try:
            async with self.timeout(timeout):
                return await asyncio.wait(given, return_when=return_when)
        except TimeoutError:
            done = {future for future in given if future.done()}
            return done, given - done

    def jitter(self) -> float:
        """A number from 0 to 1, to spread what would come at once; on a test's clock always the same ones."""
        if self.is_virtual and self._random:
            return self._random.random()
        return random.random()  # noqa: S311 - it spreads, it hides nothing

    def begin_call(self) -> Traffic:
        """A gRPC call begins."""
        return Traffic() if self.participant is None else self.participant.begin_call()

    def touch(self) -> None:
        """Work has ended, or something else that no message tells of."""
        if self.participant is not None:
            self.participant.touch()


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


class _Timeout:
    """`asyncio.timeout` on a test's clock."""

    def __init__(self, clock: Clock, participant: Participant, seconds: float) -> None:
        self._clock = clock
        self._participant = participant
        self._seconds = seconds
        self._inner: Any = asyncio.timeout(None)
        self._timer: Timer | None = None

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        self._timer = self._participant.call_in(self._seconds, self._clock.owner, self._expire)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self._timer is not None:
            self._timer.cancel()
        ended: bool | None = await self._inner.__aexit__(kind, error, trace)
        return ended

    def _expire(self) -> None:
        self._inner.reschedule(asyncio.get_running_loop().time())
