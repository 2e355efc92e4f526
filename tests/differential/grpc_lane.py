"""The lane over real gRPC: the fake and the Rust bridge as processes, and the engine alone as the third.

One operation at a time, on both bridges at once; the next follows when everything has settled. What would be
a race, so that two outcomes were both right, is not done: see `RacyError`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any, TypeVar

from loom_testing.engine import Engine
from loom_testing.engine import inputs as i
from loom_testing.engine.outputs import Output
from tests.differential.bridge_there import BridgeThere, NamespaceThere
from tests.differential.divergence import Divergence
from tests.differential.observed import Observed
from tests.differential.operations import Case, Step
from tests.differential.processes import BridgeProcess, Processes
from tests.differential.reference import Reference

__all__ = ["GrpcLane"]

T = TypeVar("T")


class GrpcLane:
    """Plays operations on both bridges and on the engine alone.

    Args:
        processes: the bridges.
    """

    name = "grpc"

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._loop = asyncio.new_event_loop()
        self._names = itertools.count(1)
        self._bridges: dict[str, tuple[BridgeProcess, BridgeThere]] = {}
        self._there: dict[str, NamespaceThere] = {}
        self._case: Case
        self._reference: Reference

    def begin(self, case: Case) -> Engine:
        """A fresh namespace on each."""
        self._case = case
        self._reference = Reference(case.header)
        limits = {name: value for name, value in case.header.limits.items() if name != "message_bytes"}
        namespace = f"fuzz-{next(self._names)}"

        async def begin_all() -> None:
            bridges = {name: await self._bridge(name) for name in self._processes.names}
            begun = [bridge.begin(namespace, case.header, limits) for bridge in bridges.values()]
            self._there = dict(zip(bridges, await asyncio.gather(*begun), strict=True))

        self._wait(begin_all())
        return self._reference.engine

    def play(self, step: Step) -> list[Output]:
        """Plays a step on each."""
        if not self._there or not self._reference.can_do(step):
            return []
        self._case.steps.append(step)
        expected = self._reference.play(step)
        observed = {"engine": expected, **self._wait(self._play_there(step))}
        if any(each.at != expected.at for each in observed.values()):
            raise Divergence(self._case, {name: each.told() for name, each in observed.items()})
        if isinstance(step.does, i.Reset):
            self._wait(self._forget())
        return self._reference.outputs

    def end(self) -> None:
        """Ends the namespace as a test does."""
        self._wait(self._forget())

    def close(self) -> None:
        """Ends the connections."""

        async def close_all() -> None:
            await self._forget()
            for _, bridge in self._bridges.values():
                await bridge.close()

        self._wait(close_all())
        self._loop.close()

    def unread(self) -> list[int]:
        """The streams on which something waits to be read."""
        return self._reference.unread()

    async def _bridge(self, name: str) -> BridgeThere:
        process = self._processes.get(name)
        known = self._bridges.get(name)
        if known is not None and known[0] is process:
            return known[1]
        if known is not None:
            await known[1].close()
        bridge = BridgeThere(process.address)
        self._bridges[name] = (process, bridge)
        return bridge

    async def _play_there(self, step: Step) -> dict[str, Observed]:
        played = await asyncio.gather(*(there.play(step) for there in self._there.values()))
        observed = dict(zip(self._there, played, strict=True))
        for name, (process, _) in self._bridges.items():
            if not process.lives:
                observed[name].add("process", process.death())
        return observed

    async def _forget(self) -> None:
        there, self._there = self._there, {}
        for name, namespace in there.items():
            await namespace.close()
            await self._bridges[name][1].forget(namespace)

    def _wait(self, what: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(what)
