"""One namespace on the shell's side: an engine, its clock and its timer.

`feed` is the only way into the engine. It carries out what the engine answers before it returns: messages
go into the streams' out-lists, replies wake the calls that wait for them. Nothing here awaits while the
engine is at work, so one namespace is never entered twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from loom_testing.advance import PATIENCE_S, Advance
from loom_testing.clock import VirtualClock
from loom_testing.engine import Engine
from loom_testing.engine.inputs import Abandon, Break, DrainAll, Input, Open, Tick
from loom_testing.engine.outputs import (
    Accept,
    Answer,
    CapabilitiesReply,
    Drained,
    End,
    HeartbeatReply,
    Output,
    PauseReading,
    RegisterReply,
    ResumeReading,
    Send,
    SnapshotReply,
)
from loom_testing.engine.trace import encode_step
from loom_testing.participants import Participants

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.clock import Clock
    from loom_testing.engine.limits import Limits
    from loom_testing.engine.messages import ServerMessage
    from loom_testing.participants import Tag
    from loom_testing.watch import Kept

__all__ = ["Driver", "Refused", "StreamSink"]

log = logging.getLogger("loom_testing.bridge")

MICROS_PER_SECOND = 1_000_000
GRACE_SLACK = 0.05
"""By how many seconds the engine's own grace is over before the shell ends what the engine did not."""
FLUSH_SECONDS = 5.0
"""How long an advance of a virtual clock waits, at each deadline, for what is to be written."""

Reply = RegisterReply | Answer | CapabilitiesReply | HeartbeatReply | SnapshotReply


