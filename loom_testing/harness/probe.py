"""`Probe`: a scripted agent in a test: it says something, and sees what the agents under test make of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Self

from loom.capability import Capability
from loom.context import Context
from loom.envelope import Envelope
from loom.errors import LoomError
from loom.event import make_event
from loom.payload import encode_payload
from loom.registration import Subscription
from loom_testing.harness.entered import Entered
from loom_testing.harness.errors import HarnessError, speaks_for_itself
from loom_testing.harness.expected import UNSET
from loom_testing.harness.given import check_agent_id, check_offers, check_seconds
from loom_testing.harness.record import Record
from loom_testing.harness.running import check_loop
from loom_testing.harness.scripted import Scripted, ScriptedCapability
from loom_testing.harness.seen import Calls
from loom_testing.harness.steps import expected_event, expected_step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from loom.endpoint import Endpoint
    from loom.event import Event
    from loom_testing.harness.host import Host
    from loom_testing.harness.steps import Step

__all__ = ["DEFAULT_TIMEOUT_S", "Probe"]

__tracebackhide__ = speaks_for_itself

DEFAULT_TIMEOUT_S = 5.0
CONNECT_S = 10.0
NONE_WITHIN_S = 0.1


class Probe(Entered):
    """A scripted agent. `loom_bridge.probe()` makes one; it is connected inside its `async with`.

        async with loom_bridge.run(agent), loom_bridge.probe() as probe:
            await probe.emit("paper.submitted", Paper(text="..."))
            event = await probe.expect("paper.summarized", words=12)

    It hears everything in its namespace as an observer, so that nobody is counted as a receiver on its
    account (PUB-9): a request that no agent hears fails as it does in production. What it is to receive as an
    ordinary agent stands in `subscribe`. It does not hear itself.

    Args:
        endpoint: the bridge and the namespace.
        host: the bridge, to be told of its death.
        agent_id: the probe's own id.
        subscribe: topics that it receives as an ordinary agent.
        observe: topics that it hears without being counted; everything unless told otherwise.
        offers: name -> answer, as for `offer`.
        timeout: seconds of real time that an expectation waits, unless it says otherwise.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        host: Host,
        agent_id: str,
        *,
        subscribe: Sequence[str] = (),
        observe: Sequence[str] = (">",),
        offers: Mapping[str, Any] | None = None,
        timeout: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        check_agent_id(agent_id, "probe")
        check_offers(offers)
        check_seconds(timeout, "timeout")
        self.agent_id = agent_id
        self.timeout = timeout
        self._endpoint = endpoint
        self._host = host
        self._subscriptions = [
            *(Subscription(topic) for topic in _topics(subscribe)),
            *(Subscription(topic, observer=True) for topic in _topics(observe)),
        ]
        self._offers = [_capability(name, answer) for name, answer in (offers or {}).items()]
        self._record = Record(agent_id)
        self._worker: Scripted | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waits: set[asyncio.Timeout] = set()
        self._death: HarnessError | None = None
        self._awaits_entering(f"loom_bridge.probe({agent_id!r})")

    def __repr__(self) -> str:
        return f"Probe({self.agent_id!r})"

    async def __aenter__(self) -> Self:
        self.note_entered()
        check_loop("loom_bridge.probe")
        self._loop = asyncio.get_running_loop()
        worker = Scripted(self._endpoint, self.agent_id, self._subscriptions, self._offers, self._record)
        self._host.on_death(self.fail)
        try:
            with self._host.guarded():
                async with self._guarded():
                    await worker.start(CONNECT_S)
        except BaseException:
            self._host.forget(self.fail)
            raise
        self._worker = worker
        return self

    async def __aexit__(self, *exc: object) -> None:
        worker, self._worker = self._worker, None
        self._host.forget(self.fail)
        if worker is not None:
            await worker.leave()

    # What it has seen.

    @property
    def events(self) -> list[Event]:
        """Every event it has received so far, in order, those that were expected included."""
        return list(self._record.events)

    @property
    def calls(self) -> Calls:
        """Every call of what it offers so far, in order; `calls.of("llm.complete")` are those of one."""
        return Calls(self._running().calls)

    # Events.

    async def emit(
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
        """Publishes an event, and waits until the bridge has accepted it. The arguments are `Context.emit`'s.

        Returns:
            How many agents receive it; probes that only observe do not count.

        Raises:
            LoomError: as `Context.emit`.
        """
        self._record.said.add(topic)
        async with self._guarded():
            return await self.context().emit(
                topic, payload, type=type, thread_id=thread_id, ttl=ttl, reply_to=reply_to, metadata=metadata
            )

    async def expect(
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
        """Waits for an event, one that has come already included. Each event is given out once.

        Others that come meanwhile are kept for later expectations, so the order of topics does not matter;
        events of one topic are given out in theirs.

        Args:
            topic: a pattern.
            payload: what the payload holds: a mapping asks for at least its entries, all else (a model, a
                list, a scalar, None) to be equal. Matchers such as `unittest.mock.ANY` work inside.
            type: the event's type.
            sender: the agent that published it.
            where: says whether an event that fits otherwise is the one.
            timeout: seconds of real time to wait; None for the probe's own, 5.
            fields: entries of the payload, as in `payload`.

        Raises:
            ExpectationError: none came in time; the text shows the nearest miss and what else came.
            BridgeDiedError: the bridge ended meanwhile.
            Superseded: another agent took over the probe's id.
        """
        expected = expected_event(topic, payload, type, sender, where, fields)
        self._running()
        return await self._record.wait_for(expected, self._patience(timeout))

    async def expect_in_order(self, *steps: Step, timeout: float | None = None) -> list[Event]:
        """Waits for several events, in this order; others may come in between.

            await probe.expect_in_order("paper.submitted", ("paper.summarized", {"words": 3}))

        Args:
            steps: what to expect, one after the other: a topic; a topic and a payload; or a mapping of
                `expect`'s arguments.
            timeout: seconds of real time to wait for all of them; None for the probe's own, 5.

        Returns:
            The events, one for each step.

        Raises:
            ExpectationError: they did not all come in time, or in another order; the text says which.
            BridgeDiedError: the bridge ended meanwhile.
        """
        self._running()
        expected = [expected_step(step) for step in steps]
        if not expected:
            raise HarnessError('expect_in_order() was given nothing: expect_in_order("first", "second")')
        return await self._record.in_order(expected, self._patience(timeout))

    async def expect_none(
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
        """Sees that no such event has come, nor comes within so many seconds of real time.

        Better than waiting: expect something that comes after it would have come, then `within=0`.

        Args:
            topic: as for `expect`, and so are the others.
            within: seconds to wait; 0 looks only at what has come.

        Raises:
            ExpectationError: one came.
            BridgeDiedError: the bridge ended meanwhile.
        """
        self._running()
        check_seconds(within, "within")
        await self._record.none_within(expected_event(topic, payload, type, sender, where, fields), within)

    async def request(
        self,
        topic: str,
        payload: Any = None,
        *,
        timeout: float | None = None,
        type: str | None = None,
        into: Any = None,
        raw: bool = False,
    ) -> Any:
        """Publishes an event and waits for the first good reply. The arguments are `Context.request`'s.

        Raises:
            LoomError: as `Context.request`.
        """
        self._record.said.add(topic)
        async with self._guarded():
            return await self.context().request(
                topic, payload, timeout=timeout, type=type, into=into, raw=raw
            )

    async def reply(self, event: Event, payload: Any = None, *, type: str = "reply") -> int:
        """Answers a request that the probe received.

        Returns:
            How many agents receive the answer.

        Raises:
            HarnessError: the event asks for no reply.
            LoomError: the bridge refused the answer, or is away.
        """
        if not event.envelope.reply_to:
            raise HarnessError(f"the event on {event.topic} asks for no reply: expect one with a reply_to")
        message = make_event(type, encode_payload(payload), event.envelope.reply(self.agent_id))
        async with self._guarded():
            return await self._running().publish(event.envelope.reply_to, message, confirm=True)

    # Capabilities.

    async def call(
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
        """Calls a capability. The arguments are `Context.tool`'s.

        Raises:
            LoomError: as `Context.tool`.
        """
        options = {"version": version, "timeout": timeout, "into": into, "raw": raw, "call_id": call_id}
        async with self._guarded():
            return await self.context().tool(capability, arguments, **options, **kwargs)

    async def offer(self, name: str | Capability[..., Any], answer: Any = None, *, version: str = "") -> None:
        """Offers a capability from now on, or changes its answer. `calls` holds what it was called with.

        Args:
            name: its name; or a whole `Capability`, whose arguments and answer are then validated.
            answer: a value; an exception, to be raised; or a function that gets the arguments by name, and
                whose result is the answer.
            version: its version.

        Raises:
            DefinitionError: the name is malformed.
            LoomError: the bridge is away, or refused it.
        """
        capability = name if isinstance(name, Capability) else _capability(name, answer, version)
        async with self._guarded():
            await self._running().offer(capability)

    def context(self, thread_id: str = "") -> Context:
        """All that an agent can do, as this probe: `barrier`, `gather` and the rest of `Context`.

        Args:
            thread_id: the thread of work; none unless given.

        Raises:
            HarnessError: the probe is not connected.
        """
        return Context(self._running(), Envelope(thread_id=thread_id, sender=self.agent_id))

    def _patience(self, timeout: float | None) -> float:
        if timeout is None:
            return self.timeout
        check_seconds(timeout, "timeout")
        return timeout

    def _running(self) -> Scripted:
        if self._worker is None:
            self.note_entered()  # it is told of now
            raise HarnessError(
                f"{self.agent_id} is not connected: use it inside `async with loom_bridge.probe() as probe:`"
            )
        return self._worker

    @contextlib.asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        """What is done inside ends when the bridge does."""
        if self._death is not None:
            raise self._death
        patience = asyncio.timeout(None)
        self._waits.add(patience)
        try:
            async with patience:
                yield
        except (LoomError, TimeoutError) as error:
            if self._death is not None:
                raise self._death from error
            raise
        finally:
            self._waits.discard(patience)

    def fail(self, error: HarnessError) -> None:
        """Nothing can come any more: who waits is told why. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._give_up, error)

    def _give_up(self, error: HarnessError) -> None:
        self._death = error
        self._record.fail(error)
        for patience in self._waits:
            patience.reschedule(0)


def _topics(given: Sequence[str]) -> Sequence[str]:
    return (given,) if isinstance(given, str) else given


def _capability(name: str, answer: Any, version: str = "") -> Capability[..., Any]:
    if isinstance(answer, Capability):
        return answer
    return ScriptedCapability(name, answer, version=version)
