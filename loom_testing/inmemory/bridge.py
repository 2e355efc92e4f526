"""`InMemoryBridge`: the fake bridge in a thread of this process, reached at `memory:NAME`."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections import namedtuple
from typing import TYPE_CHECKING, Any

from loom import inmemory
from loom_testing.control import CONTROL, ControlService
from loom_testing.engine.limits import Limits
from loom_testing.health import Health
from loom_testing.inmemory.channel import InMemoryChannel
from loom_testing.inmemory.line import post
from loom_testing.inmemory.serving import Serving
from loom_testing.inmemory.sync_channel import SyncInMemoryChannel
from loom_testing.namespaces import Namespaces
from loom_testing.server import ACTION_BROKER, BRIDGE, BridgeService

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    import grpc
    import grpc.aio

    from loom_testing.inmemory.serving import Client

__all__ = ["InMemoryBridge"]

_NUMBERS = itertools.count(1)
_Asked = namedtuple("_Asked", "method invocation_metadata")
PREFIX = "loom-in-memory"


class InMemoryBridge:
    """A fake bridge for the threads and event loops of this process, with the testing control.

    Attributes:
        address: where it is found, `memory:NAME`.

    Args:
        limits: what it takes at the most.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.address = f"{inmemory.SCHEME}{os.getpid()}-{next(_NUMBERS)}"
        self._limits = limits or Limits()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._serving: set[Serving] = set()
        self._handlers: list[grpc.GenericRpcHandler] = []
        self._methods: dict[str, grpc.RpcMethodHandler[Any, Any] | None] = {}
        self._namespaces: Namespaces | None = None

    def start(self) -> None:
        """Begins to serve."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=PREFIX, daemon=True)
        self._thread.start()
        self._wait(self._begin())
        inmemory.register(self.address, self)

    def stop(self) -> None:
        """Ends every call and its thread. Stopping what is stopped does nothing."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        inmemory.forget(self.address)
        self._wait(self._end())
        self._loop = self._thread = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    # As `loom.inmemory.InMemory`.

    def channel(self) -> grpc.aio.Channel:
        """A channel for the running event loop."""
        return InMemoryChannel(self)

    def sync_channel(self) -> grpc.Channel:
        """A channel for threads."""
        return SyncInMemoryChannel(self)

    # For channels, from any thread.

    def post(self, act: Callable[..., object], *args: object) -> bool:
        """Has the bridge's thread do something soon. Answers whether there is one."""
        loop = self._loop
        return loop is not None and post(loop, act, *args)

    def call_later(self, seconds: float, act: Callable[[], object]) -> None:
        """Does something later; on the bridge's thread."""
        asyncio.get_running_loop().call_later(seconds, act)

    def serve(self, method: str, metadata: Sequence[tuple[str, str | bytes]], client: Client) -> Serving:
        """Begins to serve a call; on the bridge's thread."""
        limit = self._limits.message_bytes
        serving = Serving(self._found(method), metadata, client, limit, self._serving.discard)
        self._serving.add(serving)
        return serving

    def _found(self, method: str) -> grpc.RpcMethodHandler[Any, Any] | None:
        if method not in self._methods:
            asked: Any = _Asked(method, ())
            answers = (handler.service(asked) for handler in self._handlers)
            self._methods[method] = next((answer for answer in answers if answer is not None), None)
        return self._methods[method]

    async def _begin(self) -> None:
        self._namespaces = Namespaces(self._limits)
        self._handlers = [
            *BridgeService(self._namespaces).handlers(),
            *ControlService(self._namespaces).handlers(),
            *Health([BRIDGE, ACTION_BROKER, CONTROL]).handlers(),
        ]

    async def _end(self) -> None:
        assert self._namespaces is not None
        self._namespaces.close()
        serving = list(self._serving)
        for call in serving:
            call.stop()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.wait(tasks, timeout=1) if tasks else None

    def _wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
