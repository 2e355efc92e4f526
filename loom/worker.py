"""A running agent: what comes in is handed to handlers and capabilities, what they say goes out.

An `Agent` is a declaration; each start makes one Worker of it, which ends with the stop.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loom.calls import error_result, read_envelope
from loom.codes import Code
from loom.context import Context
from loom.deadline import inherit
from loom.dispatch import CANCEL_S, Dispatcher
from loom.errors import (
    AgentGone,
    CallCancelled,
    CapabilityNotFound,
    DeadlineExceeded,
    HandlerError,
    LoomError,
    NotConnected,
)
from loom.event import Event, make_event
from loom.handler import Routes
from loom.memory import ThreadMemory
from loom.replies import ERROR_KEY, Replies, error_payload
from loom.topics import replies_topic
from loom.v1 import action_pb2
from loom.work import Work, resting, work_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from loom.capability import Capability
    from loom.client import BridgeClient
    from loom.envelope import Envelope
    from loom.handler import Handler
    from loom.memory import Memory
    from loom.registration import Registration
    from loom.v1 import event_pb2

__all__ = ["Worker"]

_log = logging.getLogger("loom.agent")


@dataclass(frozen=True, slots=True)
class _Delivery:
    """An event, and when the patience of who asked for it ends (seconds of the agent's clock)."""

    event: Event
    deadline: float | None


class Worker:
    """One agent while it runs.

    Args:
        registration: what it registers.
        client: its client, not connected yet.
        handlers: its handlers, in the order they were declared.
        capabilities: name -> capability.
        memory: what it remembers.
        max_parallel: how many deliveries are handled at once.
        counts: counts what happens, by name.
    """

    def __init__(
        self,
        registration: Registration,
        client: BridgeClient,
        *,
        handlers: Sequence[Handler],
        capabilities: Mapping[str, Capability[..., object]],
        memory: Memory,
        max_parallel: int,
        counts: Counter[str],
    ) -> None:
        self.agent_id = registration.agent_id
        self.replies_topic = replies_topic(registration.agent_id)
        self.replies = Replies()
        self.loop = asyncio.get_running_loop()
        self._registration = registration
        self._routes = Routes(tuple(handlers))
        self._capabilities = capabilities
        self._memory = memory
        self._counts = counts
        self._client = client
        self.clock = client.clock
        self._dispatcher = Dispatcher(self._handle, max_parallel, finished=self.clock.touch)
        self._context = contextvars.copy_context()
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._answering: dict[asyncio.Task[None], tuple[str, Work]] = {}
        self._stopping = asyncio.Lock()
        self._is_stopped = False
        self._given_up: set[str] = set()

    async def start(self, timeout: float) -> None:
        """Connects.

        Raises:
            BridgeError: as `BridgeClient.connect`.
        """
        await self._client.connect(self._registration, self, timeout=timeout)

    @property
    def is_live(self) -> bool:
        """Whether the bridge is connected now."""
        return self._client.is_live

    @property
    def is_over(self) -> bool:
        """Whether the connection is over for good."""
        return self._client.is_over

    async def stop(self, grace: float) -> None:
        """Takes nothing new, finishes what is open, says goodbye.

        What is not finished after `grace` seconds is cancelled; who waits for it is told.
        """
        async with self._stopping:  # whoever else stops it meanwhile waits for the same end
            if self._is_stopped:
                return
            deadline = self.loop.time() + grace
            await self._take_nothing_new(grace)
            if calls := self._other_calls():
                await asyncio.wait(calls, timeout=max(0.0, deadline - self.loop.time()))
            given_up = await self._dispatcher.drain(max(0.0, deadline - self.loop.time()))
            if given_up:
                _log.warning("%s: stopped with %d events not handled to their end", self.agent_id, given_up)
            await self._cancel_calls()
            await self._client.close("stopped")
            self.replies.fail(NotConnected(f"{self.agent_id} was stopped before the reply came"))
            self._is_stopped = True

    async def wait_ended(self) -> None:
        """Waits until the connection is over for good.

        Raises:
            BridgeError: what ended it.
        """
        await self._client.wait_ended()

    def check_loop(self) -> None:
        """Refuses another event loop than the one it was started on. A plain thread has none, and may ask.

        Raises:
            NotConnected: this is another event loop.
        """
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            return
        if running is not self.loop:
            raise NotConnected(
                f"{self.agent_id} lives on another event loop: use it where it was started, or hand the "
                "coroutine there with asyncio.run_coroutine_threadsafe"
            )

    # What a Context asks for.

    async def publish(self, topic: str, event: event_pb2.Event, *, confirm: bool) -> int:
        """Publishes, surviving a lost connection where confirmed. Answers the number of receivers."""
        self.check_loop()
        self._counts["published"] += 1
        with resting():
            return await self._client.publish(topic, event, confirm=confirm)

    async def ask(self, topic: str, event: event_pb2.Event, seconds: float) -> int:
        """Publishes a request, with so many seconds left: a lost connection is an answer, at once."""
        self.check_loop()
        self._counts["published"] += 1
        return await self._client.publish(topic, event, resend=False, timeout=seconds)

    async def invoke(self, call: action_pb2.ActionCall, timeout: float) -> action_pb2.ActionResult:
        """Calls a capability."""
        self.check_loop()
        self._counts["calls_made"] += 1
        return await self._client.invoke(call, timeout=timeout)

    def memory_of(self, thread_id: str) -> ThreadMemory:
        """What the agent remembers in one thread of work."""
        return ThreadMemory(self._memory, thread_id)

    def context(self, envelope: Envelope) -> Context:
        """A Context outside of any handler."""
        return Context(self, envelope)

    # What the client tells (`loom.connection.Receiver`).

    def delivered(self, topic: str, event: event_pb2.Event) -> None:
        """An event: a reply goes to who waits for it, all else to the handlers."""
        received = Event.from_message(topic, event)
        if topic == self.replies_topic and self.replies.take(received):
            return
        envelope = received.envelope
        is_request = bool(envelope.reply_to)
        deadline = None
        if is_request and envelope.ttl_ms is not None:
            deadline = self.clock.now() + envelope.ttl_ms / 1000
        self._dispatcher.take(_Delivery(received, deadline), thread=envelope.thread_id, is_request=is_request)

    def called(self, call: action_pb2.ActionCall) -> None:
        """A call of one of the capabilities."""
        work, context = Work(), self._context.copy()
        work_in(context, work)
        task = self.loop.create_task(self._serve(call), name=f"loom-call-{call.capability}", context=context)
        self._calls[call.id] = task
        self._answering[task] = (call.capability, work)
        task.add_done_callback(lambda task: self._served(call.id, task))

    def cancelled(self, call_id: str, code: str) -> None:
        """Nobody waits for a call any more."""
        task = self._calls.get(call_id)
        if task is not None:
            self._counts["calls_cancelled"] += 1
            self._given_up.add(call_id)
            task.cancel(code)

    def _served(self, call_id: str, task: asyncio.Task[None]) -> None:
        """A call's task is over. The bridge keeps the place of a given-up call until it hears so (ACT-7)."""
        self._calls.pop(call_id, None)
        del self._answering[task]
        self.clock.touch()
        if call_id in self._given_up:
            self._given_up.discard(call_id)
            if task.cancelled():
                self._client.answer(error_result(call_id, CallCancelled("the call was given up")))

    def lost(self, error: LoomError) -> None:
        """The connection is lost: who waits is told, and nobody waits for what was called."""
        self.replies.fail(error)
        for task in self._calls.values():
            task.cancel(Code.CANCELLED)

    def room(self) -> Awaitable[None] | None:
        """Whether more deliveries may come."""
        return self._dispatcher.room()

    def busy(self) -> list[str]:
        """What it is busy with that is neither the clock nor the bridge."""
        handling = [delivery.event.topic for delivery in self._dispatcher.busy()]
        answering = [name for task, (name, work) in self._answering.items() if work.is_busy(task)]
        return [
            *(f"{self.agent_id} is handling {topic}" for topic in handling),
            *(f"{self.agent_id} is answering a call of {capability}" for capability in answering),
        ]

    # Handling.

    async def _handle(self, delivery: _Delivery) -> None:
        event = delivery.event
        context = Context(self, _in_a_thread(event), event)
        left = None if delivery.deadline is None else delivery.deadline - self.clock.now()
        if left is not None and left <= 0:
            self._counts["expired"] += 1
            _log.debug("%s: nobody waits any more for an answer on %s: skipped", self.agent_id, event.topic)
            return
        failure: LoomError | None = None
        try:
            with inherit(left, self.clock):
                async with self.clock.timeout(left):
                    for handler in self._routes.of(event):
                        failure = await self._run(handler, context, event) or failure
        except TimeoutError:  # only of the request's own: what a handler raises is in `failure`
            self._counts["expired"] += 1
            _log.warning(
                "%s: the handling of %s was given up after %.3g s: who asked waits no longer",
                self.agent_id,
                event.topic,
                left,
            )
        except asyncio.CancelledError:
            failure = AgentGone(f"{self.agent_id} stopped before it answered", code=Code.AGENT_GONE)
            raise
        finally:
            if failure is not None and event.envelope.reply_to and not context.replied:
                self._reply_error(event, failure)

    async def _run(self, handler: Handler, context: Context, event: Event) -> LoomError | None:
        """Runs one handler. What it raises is logged and counted, and never ends the agent."""
        self._counts["handled"] += 1
        try:
            await handler.run(context, event)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            error: BaseException = HandlerError("something that the handler awaited was cancelled")
        except Exception as raised:
            error = raised
        else:
            return None
        self._counts["handler_errors"] += 1
        expected = isinstance(error, LoomError)
        _log.error(
            "%s: handler %s failed on %s (event %s, thread %s): %s: %s",
            self.agent_id,
            handler.name,
            event.topic,
            event.id,
            event.envelope.thread_id or "none",
            type(error).__name__,
            error,
            exc_info=None if expected else error,
        )
        return _told(error, self.agent_id, handler)

    def _reply_error(self, event: Event, error: LoomError) -> None:
        """Tells a requester that no answer will come, without waiting for anything."""
        envelope = event.envelope.reply(self.agent_id, extra={ERROR_KEY: error.code})
        message = make_event("error", error_payload(error), envelope)
        self._client.post(event.envelope.reply_to, message)

    async def _serve(self, call: action_pb2.ActionCall) -> None:
        """Runs a capability and answers its call, unless the task is cancelled."""
        capability = self._capabilities.get(call.capability)
        try:
            if capability is None:
                raise CapabilityNotFound(f"{self.agent_id} offers no {call.capability}: register it again")
            output = await self._run_capability(capability, call)
            result = action_pb2.ActionResult(id=call.id, status=action_pb2.ACTION_OK, output=output)
            self._counts["calls_answered"] += 1
        except LoomError as error:
            self._counts["calls_failed"] += 1
            result = error_result(call.id, error)
        self._client.answer(result)

    async def _run_capability(
        self, capability: Capability[..., object], call: action_pb2.ActionCall
    ) -> bytes:
        waits = call.timeout_ms / 1000 if call.timeout_ms > 0 else None
        limits = [seconds for seconds in (waits, capability.timeout) if seconds is not None]
        seconds = min(limits, default=None)
        context = Context(self, read_envelope(call))
        try:
            with inherit(seconds, self.clock):
                async with self.clock.timeout(seconds):
                    return await capability.run(call.payload, context)
        except LoomError:
            raise
        except TimeoutError as error:
            raise DeadlineExceeded(f"{capability.label} was not done within {seconds:g} s") from error

    # Stopping.

    async def _take_nothing_new(self, patience: float) -> None:
        """Registers again with nothing to hear and nothing to offer; the stream goes on (REG-3).

        What the bridge had accepted for this agent before that is on its way: it is waited for.
        """
        if not self._client.is_live or "drain" not in self._client.features:
            return
        empty = replace(self._registration, subscriptions=(), capabilities=())
        try:
            await self._client.replace(empty)
        except LoomError as error:
            _log.debug("%s: the bridge was not told of the stop: %s", self.agent_id, error)
        else:
            await self._client.flush(timeout=patience)

    async def _cancel_calls(self) -> None:
        calls = self._other_calls()
        for task in calls:
            task.cancel(Code.CANCELLED)
        if calls:
            await asyncio.wait(calls, timeout=CANCEL_S)

    def _other_calls(self) -> list[asyncio.Task[None]]:
        """The calls being served, but for one that itself stops the agent: it must not wait for itself."""
        me = asyncio.current_task()
        return [task for task in self._calls.values() if task is not me]


def _in_a_thread(event: Event) -> Envelope:
    """The envelope for what follows from an event. One without a thread begins a thread of its own."""
    if event.envelope.thread_id:
        return event.envelope
    return replace(event.envelope, thread_id=event.id or event.envelope.correlation_id)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _told(error: BaseException, agent_id: str, handler: Handler) -> LoomError:
    """What a requester is told of a handler's exception."""
    if isinstance(error, LoomError):
        return error
    return HandlerError(f"{handler.name} of {agent_id} raised {type(error).__name__}: {error}")
