"""The same for plain tests: `loom_bridge.sync`, its probes and its agents, without `await`.

Agents and probes live on an event loop in a thread beside the test (`Beside`); the test's own thread waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from loom_testing.harness.beside import refuse_coroutine
from loom_testing.harness.clock import PATIENCE_S, SyncLoomClock
from loom_testing.harness.errors import speaks_for_itself
from loom_testing.harness.expected import UNSET
from loom_testing.harness.joined import JOIN_S, wait_joined
from loom_testing.harness.lives import SyncBridgeLife
from loom_testing.harness.namespace import CALL_S
from loom_testing.harness.probe import NONE_WITHIN_S
from loom_testing.harness.running import DEFAULT_GRACE_S
from loom_testing.harness.script import Script

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from loom.agent import Agent
    from loom.endpoint import Endpoint
    from loom.event import Event
    from loom_testing.faults import Faults
    from loom_testing.harness.beside import Beside
    from loom_testing.harness.control import Snapshot
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.probe import Probe
    from loom_testing.harness.running import Running
    from loom_testing.harness.seen import Calls, SeenCall
    from loom_testing.harness.standin import StandIn
    from loom_testing.harness.steps import Step
    from loom_testing.harness.stub import Stub
    from loom_testing.transcript import Redaction, Transcript

__all__ = ["SyncLoomBridge", "SyncProbe", "SyncRunning", "SyncStandIn", "SyncStub"]

__tracebackhide__ = speaks_for_itself

A = TypeVar("A", bound="Agent")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


class SyncRunning(Generic[T_co]):
    """Agents that run beside the test, inside its `with`; see `Running`."""

    def __init__(self, running: Running[T_co], beside: Beside) -> None:
        self._running = running
        self._beside = beside

    def __enter__(self) -> T_co:
        self._running.note_entered()
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
        self._probe.note_entered()
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
    def calls(self) -> Calls:
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

    def expect_in_order(self, *steps: Step, timeout: float | None = None) -> list[Event]:
        """Waits for several events, in this order; see `Probe.expect_in_order`."""
        return self._beside.wait_for(self._probe.expect_in_order(*steps, timeout=timeout))

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


class SyncStub(Script):
    """A stub in a plain test, offered inside its `with`; see `Stub`."""

    def __init__(self, stub: Stub, beside: Beside) -> None:
        super().__init__(f"the stub of {stub.capability}")
        self._stub = stub
        self._beside = beside

    def __repr__(self) -> str:
        return repr(self._stub)

    def __enter__(self) -> Self:
        self._stub.follow(self)
        self._stub.note_entered()
        self._beside.wait_for(self._stub.__aenter__())
        return self

    def __exit__(self, *exc: object) -> None:
        self._beside.wait_for(self._stub.__aexit__(*exc))

    @property
    def seen(self) -> Calls:
        """Every call so far, in order."""
        return self._stub.seen

    def called(self, timeout: float | None = None, **arguments: Any) -> SeenCall:
        """Waits for a call; see `Stub.called`."""
        return self._beside.wait_for(self._stub.called(timeout, **arguments))


class SyncStandIn:
    """A stand-in in a plain test, inside its `with`; see `StandIn`."""

    def __init__(self, stand_in: StandIn, beside: Beside) -> None:
        self._stand_in = stand_in
        self._beside = beside

    def __repr__(self) -> str:
        return repr(self._stand_in)

    def __enter__(self) -> Self:
        self._stand_in.note_entered()
        self._beside.wait_for(self._stand_in.__aenter__())
        return self

    def __exit__(self, *exc: Any) -> None:
        self._beside.wait_for(self._stand_in.__aexit__(*exc))

    @property
    def agent_id(self) -> str:
        """The agent's id."""
        return self._stand_in.agent_id

    @property
    def unheard(self) -> list[str]:
        """What it has not heard yet; see `StandIn.unheard`."""
        return self._stand_in.unheard


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

    def stub_capability(self, capability: str, *, version: str = "") -> SyncStub:
        """A capability that answers by a script; see `LoomBridge.stub_capability`."""
        stub = self._bridge.stub_capability(capability, version=version)
        return SyncStub(stub, self._beside)

    def scripted(
        self, transcript: Transcript | str | Path, agent: str, *, ignore: Sequence[str] = ()
    ) -> SyncStandIn:
        """A stand-in for an agent, from a transcript; see `LoomBridge.scripted`."""
        return SyncStandIn(self._bridge.scripted(transcript, agent, ignore=ignore), self._beside)

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
        options = {"version": version, "timeout": timeout, "into": into, "raw": raw}
        if self.clock.is_auto:  # there it takes part in the clock
            return self._beside.wait_for(self._bridge.call(capability, arguments, **options, **kwargs))
        refuse_coroutine()
        return self._bridge.space.call(capability, arguments, **options, **kwargs)

    @property
    def clock(self) -> SyncLoomClock:
        """The namespace's clock; see `LoomClock`."""
        return SyncLoomClock(self._bridge.clock, self._beside)

    @property
    def faults(self) -> Faults:
        """What can go wrong between the bridge and its agents; see `LoomBridge.faults`."""
        return self._bridge.faults

    @property
    def process(self) -> SyncBridgeLife:
        """The bridge's own process; see `BridgeLife`."""
        return SyncBridgeLife(self._bridge.process)

    def advance(self, seconds: float, *, patience: float = PATIENCE_S) -> int:
        """Moves the namespace's clock; see `LoomBridge.advance`."""
        return self.clock.advance(seconds, patience=patience)

    def settle(self, *, patience: float = PATIENCE_S) -> None:
        """Waits until everything is idle; see `LoomBridge.settle`."""
        self.clock.settle(patience=patience)

    def joined(self, *agents: str, timeout: float = JOIN_S) -> None:
        """Waits until agents are connected; see `LoomBridge.joined`."""
        refuse_coroutine()
        wait_joined(self._bridge.space, agents, timeout)

    def snapshot(self) -> Snapshot:
        """What the namespace holds; see `LoomBridge.snapshot`."""
        refuse_coroutine()
        return self._bridge.space.snapshot()

    def transcript(self, *, redaction: Redaction | None = None) -> Transcript:
        """What has crossed the bridge so far; see `LoomBridge.transcript`."""
        return self._beside.wait_for(_awaited(lambda: self._bridge.transcript(redaction=redaction)))

    def disconnect(self, agent_id: str) -> None:
        """Breaks an agent's connection; see `LoomBridge.disconnect`."""
        refuse_coroutine()
        self._bridge.space.disconnect(agent_id)


async def _awaited(make: Callable[[], Awaitable[R]]) -> R:
    return await make()
