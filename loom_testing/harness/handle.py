"""`LoomBridge`: a namespace of its own on a bridge, as a test holds it."""

from __future__ import annotations

import contextlib
import functools
import itertools
import weakref
from os import PathLike
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from loom.errors import LoomError
from loom.threads import run_in_thread
from loom_testing.faults import Faults
from loom_testing.harness.beside import Beside
from loom_testing.harness.blocking import SyncLoomBridge
from loom_testing.harness.clock import PATIENCE_S, LoomClock
from loom_testing.harness.control import NamespaceOptions, Snapshot
from loom_testing.harness.errors import BridgeDiedError, HarnessError, speaks_for_itself
from loom_testing.harness.joined import JOIN_S, wait_joined
from loom_testing.harness.lives import BridgeLife
from loom_testing.harness.namespace import CALL_S, Namespace
from loom_testing.harness.own import OwnHost
from loom_testing.harness.probe import DEFAULT_TIMEOUT_S, Probe
from loom_testing.harness.running import DEFAULT_GRACE_S, Running, check_agents, check_loop
from loom_testing.harness.stub import Stub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from loom.agent import Agent
    from loom.endpoint import Endpoint
    from loom_testing.harness.host import Host
    from loom_testing.harness.standin import StandIn
    from loom_testing.transcript import Redaction, Transcript

__all__ = ["LoomBridge"]

__tracebackhide__ = speaks_for_itself

