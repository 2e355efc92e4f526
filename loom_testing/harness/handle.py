"""`LoomBridge`: a namespace of its own on a bridge, as a test holds it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, TypeVar, overload

from loom.threads import run_in_thread
from loom_testing.harness.blocking import Beside, SyncLoomBridge
from loom_testing.harness.control import NamespaceOptions, Snapshot
from loom_testing.harness.errors import BridgeDiedError, HarnessError, speaks_for_itself
from loom_testing.harness.namespace import CALL_S, Namespace
from loom_testing.harness.probe import DEFAULT_TIMEOUT_S, Probe
from loom_testing.harness.running import DEFAULT_GRACE_S, Running, check_loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from loom.agent import Agent
    from loom.endpoint import Endpoint
    from loom_testing.harness.host import Host

__all__ = ["LoomBridge"]

__tracebackhide__ = speaks_for_itself

A = TypeVar("A", bound="Agent")


class LoomBridge:
    """A bridge of one's own: a fresh namespace, with a clock of its own.

        async def test_summary(loom_bridge):
            async with loom_bridge.run(researcher), loom_bridge.probe() as probe:
                await probe.emit("paper.submitted", Paper(text="..."))
                await probe.expect("paper.summarized")

    In a plain test `loom_bridge.sync` is the same without `await`. Agents in processes of their own find the
    bridge by `LOOM_BRIDGE_ADDR` and `LOOM_NAMESPACE`, which the fixture sets.

    Attributes:
        host: the bridge.
        space: the namespace, for threads.
        timeout: seconds of real time that a probe's expectations wait.

    Args:
        host: the bridge.
        options: what the namespace is like.
        timeout: seconds of real time that a probe's expectations wait.

    Raises:
        HarnessError: the bridge cannot give such a namespace.
        LoomError: the bridge cannot be reached.
    """

    def __init__(
        self,
        host: Host,
        options: NamespaceOptions | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self.host = host
        self.timeout = timeout
        self.space = Namespace(host, options or NamespaceOptions())
        self._numbers = itertools.count(1)
        self._beside = Beside()

    def __repr__(self) -> str:
        return f"LoomBridge({self.address!r}, namespace={self.namespace!r})"

    @property
    def endpoint(self) -> Endpoint:
        """The bridge and the namespace, for agents that a test starts itself."""
        return self.space.endpoint

    @property
    def address(self) -> str:
        """Where the bridge is, as `host:port`."""
        return self.endpoint.address

    @property
    def namespace(self) -> str:
        """The namespace of this test."""
        return self.endpoint.namespace

    @property
    def sync(self) -> SyncLoomBridge:
        """The same bridge for plain tests: no `await`, and agents that live in a thread beside the test."""
        return SyncLoomBridge(self, self._beside)

    # Agents and probes.

    @overload
    def run(self, agent: A, /, *, grace: float = ...) -> Running[A]: ...
    @overload
    def run(self, *agents: A, grace: float = ...) -> Running[tuple[A, ...]]: ...
    def run(self, *agents: A, grace: float = DEFAULT_GRACE_S) -> Running[A] | Running[tuple[A, ...]]:
        """Runs agents inside an `async with`, on this bridge whatever they were made for.

        They are started one after the other, and stopped in reverse.

        Args:
            agents: one or more.
            grace: seconds of real time that open work may take at the end.

        Raises:
            HarnessError: no agent was given.
            LoomError: from the `with`: an agent cannot start.
            BridgeDiedError: from the `with`: the bridge ended.
        """
        if not agents:
            raise HarnessError("run() was given no agent: loom_bridge.run(agent)")
        if len(agents) == 1:
            return Running(agents, agents[0], self.endpoint, self.host, grace)
        return Running(agents, agents, self.endpoint, self.host, grace)

    def probe(
        self,
        id: str | None = None,  # noqa: A002 - as of an agent
        *,
        subscribe: Sequence[str] = (),
        observe: Sequence[str] = (">",),
        offers: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Probe:
        """A scripted agent, connected inside its `async with`.

        Args:
            id: its agent id; None for `probe`, then `probe-2` and so on.
            subscribe: topics that it receives as an ordinary agent, counted by `emit` and `request`.
            observe: topics that it hears without being counted; everything unless told otherwise.
            offers: capabilities that it offers: name -> answer, as for `Probe.offer`.
            timeout: seconds of real time that its expectations wait; None for the test run's, 5.
        """
        if id is None:
            number = next(self._numbers)
            id = "probe" if number == 1 else f"probe-{number}"  # noqa: A001 - as of an agent
        return Probe(
            self.endpoint,
            self.host,
            id,
            subscribe=subscribe,
            observe=observe,
            offers=offers,
            timeout=self.timeout if timeout is None else timeout,
        )

    async def call(
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
        """Calls a capability as nobody in particular. The arguments are `Context.tool`'s.

        The quickest way to try one: it needs no probe.

        Raises:
            LoomError: as `Context.tool`.
            BridgeDiedError: the bridge ended.
        """
        return await run_in_thread(
            self.space.call,
            capability,
            arguments,
            version=version,
            timeout=timeout,
            into=into,
            raw=raw,
            **kwargs,
        )

    # Time and state.

    def advance(self, seconds: float) -> Awaitable[int]:
        """Moves the namespace's clock; await it. What falls due fires in order, each written before the next.

        The clock stands still otherwise: times to live, calls' time-outs at the bridge, lapses and
        idempotency windows pass only here (CTL-2). The agents' own timers are real.

        Args:
            seconds: how far, from 0; 0 fires what is due now.

        Returns:
            How many deadlines fired.

        Raises:
            HarnessError: the clock is real (`@pytest.mark.loom(clock="real")`), or the seconds are no number.
            NoControlError: the bridge was not started for testing.
        """
        # Not a coroutine function: a plain test that forgets `.sync` is told at once.
        check_loop("loom_bridge.advance")
        return run_in_thread(self.space.advance, seconds)

    def snapshot(self) -> Awaitable[Snapshot]:
        """What the namespace holds: agents, subscriptions, queues, open calls, counters (CTL-1); await it.

        Raises:
            NoControlError: the bridge was not started for testing.
        """
        check_loop("loom_bridge.snapshot")
        return run_in_thread(self.space.snapshot)

    def disconnect(self, agent_id: str) -> Awaitable[None]:
        """Breaks an agent's connection without a word, as a cut cable does (CTL-4); await it.

        Raises:
            HarnessError: there is no such agent.
            NoControlError: the bridge was not started for testing.
        """
        check_loop("loom_bridge.disconnect")
        return run_in_thread(self.space.disconnect, agent_id)

    def close(self) -> None:
        """Ends the namespace and everything in it.

        Raises:
            BridgeDiedError: the bridge ended while the test ran.
        """
        try:
            self._beside.close()
        finally:
            self.host.release(self.namespace)
        if self.host.death:
            raise BridgeDiedError(self.host.death)
