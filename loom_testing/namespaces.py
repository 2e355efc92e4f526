"""The namespaces of a bridge, by name: each a world of its own, with its own driver.

A namespace is made on first use. One that nobody uses any more is removed after a while; one with a virtual
clock is kept longer, since only its test knows when it is over, and should reset it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from loom_testing.clock import RealClock, VirtualClock
from loom_testing.driver import Driver, Refused
from loom_testing.engine.inputs import Reset
from loom_testing.engine.text import quote
from loom_testing.engine.topics import agent_id_problem
from loom_testing.watch import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loom_testing.engine.limits import Limits
    from loom_testing.watch import Watcher

__all__ = ["BRIDGE_LIMITS", "Namespaces"]

BRIDGE_LIMITS = frozenset({"namespaces", "connection_streams", "message_bytes"})
"""Limits that hold for the bridge as a whole; a namespace cannot have its own."""

log = logging.getLogger("loom_testing.bridge")

IDLE_SECONDS = 60.0
"""A namespace on the real clock is removed when it was empty for so long (protocol, section 2)."""
ABANDONED_SECONDS = 600.0
"""A namespace on a virtual clock is removed when no client was there for so long."""


class Namespaces:
    """A map from names to drivers."""

    def __init__(
        self,
        limits: Limits,
        *,
        idle_seconds: float = IDLE_SECONDS,
        abandoned_seconds: float = ABANDONED_SECONDS,
    ) -> None:
        self.limits = limits
        self._idle_seconds = idle_seconds
        self._abandoned_seconds = abandoned_seconds
        self._loop = asyncio.get_running_loop()
        self._drivers: dict[str, Driver] = {}
        self._watchers: set[Watcher] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._last_used = self._loop.time()
        self._closing = False

    def __iter__(self) -> Iterator[Driver]:
        return iter(list(self._drivers.values()))

    def __len__(self) -> int:
        return len(self._drivers)

    def get(self, name: str) -> Driver:
        """The namespace of that name, made if need be.

        Raises:
            Refused: the name is malformed, there are too many, or the bridge is about to stop.
        """
        driver = self._drivers.get(name)
        return driver if driver is not None else self.create(name)

    def find(self, name: str) -> Driver:
        """The namespace of that name.

        Raises:
            Refused: NOT_FOUND.
        """
        driver = self._drivers.get(name)
        if driver is None:
            raise Refused(
                "NOT_FOUND", f"there is no namespace {quote(name)}; it begins with its first agent or call"
            )
        return driver

    def create(
        self,
        name: str,
        *,
        virtual: bool = False,
        liveness: bool | None = None,
        limits: Limits | None = None,
        keeps: bool = False,
    ) -> Driver:
        """Makes a namespace; see `create_all`."""
        (driver,) = self.create_all([name], virtual=virtual, liveness=liveness, limits=limits, keeps=keeps)
        return driver

    def create_all(
        self,
        names: Sequence[str],
        *,
        virtual: bool = False,
        liveness: bool | None = None,
        limits: Limits | None = None,
        keeps: bool = False,
    ) -> list[Driver]:
        """Makes namespaces that are alike: all, or none.

        Args:
            names: their names, by the rules of an agent id.
            virtual: whether their clocks move only by `Driver.advance`.
            liveness: whether silent peers are taken for dead (SES-7); by default on a real clock only.
            limits: what each takes at the most; by default what the bridge takes.
            keeps: whether their last steps are kept for watchers that come later.

        Raises:
            Refused: one exists already; a name is malformed; there are too many; the bridge is about to stop.
        """
        self._check_new(names)
        drivers = []
        for name in names:
            clock = VirtualClock() if virtual else RealClock()
            driver = Driver(
                name, clock, limits or self.limits, liveness=not virtual if liveness is None else liveness
            )
            driver.kept = Kept() if keeps else None
            self._drivers[name] = driver
            self._attach_watchers(driver)
            drivers.append(driver)
        self._arm_sweeper()
        return drivers

    def _check_new(self, names: Sequence[str]) -> None:
        seen: set[str] = set()
        for name in names:
            problem = agent_id_problem(name)
            if problem:
                raise Refused("INVALID_ARGUMENT", f"namespace {quote(name)} {problem}")
            if name in seen:
                raise Refused("INVALID_ARGUMENT", f"namespace {quote(name)} is named twice")
            if name in self._drivers:
                raise Refused("ALREADY_EXISTS", f"there is a namespace {quote(name)} already; reset it first")
            seen.add(name)
        if self._closing:
            raise Refused("UNAVAILABLE", "the bridge is about to stop; connect again in a moment")
        if len(self._drivers) + len(names) > self.limits.namespaces:
            raise Refused(
                "RESOURCE_EXHAUSTED",
                f"the bridge has {len(self)} namespaces and takes {self.limits.namespaces} at the most; "
                "reset those that are over, or raise its limit of namespaces",
            )

    def reset(self, *names: str) -> None:
        """Ends every session and call of namespaces and forgets them (CTL-4).

        Raises:
            Refused: NOT_FOUND, of the first that does not exist; those that do are forgotten.
        """
        missing = [name for name in names if name not in self._drivers]
        for name in names:
            driver = self._drivers.get(name)
            if driver is not None:
                driver.touched = self._loop.time()
                driver.feed(Reset())
                self._remove(driver, "the namespace was reset")
        for name in missing:
            self.find(name)  # refuses

    def _remove(self, driver: Driver, message: str) -> None:
        del self._drivers[driver.name]
        self._last_used = max(self._last_used, driver.touched)
        driver.close(message)
        for watcher in self._watchers:
            if watcher.namespace == driver.name:
                watcher.finish()

    # Watching.

    def watch(self, watcher: Watcher, *, kept: bool = False) -> None:
        """From now on the watcher is told of every step of its namespace, or of all.

        Args:
            watcher: the watcher.
            kept: whether it is told first what was kept.

        Raises:
            Refused: NOT_FOUND, or the bridge is about to stop.
        """
        if self._closing:
            raise Refused("UNAVAILABLE", "the bridge is about to stop")
        if watcher.namespace:
            self.find(watcher.namespace)
        self._watchers.add(watcher)
        for driver in self:
            if kept and driver.kept is not None and watcher.namespace in ("", driver.name):
                driver.kept.tell(driver.name, watcher)
            self._attach_watchers(driver)

    def unwatch(self, watcher: Watcher) -> None:
        """The watcher is told no more."""
        self._watchers.discard(watcher)
        for driver in self:
            self._attach_watchers(driver)

    def _attach_watchers(self, driver: Driver) -> None:
        watchers = tuple(w for w in self._watchers if w.namespace in ("", driver.name))

        def tell(line: str) -> None:
            for watcher in watchers:
                watcher.tell(driver.name, line)

        driver.watch = tell if watchers else None

    # Removal of what nobody uses.

    def seconds_unused(self) -> float:
        """For how long no client has had a stream or a call open; 0 while one has."""
        for driver in self._drivers.values():
            if driver.busy:
                return 0.0
            self._last_used = max(self._last_used, driver.touched)
        return self._loop.time() - self._last_used

    def _arm_sweeper(self) -> None:
        if self._sweeper is None and self._drivers and not self._closing:
            every = min(self._idle_seconds, self._abandoned_seconds) / 12
            self._sweeper = self._loop.call_later(every, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        now = self._loop.time()
        for driver in self:
            quiet = now - driver.touched
            if driver.busy:
                continue
            if driver.virtual:
                over = quiet >= self._abandoned_seconds
            else:
                over = quiet >= self._idle_seconds and driver.engine.is_idle
            if over:
                self._remove(driver, "the namespace was not used any more")
        self._arm_sweeper()

    # The end.

    async def drain(self, grace: float) -> None:
        """Takes nothing new, and lets what is open finish within `grace` seconds (LIM-3)."""
        self._closing = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        if self._drivers:
            done = await asyncio.gather(*(driver.drain(grace) for driver in self), return_exceptions=True)
            for problem in done:
                if problem is not None:
                    log.error("a namespace could not be drained", exc_info=problem)

    def close(self) -> None:
        """Ends what is still open, and every watch."""
        self._closing = True
        for driver in self:
            self._remove(driver, "the bridge stopped")
        for watcher in self._watchers:
            watcher.finish()
