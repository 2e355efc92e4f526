"""`ThreadedProxy`: a proxy in a thread beside the test, so that it goes on while the test waits."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from loom_testing.faults.rules import Rules
from loom_testing.proxy.proxy import Proxy
from loom_testing.transcript.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from loom.endpoint import Endpoint
    from loom_testing.transcript import Redaction, Transcript

__all__ = ["ThreadedProxy"]

T = TypeVar("T")


class ThreadedProxy:
    """A proxy in front of one bridge, in a thread of its own with an event loop of its own.

    There is no gRPC in that thread, only HTTP/2: several event loops of grpc.aio in one process disturb each
    other.

    Attributes:
        rules: the faults in force.
        recorder: what has crossed.
        address: where it listens.

    Args:
        bridge: where the bridge is.
        seed: of chance.
        virtual: whether the namespace's clock is a test's.

    Raises:
        ConfigError: a TLS file of the bridge's cannot be read.
    """

    def __init__(self, bridge: Endpoint, *, seed: int = 0, virtual: bool = False) -> None:
        self.rules = Rules(seed)
        self.recorder = Recorder(virtual=virtual, names={bridge.namespace: "namespace"})
        self._namespace = bridge.namespace
        self._virtual = virtual
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loom-proxy", daemon=True)
        self._proxy = Proxy(bridge, rules=self.rules, recorder=self.recorder)
        if virtual:
            self.recorder.clock = self._now
        self._thread.start()
        try:
            self._wait(self._begin())
        except BaseException:
            self.close()
            raise
        self.address = self._proxy.address
        self.rules.shell = self

    def close(self) -> None:
        """Stops it, and its thread."""
        if not self._thread.is_alive():
            return
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def retarget(self, bridge: Endpoint) -> None:
        """The bridge is elsewhere now."""
        self._wait(self._proxy.retarget(bridge))

    def until_lost(self) -> None:
        """Waits until every connection to a bridge that was killed is over, and told of.

        Raises:
            TimeoutError: some stand after all.
        """
        self._wait(self._proxy.until_lost())

    def transcript(self, about: str = "", redaction: Redaction | None = None) -> Transcript:
        """What has crossed so far."""
        self.recorder.about = about
        if redaction is not None:
            self.recorder.redaction = redaction
        return self.recorder.transcript()

    # `faults.rules.Shell`, from any thread.

    def cut(self, agent: str) -> int:
        """Breaks an agent's connections, or all of them; answers how many."""
        return self._call(lambda: self._proxy.cut(agent))

    def stall(self, agent: str, fault: int) -> int:
        """Stops an agent's connections, or all of them; answers how many."""
        return self._call(lambda: self._proxy.stall(agent, fault))

    def let_go(self, fault: int) -> None:
        """What this fault holds back goes on."""
        self._call(lambda: self._proxy.let_go(fault))

    async def _end(self) -> None:
        await self._proxy.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:  # those of participants, which end with their connections
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _begin(self) -> None:
        if self._virtual:
            joint = self._proxy.clocks.joint(self._namespace)
            joint.is_kept = True
            await joint.joined()
            self.recorder.begin()
        await self._proxy.start()

    def _now(self) -> int:
        return self._proxy.clocks.joint_now(self._namespace)

    def _call(self, act: Callable[[], T]) -> T:
        async def acted() -> T:
            return act()

        return self._wait(acted())

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
