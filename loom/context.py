"""`Context`: what a handler, a capability, or a program around them does with the bus.

Everything made through one Context belongs to its thread of work and inherits its deadline.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING, Any, TypeVar, overload

from loom import barrier as barriers
from loom.asking import Question, ask, check_heard, check_topic, first_good, milliseconds
from loom.calls import encode_arguments, make_call, read_result
from loom.codes import Code
from loom.deadline import budget, remaining
from loom.dispatch import waiting
from loom.errors import AgentGone, DeadlineExceeded, DefinitionError, InvalidInput, PublishRefused
from loom.event import make_event
from loom.payload import encode_payload

if TYPE_CHECKING:
    import builtins
    from collections.abc import Awaitable, Coroutine, Mapping, Sequence

    from loom.barrier import Barrier, Gathered
    from loom.envelope import Envelope
    from loom.event import Event
    from loom.memory import ThreadMemory
    from loom.worker import Worker

__all__ = ["Context"]

T = TypeVar("T")


class Context:
    """One place in a thread of work. Handlers and capabilities get theirs; `Agent.context` makes others.

    Attributes:
        envelope: how what is being handled stands to other events; its `thread_id` is this thread of work.
        replied: whether `reply` was called.
    """

    __slots__ = ("_event", "_memory", "_worker", "envelope", "replied")

    def __init__(self, worker: Worker, envelope: Envelope, event: Event | None = None) -> None:
        self._worker = worker
        self._event = event
        self._memory: ThreadMemory | None = None
        self.envelope = envelope
        self.replied = False

    @property
    def agent_id(self) -> str:
        """The id of the agent this belongs to."""
        return self._worker.agent_id

    @property
    def event(self) -> Event:
        """The event being handled.

        Raises:
            DefinitionError: none is: this is a capability's Context, or one made by `Agent.context`.
        """
        if self._event is None:
            raise DefinitionError("there is no event here: only a handler's Context has one")
        return self._event

    @property
    def memory(self) -> ThreadMemory:
        """What the agent remembers in this thread of work."""
        if self._memory is None:
            self._memory = self._worker.memory_of(self.envelope.thread_id)
        return self._memory

    @property
    def remaining(self) -> float | None:
        """Seconds that who asked for this still waits; None where nobody said. It bounds every call."""
        return remaining()

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger of this agent; its records carry `agent_id` and `thread_id`."""
        extra = {"agent_id": self.agent_id, "thread_id": self.envelope.thread_id}
        return logging.LoggerAdapter(logging.getLogger(f"loom.agent.{self.agent_id}"), extra)

    async def emit(
        self,
        topic: str,
        payload: Any = None,
        *,
        type: str | None = None,
        ttl: float | None = None,
        metadata: Mapping[str, str] | None = None,
        thread_id: str | None = None,
        reply_to: str | None = None,
        confirm: bool = True,
        tags: Sequence[str] = (),
        confidence: float = 0.0,
        priority: int = 0,
    ) -> int:
        """Publishes an event.

        Args:
            topic: the concrete topic.
            payload: a model, dataclass, dict, list or scalar (sent as JSON), bytes, or None.
            type: the event's type; None for the topic.
            ttl: seconds after which the bridge no longer delivers it; what an agent has received, it handles.
            metadata: more entries of the event's metadata.
            thread_id: another thread of work; None stays in this one.
            reply_to: the topic where somebody waits for an answer.
            confirm: wait until the bridge has accepted it; it then survives a lost connection.
            tags: free labels.
            confidence: how sure the publisher is, 0 to 1.
            priority: higher is more urgent.

        Returns:
            How many agents receive it; -1 where the bridge was not asked, or knows only the base level.

        Raises:
            PublishRefused: the bridge refused it, and why.
            DeadlineExceeded: it was not accepted in time.
            PayloadError: the payload cannot be written as JSON.
            BridgeError: the agent is not connected, or the bridge is away.
        """
        envelope = self.envelope.child(
            self.agent_id,
            thread_id=thread_id,
            reply_to=reply_to or "",
            ttl_ms=None if ttl is None else milliseconds(ttl, "ttl"),
            extra=metadata,
        )
        check_topic(topic)
        event = make_event(
            type or topic,
            encode_payload(payload),
            envelope,
            tags=tags,
            confidence=confidence,
            priority=priority,
        )
        return await self._worker.publish(topic, event, confirm=confirm)

    @overload
    async def request(
        self,
        topic: str,
        payload: Any = None,
        *,
        timeout: float | None = None,
        type: str | None = None,
        into: builtins.type[T],
        metadata: Mapping[str, str] | None = None,
    ) -> T: ...

    @overload
    async def request(
        self,
        topic: str,
        payload: Any = None,
        *,
        timeout: float | None = None,
        type: str | None = None,
        into: Any = None,
        raw: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> Any: ...

    async def request(
        self,
        topic: str,
        payload: Any = None,
        *,
        timeout: float | None = None,
        type: str | None = None,
        into: Any = None,
        raw: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> Any:
        """Publishes an event and waits for the first good reply.

        Works inside a handler too; the handler's own deadline bounds it, and travels with it.

        Args:
            topic: the concrete topic.
            payload: as for `emit`.
            timeout: seconds to wait; None for 30.
            type: the event's type; None for the topic.
            into: a type to validate the reply into; `Reply` for the reply itself. None for plain data.
            raw: answer the reply's bytes.
            metadata: more entries of the event's metadata.

        Raises:
            NoSubscribers: nobody hears the topic; known at once.
            DeadlineExceeded: no reply in time.
            HandlerError, InvalidInput: the handler that received it failed, or refused the payload.
            InvalidOutput: the reply does not fit `into`.
            PublishRefused: the bridge refused the event.
            BridgeError: the connection was lost while waiting: no reply can come.
        """
        seconds = budget(timeout, f"the request to {topic}")
        question = Question(topic, payload, type, metadata)
        with self._worker.replies.expect() as pending, waiting():
            try:
                async with self._worker.clock.timeout(seconds):
                    matched = await ask(self._worker, self.envelope, question, pending, seconds)
                    check_heard(topic, matched)
                    reply = await first_good(pending, matched)
            except TimeoutError as error:
                raise DeadlineExceeded(
                    f"no reply to {topic} within {seconds:g} s: give it more time, or see who should reply"
                ) from error
        return reply.value(into, raw=raw)

    async def reply(self, payload: Any = None, *, type: str = "reply") -> None:
        """Answers the event being handled.

        Args:
            payload: as for `emit`.
            type: the reply's type.

        Raises:
            AgentGone: who asked is gone.
            PublishRefused: the event asked for no reply (code INVALID_EVENT), or the bridge refused it.
            DeadlineExceeded, PayloadError, BridgeError: as for `emit`.
        """
        topic = self.event.envelope.reply_to
        if not topic:
            raise PublishRefused(
                f"the event on {self.event.topic} asked for no reply: answer with `emit` instead"
            )
        event = make_event(type, encode_payload(payload), self.envelope.reply(self.agent_id))
        self.replied = True
        if await self._worker.publish(topic, event, confirm=True) == 0:
            raise AgentGone(
                f"{self.event.sender or 'who asked'} is gone and hears no reply: nothing is left to do",
                code=Code.AGENT_GONE,
            )

    @overload
    async def tool(
        self,
        capability: str,
        arguments: Any = None,
        /,
        *,
        version: str = "",
        timeout: float | None = None,
        into: builtins.type[T],
        call_id: str | None = None,
        **kwargs: Any,
    ) -> T: ...

    @overload
    async def tool(
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
    ) -> Any: ...

    async def tool(
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
        """Calls a capability, wherever its agent runs.

        Args:
            capability: its name.
            arguments: a mapping, model or dataclass with the arguments, or their bytes. Also for arguments
                whose names are taken by this method.
            version: compared exactly; empty means any.
            timeout: seconds to wait; None for 30. The inherited deadline bounds it, and travels with it.
            into: a type to validate the answer into. None for plain data.
            raw: answer the bytes.
            call_id: an idempotency key: the same call again with the same id runs once (ACT-8).
            kwargs: arguments.

        Raises:
            CapabilityNotFound: no agent offers it, or not in that version; known at once.
            CapabilityUnavailable: it is offered, but its agent is not connected.
            CapabilityError: it raised.
            InvalidInput, InvalidOutput: the arguments, or the answer, do not fit; `details` names the fields.
            AgentGone: its agent was lost while it worked on the call.
            DeadlineExceeded: no answer in time.
            Overloaded, IdReused: as they say.
            BridgeError: the bridge is away, or went away.
        """
        seconds = budget(timeout, f"the call of {capability}")
        own = self.envelope.child(self.agent_id)
        payload = encode_arguments(arguments, kwargs)
        call = make_call(capability, payload, own, version=version, call_id=call_id)
        with waiting():
            result = await self._worker.invoke(call, seconds)
        return read_result(result, capability, into=into, raw=raw)

    async def barrier(
        self,
        topic: str,
        payload: Any = None,
        *,
        of: Sequence[str] | int | None = None,
        timeout: float | None = None,
        type: str | None = None,
        into: Any = None,
    ) -> Barrier:
        """Asks several agents at once, and waits for all of them.

        It ends when everyone answered, when nobody is left who could, or when time runs out; then it answers
        what came and who is missing. An agent that answers with an error has answered.

        Args:
            topic: the concrete topic they all hear.
            payload: as for `emit`.
            of: the ids of the agents to wait for (replies of others are left out), or how many; None for as
                many as the bridge delivered to.
            timeout: seconds to wait; None for 30.
            type: the event's type; None for the topic.
            into: a type to validate each reply into; a reply that does not fit counts as an error.

        Raises:
            NoSubscribers: nobody hears the topic, and `of` names no agents that would be missing.
            InvalidInput: `of` is empty, or holds what is no agent id.
            PublishRefused: the bridge refused the event.
            BridgeError: the connection was lost while waiting.
        """
        seconds = budget(timeout, f"the barrier on {topic}")
        collector = barriers.Collector(of, into)
        question = Question(topic, payload, type)
        with self._worker.replies.expect() as pending, waiting():
            try:
                async with self._worker.clock.timeout(seconds):
                    collector.matched = await ask(self._worker, self.envelope, question, pending, seconds)
                    if not collector.named:
                        check_heard(topic, collector.matched)
                    while not collector.done:
                        collector.add(await pending.next())
            except TimeoutError:
                pass  # what is missing is the answer
        return collector.barrier()

    async def gather(
        self, *calls: Awaitable[Any], timeout: float | None = None, **named: Awaitable[Any]
    ) -> Gathered[Any]:
        """Awaits several calls together, under one deadline; none of them takes the others down.

        Args:
            calls: what to await, known in the answer by 0, 1, ...
            timeout: seconds for all of them; None for 30.
            named: what to await, known in the answer by name.
        """
        # What is awaited says itself when it waits for the bridge or the clock.
        with waiting(rests=False):
            return await barriers.gather({**dict(enumerate(calls)), **named}, timeout, self._worker.clock)

    async def sleep(self, seconds: float) -> None:
        """Waits so many seconds by this agent's clock, which is a test's where one moves the time.

        `asyncio.sleep` is real time everywhere: a test that moves the time waits for it, or fails.

        Raises:
            InvalidInput: not a number of seconds from 0.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise InvalidInput(f"sleep({seconds!r}): give seconds from 0")
        await self._worker.clock.sleep(seconds)

    def block_on(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs one of this Context's coroutines from a synchronous handler or capability, and waits for it.

        `ctx.block_on(ctx.emit("done"))`. Only for their threads: on the event loop, await instead.

        Raises:
            DefinitionError: called on the event loop, where it could only wait for itself.
            Exception: whatever the coroutine raises.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run_coroutine_threadsafe(coroutine, self._worker.loop).result()
        coroutine.close()
        raise DefinitionError("block_on was called on an event loop: await the coroutine instead")
