"""The same for plain tests: `loom_bridge.sync`, its probes and its agents, without `await`.

Agents and probes live on an event loop in a thread beside the test; the test's own thread waits for it. The
thread begins with the first that needs it and ends with the test, so that no two event loops of a run are
alive at once (grpc.aio shares one queue among all of a process).
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from loom_testing.harness.errors import (
    ExpectationError,
    HarnessError,
    WrongPlaceError,
    speaks_for_itself,
)
from loom_testing.harness.expected import UNSET
from loom_testing.harness.namespace import CALL_S
from loom_testing.harness.probe import NONE_WITHIN_S
from loom_testing.harness.running import DEFAULT_GRACE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from loom.agent import Agent
    from loom.endpoint import Endpoint
    from loom.event import Event
    from loom_testing.harness.control import Snapshot
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.probe import Probe
    from loom_testing.harness.running import Running
    from loom_testing.harness.scripted import SeenCall

__all__ = ["Beside", "SyncLoomBridge", "SyncProbe", "SyncRunning"]

__tracebackhide__ = speaks_for_itself

A = TypeVar("A", bound="Agent")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Beside:
    """An event loop in a thread of its own, from the first coroutine it is given until `close`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs the coroutine there and waits for it.

        Raises:
            WrongPlaceError: called on an event loop, which would stand still meanwhile.
            Exception: whatever the coroutine raises.
        """
        try:
            refuse_coroutine()
        except WrongPlaceError:
            coroutine.close()
            raise
        future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        try:
            return future.result()
        except (HarnessError, ExpectationError) as error:
            raise error.with_traceback(None) from error.__cause__
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Cancels what still runs there, and ends the thread."""
        if self._loop is None or self._stop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop = None

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            ready = threading.Event()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._live(ready)), name="loom-beside-the-test", daemon=True
            )
            self._thread.start()
            ready.wait()
        assert self._loop is not None
        return self._loop

    async def _live(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        ready.set()
        await self._stop.wait()


def refuse_coroutine() -> None:
    """Refuses to block where an event loop runs, which would stand still meanwhile.

    Raises:
        WrongPlaceError: one does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise WrongPlaceError(
        "loom_bridge.sync was used in a coroutine, where it would stop the event loop: "
        "leave out .sync, and await"
    )


class SyncRunning(Generic[T_co]):
    """Agents that run beside the test, inside its `with`; see `Running`."""

    def __init__(self, running: Running[T_co], beside: Beside) -> None:
        self._running = running
        self._beside = beside

    def __enter__(self) -> T_co:
        return self._beside.wait_for(self._running.__aenter__())

    def __exit__(self, *exc: object) -> None:
        self._beside.wait_for(self._running.__aexit__(None, None, None))


class SyncProbe:
    """A scripted agent, connected inside its `with`; see `Probe` for each method."""

    def __init__(self, probe: Probe, beside: Beside) -> None:
        self._probe = probe
        self._beside = beside

    def __repr__(self) -> str:
        return f"SyncProbe({self.agent_id!r})"

    def __enter__(self) -> Self:
        self._beside.wait_for(self._probe.__aenter__())
        return self

    def __exit__(self, *exc: object) -> None:
        self._beside.wait_for(self._probe.__aexit__(None, None, None))

    @property
    def agent_id(self) -> str:
        """The probe's own id."""
        return self._probe.agent_id

    @property
    def events(self) -> list[Event]:
        """Every event it has received so far; see `Probe.events`."""
        return self._probe.events

    @property
    def calls(self) -> list[SeenCall]:
        """Every call of what it offers so far; see `Probe.calls`."""
        return self._probe.calls

    def emit(
        self,
        topic: str,
        payload: Any = None,
        *,
        type: str | None = None,
        thread_id: str | None = None,
        ttl: float | None = None,
        reply_to: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> int:
        """Publishes an event; see `Probe.emit`."""
        return self._beside.wait_for(
            self._probe.emit(
                topic, payload, type=type, thread_id=thread_id, ttl=ttl, reply_to=reply_to, metadata=metadata
            )
        )

    def expect(
        self,
        topic: str = ">",
        payload: Any = UNSET,
        *,
        type: str | None = None,
        sender: str | None = None,
        where: Callable[[Event], object] | None = None,
        timeout: float | None = None,
        **fields: Any,
    ) -> Event:
        """Waits for an event; see `Probe.expect`."""
        return self._beside.wait_for(
            self._probe.expect(
                topic, payload, type=type, sender=sender, where=where, timeout=timeout, **fields
            )
        )

    def expect_none(
        self,
        topic: str = ">",
        payload: Any = UNSET,
        *,
        type: str | None = None,
        sender: str | None = None,
        where: Callable[[Event], object] | None = None,
        within: float = NONE_WITHIN_S,
        **fields: Any,
    ) -> None:
        """Sees that no such event comes; see `Probe.expect_none`."""
        self._beside.wait_for(
            self._probe.expect_none(
                topic, payload, type=type, sender=sender, where=where, within=within, **fields
            )
        )

    def request(
        self,
        topic: str,
        payload: Any = None,
        *,
        timeout: float | None = None,
        type: str | None = None,
        into: Any = None,
        raw: bool = False,
    ) -> Any:
        """Publishes an event and waits for a reply; see `Probe.request`."""
        return self._beside.wait_for(
            self._probe.request(topic, payload, timeout=timeout, type=type, into=into, raw=raw)
        )

    def reply(self, event: Event, payload: Any = None, *, type: str = "reply") -> int:
        """Answers a request that the probe received; see `Probe.reply`."""
        return self._beside.wait_for(self._probe.reply(event, payload, type=type))

    def call(
        self,
        capability: str,
        arguments: Any = None,
        /,
        *,
        version: str = "",
        timeout: float | None = None,
        into: Any = None,
        raw: bool = False,
        call_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Calls a capability; see `Probe.call`."""
        options = {"version": version, "timeout": timeout, "into": into, "raw": raw, "call_id": call_id}
        return self._beside.wait_for(self._probe.call(capability, arguments, **options, **kwargs))

    def offer(self, name: Any, answer: Any = None, *, version: str = "") -> None:
        """Offers a capability, or changes its answer; see `Probe.offer`."""
        self._beside.wait_for(self._probe.offer(name, answer, version=version))


class SyncLoomBridge:
    """`LoomBridge` for plain tests: `loom_bridge.sync`. See there for each method.

        def test_summary(loom_bridge):
            bridge = loom_bridge.sync
            with bridge.run(researcher), bridge.probe() as probe:
                probe.emit("paper.submitted", Paper(text="..."))
                probe.expect("paper.summarized")

    Args:
        bridge: whose other face this is.
        beside: where its agents and probes live.
    """

    def __init__(self, bridge: LoomBridge, beside: Beside) -> None:
        self._bridge = bridge
        self._beside = beside

    def __repr__(self) -> str:
        return f"{self._bridge!r}.sync"

    @property
    def endpoint(self) -> Endpoint:
        """The bridge and the namespace."""
        return self._bridge.endpoint

    @property
    def address(self) -> str:
        """Where the bridge is, as `host:port`."""
        return self._bridge.address

    @property
    def namespace(self) -> str:
        """The namespace of this test."""
        return self._bridge.namespace

    @overload
    def run(self, agent: A, /, *, grace: float = ...) -> SyncRunning[A]: ...
    @overload
    def run(self, *agents: A, grace: float = ...) -> SyncRunning[tuple[A, ...]]: ...
    def run(self, *agents: A, grace: float = DEFAULT_GRACE_S) -> SyncRunning[A | tuple[A, ...]]:
        """Runs agents inside a `with`; see `LoomBridge.run`."""
        return SyncRunning(self._bridge.run(*agents, grace=grace), self._beside)

    def probe(
        self,
        id: str | None = None,  # noqa: A002 - as of an agent
        *,
        subscribe: Sequence[str] = (),
        observe: Sequence[str] = (">",),
        offers: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> SyncProbe:
        """A scripted agent, connected inside its `with`; see `LoomBridge.probe`."""
        probe = self._bridge.probe(id, subscribe=subscribe, observe=observe, offers=offers, timeout=timeout)
        return SyncProbe(probe, self._beside)

    def call(
        self,
        capability: str,
        arguments: Any = None,
        /,
        *,
        version: str = "",
        timeout: float = CALL_S,
        into: Any = None,
        raw: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Calls a capability as nobody in particular; see `LoomBridge.call`."""
        refuse_coroutine()
        return self._bridge.space.call(
            capability, arguments, version=version, timeout=timeout, into=into, raw=raw, **kwargs
        )

    def advance(self, seconds: float) -> int:
        """Moves the namespace's clock; see `LoomBridge.advance`."""
        refuse_coroutine()
        return self._bridge.space.advance(seconds)

    def snapshot(self) -> Snapshot:
        """What the namespace holds; see `LoomBridge.snapshot`."""
        refuse_coroutine()
        return self._bridge.space.snapshot()

    def disconnect(self, agent_id: str) -> None:
        """Breaks an agent's connection; see `LoomBridge.disconnect`."""
        refuse_coroutine()
        self._bridge.space.disconnect(agent_id)