A = TypeVar("A", bound="Agent")
P = ParamSpec("P")
R = TypeVar("R")


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
        clock: its clock.
        timeout: seconds of real time that a probe's expectations wait.
        about: what its transcripts are called; in a test the test's name.

    Args:
        host: the bridge.
        options: what the namespace is like.
        timeout: seconds of real time that a probe's expectations wait.
        faults: whether a proxy stands between, so that faults can be injected.
        seed: of the chance of faults.

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
        faults: bool = False,
        seed: int = 0,
    ) -> None:
        self.host = host
        self.timeout = timeout
        self.about = ""
        options = options or NamespaceOptions()
        self.space = Namespace(host, options, proxied=faults or isinstance(host, OwnHost), seed=seed)
        if isinstance(host, OwnHost) and self.space.proxy is not None:
            host.moved, host.tells = self.space.proxy.retarget, self.space.tell_of
            host.until_lost = self.space.proxy.until_lost
        self.clock = LoomClock(self.space, self._clock_stuck)
        self._numbers = itertools.count(1)
        self._beside = Beside(self.space.group)
        self._probes: weakref.WeakSet[Probe] = weakref.WeakSet()
        if options.auto:
            try:
                self.clock.start_auto()
            except HarnessError:
                self.close()
                raise

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
    def faults(self) -> Faults:
        """What can go wrong between the bridge and its agents, message by message; see `Faults`.

        Raises:
            HarnessError: the test's agents are connected to the bridge itself.
        """
        if self.space.proxy is None:
            raise HarnessError(
                "this test's agents are connected to the bridge itself, where nothing can be injected: "
                "add @pytest.mark.loom(faults=True) to the test"
            )
        return Faults(self.space.proxy.rules)

    @property
    def process(self) -> BridgeLife:
        """The bridge's own process, to be killed, frozen and started anew; see `BridgeLife`.

        Raises:
            HarnessError: the test shares its bridge with others.
        """
        return BridgeLife(self.space)

    @property
    def sync(self) -> SyncLoomBridge:
        """The same bridge for plain tests: no `await`, and agents that live in a thread beside the test."""
        if self.clock.is_auto:
            self._beside.hold()
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
        check_agents(agents)
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
        probe = Probe(
            self.endpoint,
            self.host,
            id,
            subscribe=subscribe,
            observe=observe,
            offers=offers,
            timeout=self.timeout if timeout is None else timeout,
        )
        self._probes.add(probe)
        return probe

    def stub_capability(self, capability: str, *, version: str = "") -> Stub:
        """A capability that answers by a script, offered inside its `async with`.

            async with loom_bridge.stub_capability("llm.complete").returns("a summary") as llm:
                ...

        Args:
            capability: its name.
            version: its version.
        """
        return Stub(self.endpoint, self.host, capability, version=version, timeout=self.timeout)

    def scripted(
        self, transcript: Transcript | str | Path, agent: str, *, ignore: Sequence[str] = ()
    ) -> StandIn:
        """A stand-in for an agent that says what it said when a transcript was recorded.

            async with loom_bridge.scripted("order.jsonl", agent="prices"):
                ...

        It registers as the agent did, under its id. To the calls and events that the agent was given it
        gives the results and events that the agent gave, with the ids of now. A call or an event to which
        the agent had never to say something fails the test at the end of the block.

        Args:
            transcript: what was recorded, or the file.
            agent: its id; of `writer:3f9a01bc` the name is enough.
            ignore: names in payloads whose values may be others than when it was recorded.

        Raises:
            TranscriptError: no such agent was recorded, or the file is no transcript.
        """
        from loom_testing.harness.standin import StandIn
        from loom_testing.transcript import Transcript, load
        from loom_testing.transcript.role import Role

        if not isinstance(transcript, Transcript | str | PathLike):
            raise HarnessError(f"scripted({transcript!r:.80}): give a transcript, or the path of one")
        recorded = transcript if isinstance(transcript, Transcript) else load(transcript)
        ignore = [ignore] if isinstance(ignore, str) else ignore
        return StandIn(self.endpoint, self.host, Role.of(recorded, agent), ignore=ignore)

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
        call = functools.partial(
            self.space.call_from_loop, version=version, timeout=timeout, into=into, raw=raw
        )
        try:
            if not self.space.virtual:
                return await call(capability, arguments, **kwargs)
            async with self.space.group.calling(timeout) as traffic:
                return await call(capability, arguments, metadata=traffic.metadata, **kwargs)
        except LoomError:
            self.clock.check()  # where the clock stands still against its word, that is what went wrong
            raise

    # Time and state.

    def advance(self, seconds: float, *, patience: float = PATIENCE_S) -> Awaitable[int]:
        """Moves the namespace's clock; await it. What falls due fires in order (CTL-2, CTL-3).

        That is what the bridge times (times to live, calls' deadlines, lapses, idempotency windows) and what
        the agents time through Loom (time-outs of requests, calls and barriers, back-off, `ctx.sleep`). After
        each deadline everything settles before the next one fires: messages have arrived, handlers have ended
        or wait for the bridge or for time. What takes real time in a handler is waited for.

        Args:
            seconds: how far, from 0; 0 fires what is due now.
            patience: how long agents may be busy at each deadline, seconds of real time.

        Returns:
            How many deadlines fired.

        Raises:
            HarnessError: an agent did not come to rest, and which; the clock is real
                (`@pytest.mark.loom(clock="real")`); or the seconds are no number.
            NoControlError: the bridge was not started for testing.
        """
        # Not a coroutine function: a plain test that forgets `.sync` is told at once.
        return self.clock.advance(seconds, patience=patience)

    def settle(self, *, patience: float = PATIENCE_S) -> Awaitable[None]:
        """Waits until everything is idle and nothing is under way; await it. Time stands still meanwhile.

        What is to happen without time passing has happened then: `expect_none(within=0)` needs no waiting.

        Args:
            patience: how long agents may be busy, seconds of real time.

        Raises:
            HarnessError, NoControlError: as `advance`.
        """
        return self.clock.settle(patience=patience)

    def snapshot(self) -> Awaitable[Snapshot]:
        """What the namespace holds: agents, subscriptions, queues, open calls, counters (CTL-1); await it.

        Raises:
            NoControlError: the bridge was not started for testing.
        """
        check_loop("loom_bridge.snapshot")
        return self._held(self.space.snapshot)

    def joined(self, *agents: str, timeout: float = JOIN_S) -> Awaitable[None]:
        """Waits until agents are connected, by their ids; await it.

        Agents that the test runs are, inside their `with`. Those in processes of their own come when they
        come, and after a restart of the bridge all of them come back after their back-off.

        Args:
            agents: their ids.
            timeout: seconds of real time.

        Raises:
            HarnessError: some are not, in that time, and which.
            NoControlError: the bridge was not started for testing.
        """
        check_loop("loom_bridge.joined")
        return run_in_thread(wait_joined, self.space, agents, timeout)

    def disconnect(self, agent_id: str) -> Awaitable[None]:
        """Breaks an agent's connection without a word, as a cut cable does (CTL-4); await it.

        Raises:
            HarnessError: there is no such agent.
            NoControlError: the bridge was not started for testing.
        """
        check_loop("loom_bridge.disconnect")
        return self._held(self.space.disconnect, agent_id)

    def transcript(self, *, redaction: Redaction | None = None) -> Awaitable[Transcript]:
        """What has crossed the bridge so far, as a `loom_testing.transcript.Transcript`; await it.

        The same run gives the same transcript on every bridge, apart from what `comparable()` leaves out.

        Args:
            redaction: what is secret, besides what always is.

        Raises:
            NoControlError: the bridge was not started for testing.
        """
        check_loop("loom_bridge.transcript")
        return self._transcript(redaction)

    async def _transcript(self, redaction: Redaction | None) -> Transcript:
        from loom_testing.harness.transcribing import SETTLE_S, transcript_of

        if self.space.proxy is not None and self.space.virtual and not self.clock.is_auto:
            with contextlib.suppress(HarnessError, LoomError):  # what is under way belongs to it
                await self.settle(patience=SETTLE_S)
        return await self._held(
            functools.partial(transcript_of, self.space, about=self.about, redaction=redaction)
        )

    def end_beside(self) -> None:
        """Ends the threads beside the test: where agents of a plain test live, and that of the clock."""
        self.clock.stop_auto()
        self._beside.close()

    def close(self, *, at_once: bool = True) -> None:
        """Ends the namespace and everything in it.

        Args:
            at_once: without it a namespace that holds nothing any more may be ended with others, later.

        Raises:
            BridgeDiedError: the bridge ended while the test ran.
            HarnessError: the clock could not move by itself, and nobody waited who was told.
        """
        try:
            self.end_beside()
        finally:
            self.space.close()
            self.host.release(self.namespace, at_once=at_once)
            if isinstance(self.host, OwnHost):
                self.host.close()
        if self.host.death:
            raise BridgeDiedError(self.host.death)
        self.clock.check(once=True)

    async def _held(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        with self.space.held():
            return await run_in_thread(function, *args, **kwargs)

    def _clock_stuck(self, problem: HarnessError) -> None:
        """The clock can no longer move by itself: who waits is told. Runs in the clock's thread."""
        for probe in list(self._probes):
            probe.fail(problem)
