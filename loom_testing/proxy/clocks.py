"""The clocks of the namespaces behind a proxy, by which faults delay: real, or a test's (CTL-2)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from loom_testing.proxy.joint import JointClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.proxy.dialling import Dial

__all__ = ["Clocks", "LaneClock", "RealClock", "Waiting"]

MICROS = 1_000_000
NANOS_PER_MICRO = 1_000


class Waiting(Protocol):
    """Something that will be done at a time."""

    def cancel(self) -> object:
        """It will not be done."""


class LaneClock(Protocol):
    """A clock by which messages wait."""

    @property
    def is_virtual(self) -> bool:
        """Whether it moves only when all that goes by it is settled."""

    def now(self) -> int:
        """The time, microseconds of any beginning."""

    def call_at(self, when: int, owner: str, act: Callable[[], object]) -> Waiting:
        """Does something at a time; `owner` orders what is due at the same one."""


class RealClock:
    """The monotonic clock."""

    is_virtual = False

    def now(self) -> int:
        """The time, microseconds of any beginning."""
        return time.monotonic_ns() // NANOS_PER_MICRO

    def call_at(self, when: int, owner: str, act: Callable[[], object]) -> Waiting:
        """Does something at a time."""
        return asyncio.get_running_loop().call_later(max(0, when - self.now()) / MICROS, act)


class Clocks:
    """The clock of each namespace: real, until somebody says that it is a test's.

    Args:
        dial: opens a connection to the bridge.
        passed: told how many seconds a test's clock has moved.
    """

    def __init__(self, dial: Dial, passed: Callable[[float], object]) -> None:
        self._dial = dial
        self._passed = passed
        self._real = RealClock()
        self._joint: dict[str, JointClock] = {}

    def of(self, namespace: str) -> LaneClock:
        """The clock by which this namespace's messages wait."""
        clock = self._joint.get(namespace)
        return self._real if clock is None or not clock.now() else clock

    def joint(self, namespace: str) -> JointClock:
        """The clock of a namespace that is a test's. It is joined from now on."""
        clock = self._joint.get(namespace)
        if clock is None:
            clock = self._joint[namespace] = JointClock(namespace, self._dial, self._passed, self._over)
            clock.start()
        return clock

    def joint_now(self, namespace: str) -> int:
        """The time of a test's clock, microseconds; 0 until it is known."""
        clock = self._joint.get(namespace)
        return 0 if clock is None else clock.now()

    async def join_again(self) -> None:
        """The bridge is another: all join there.

        Raises:
            ConnectionError: it lets one of them not.
        """
        await asyncio.gather(*(clock.join_again() for clock in self._joint.values()))

    def _over(self, clock: JointClock) -> None:
        """A clock is of no use any more: its namespace has ended, or is none of a test's."""
        for namespace in [name for name, each in self._joint.items() if each is clock]:
            del self._joint[namespace]

    async def close(self) -> None:
        """Nobody takes part any more."""
        clocks, self._joint = list(self._joint.values()), {}
        await asyncio.gather(*(clock.close() for clock in clocks))