class Refused(Exception):  # noqa: N818 - it is an answer: the call ends with this status
    """The call ends with the gRPC status of that name."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class StreamSink(Protocol):
    """What a driver needs of an EventStream. Its counts are those of `participants.Traffic`."""

    agent: str
    sent: int
    received: int

    @property
    def reading(self) -> bool:
        """Whether it is read."""

    def accept(self) -> None:
        """Send the response headers."""

    def send(self, message: ServerMessage) -> None:
        """Write a message."""

    def end(self, status: str, message: str, *, abrupt: bool = False) -> None:
        """End with this status, after what was sent before unless `abrupt`."""

    def pause(self) -> None:
        """Read no further."""

    def resume(self) -> None:
        """Read on."""

    async def flushed(self) -> None:
        """Wait until everything is written, or the peer is found to take nothing."""


class _Waiting(NamedTuple):
    """A call that is not answered yet."""

    reply: asyncio.Future[Any]
    tag: Tag | None


class Driver:
    """Owns one engine.

    Attributes:
        name: the namespace.
        limits: what it takes at the most.
        engine: the engine. Only `feed` may call its `handle`.
        clock: where its time comes from.
        virtual: whether the clock moves only by `advance`.
        liveness: whether silent peers are taken for dead (SES-7).
        participants: who takes part in it.
        touched: when a client was last heard of, in the event loop's time.
        watch: called with every step's trace line, when set.
        kept: the last steps, where they are kept.
    """

    def __init__(self, name: str, clock: Clock, limits: Limits, *, liveness: bool = True) -> None:
        self.name = name
        self.limits = limits
        self.clock = clock
        self.virtual = isinstance(clock, VirtualClock)
        self.liveness = liveness
        self.participants = Participants()
        self.engine = Engine(clock.now(), limits, liveness=liveness)
        self.watch: Callable[[str], None] | None = None
        self.kept: Kept | None = None
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self.touched = self._loop.time()
        self._streams: dict[int, StreamSink] = {}
        self._tags: dict[int, Tag] = {}
        self._calls: dict[int, _Waiting] = {}
        self._drained: asyncio.Future[None] | None = None
        self._advance = Advance(self, clock) if isinstance(clock, VirtualClock) else None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._closed = False

    # Streams and calls.

    def open(self, sink: StreamSink, tag: Tag | None = None) -> int:
        """Begins a stream and gives its number. The tag says which participant's it is."""
        number = next(self._numbers)
        self._streams[number] = sink
        if tag is not None:
            self._tags[number] = tag
            self.participants.began(tag, sink)
        self.touched = self._loop.time()
        self.feed(Open(number))
        return number

    def leave(self, stream: int) -> None:
        """The stream's gRPC call is over. Breaks the stream unless the engine ended it before."""
        self.touched = self._loop.time()
        if self._forget(stream) is not None:
            self.feed(Break(stream))

    def _forget(self, stream: int) -> StreamSink | None:
        tag = self._tags.pop(stream, None)
        if tag is not None:
            self.participants.ended(tag)
        return self._streams.pop(stream, None)

    async def ask(self, make: Callable[[int], Input], tag: Tag | None = None) -> Any:
        """Feeds a call's input, made with the call's number, and gives the engine's reply.

        Cancelled while it waits, it tells the engine that the caller left (ACT-3). The tag says which
        participant's call it is.

        Raises:
            Refused: the namespace ended before the reply.
        """
        call = next(self._numbers)
        came_in = make(call)
        self.touched = self._loop.time()
        reply: asyncio.Future[Any] = self._loop.create_future()
        self._calls[call] = _Waiting(reply, tag)
        if tag is not None:
            self.participants.began(tag)
        try:
            self.feed(came_in)
            return reply.result() if reply.done() else await reply
        finally:
            self.touched = self._loop.time()
            if self._over(call) is not None:
                self.feed(Abandon(call))

    @property
    def busy(self) -> bool:
        """Whether a stream or a call is open, or somebody takes part in the clock."""
        return bool(self._streams or self._calls or len(self.participants))

    # The engine.

    def feed(self, came_in: Input) -> None:
        """Lets the engine handle an input, and does what it says."""
        now = self.clock.now()
        outputs = self.engine.handle(came_in, now)
        if self.kept is not None:
            self.kept.add(now, came_in, outputs)
        if self.watch is not None:
            self.watch(encode_step(now, came_in, outputs))
        for output in outputs:
            if type(output) is Send:
                sink = self._streams.get(output.stream)
                if sink is not None:
                    sink.send(output.message)
            else:
                self._carry_out(output)
        if self.virtual:
            self.participants.stir()
        else:
            self._arm()

    def _carry_out(self, output: Output) -> None:
        match output:
            case Answer() | RegisterReply() | HeartbeatReply() | CapabilitiesReply() | SnapshotReply():
                self._reply(output)
            case Accept(stream=stream) if stream in self._streams:
                self._streams[stream].accept()
            case End(stream=stream) if stream in self._streams:
                ended = self._forget(stream)
                if ended is not None:
                    ended.end(output.status, output.message, abrupt=output.abrupt)
            case PauseReading(stream=stream) if stream in self._streams:
                self._streams[stream].pause()
            case ResumeReading(stream=stream) if stream in self._streams:
                self._streams[stream].resume()
            case Drained():
                if self._drained is not None and not self._drained.done():
                    self._drained.set_result(None)
            case _:
                log.debug("namespace %s: nobody is left for %s", self.name, output)

    def _reply(self, reply: Reply) -> None:
        waiting = self._over(reply.call)
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)

    def _over(self, call: int) -> asyncio.Future[Any] | None:
        """Who waits for a call, which is over with this: what it is answered is on its way to its client."""
        waiting = self._calls.pop(call, None)
        if waiting is None:
            return None
        if waiting.tag is not None:
            self.participants.ended(waiting.tag)
        return waiting.reply

    # Time.

    def _arm(self) -> None:
        """Sets the timer for the next deadline; one that is set too early looks again when it fires."""
        if self._closed:
            return
        deadline = self.engine.next_deadline()
        if deadline is None:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        self._timer_at = deadline
        delay = max(deadline - self.clock.now(), 0) / MICROS_PER_SECOND
        self._timer = self._loop.call_later(delay, self._fire)

    def _fire(self) -> None:
        self._timer = None
        deadline = self.engine.next_deadline()
        if deadline is not None and deadline <= self.clock.now():
            self.feed(Tick())
        else:
            self._arm()

    async def advance(self, by: int, patience: float = PATIENCE_S) -> int:
        """Moves a virtual clock by so many microseconds and fires what falls due, by deadline (CTL-2).

        What each deadline sends is written, and all participants are idle, before the next one fires (CTL-3).

        Returns:
            How many deadlines fired.

        Raises:
            Refused: FAILED_PRECONDITION, the clock is real.
            TooManyDeadlines, NotSettled: the clock stands where it was stopped.
        """
        return await self._virtual().by(by, patience)

    async def jump(self) -> None:
        """Waits until all is settled and a participant awaits a time, then fires what comes next (CTL-3).

        Raises:
            Refused: FAILED_PRECONDITION, the clock is real.
            Bystanders, NotSettled: as they say.
        """
        await self._virtual().jump()

    def check_virtual(self) -> None:
        """Refuses a namespace whose clock nobody moves.

        Raises:
            Refused: FAILED_PRECONDITION.
        """
        self._virtual()

    def bystanders(self) -> list[str]:
        """The agents that take no part in the clock."""
        return self.participants.bystanders(
            (sink, self._tags.get(number)) for number, sink in self._streams.items()
        )

    def _virtual(self) -> Advance:
        if self._advance is None:
            raise Refused(
                "FAILED_PRECONDITION",
                f"namespace {self.name} runs on the real clock; make one with virtual_clock to move its time",
            )
        return self._advance

    async def flush(self) -> None:
        """Waits until every stream has written what it holds, but not for peers that take nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                for sink in list(self._streams.values()):
                    await sink.flushed()
        await asyncio.sleep(0)

    # The end.

    async def drain(self, grace: float) -> None:
        """Lets open work finish, at most for `grace` seconds of real time (LIM-3)."""
        self._drained = self._loop.create_future()
        self.feed(DrainAll(int(grace * 1000)))
        await asyncio.wait([self._drained], timeout=grace + GRACE_SLACK)
        if not self._drained.done():
            # The grace is real time, also on a virtual clock (CTL-2): let the engine see that it is over.
            if isinstance(self.clock, VirtualClock):
                self.clock.move_to(self.clock.now() + int(grace * MICROS_PER_SECOND))
            self.feed(Tick())

    def close(self, message: str) -> None:
        """Ends what is still open with UNAVAILABLE, and stops the timer."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.participants.close(message)
        self._tags.clear()
        streams, self._streams = self._streams, {}
        for sink in streams.values():
            sink.end("UNAVAILABLE", message)
        calls, self._calls = self._calls, {}
        for waiting in calls.values():
            if not waiting.reply.done():
                waiting.reply.set_exception(Refused("UNAVAILABLE", message))
