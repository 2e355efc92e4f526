"""`Recorder`: notes what crosses the wire while a test or a live system runs.

Recording is cheap: what came is kept as it is, a message or its bytes, and made readable only when somebody
asks for the transcript. It is bounded: when it is full it drops from the middle and counts.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from loom_testing.transcript.entry import Kind, Transcript, Way
from loom_testing.transcript.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Recorded", "Recorder"]

MOST_ENTRIES = 20_000
MOST_BYTES = 32 * 1024 * 1024
"""What a recorder keeps, half of it the beginning, half the end."""
NOMINAL_BYTES = 64
"""What an entry without a message counts as."""


@dataclass(slots=True)
class Recorded:
    """One thing as it was recorded.

    Attributes:
        number: its place in the recording, from 0 without gaps, those left out included.
        at: microseconds since the recording began.
        who: the agent or connection.
        way: which way it went.
        kind: what it is.
        rpc: the method.
        call: the recorder's number of the call; 0 for none.
        what: a message, its bytes, or what the kind says.
    """

    number: int
    at: int
    who: str
    way: Way
    kind: Kind
    rpc: str
    call: int
    what: Any


@dataclass(slots=True)
class Recorder:
    """Records one run. All methods may be called from any thread.

    `call` ties together what belongs to one RPC; `new_call()` gives numbers. Without it the entries of one
    `who` and `rpc` count as one call, which is right for an agent that makes its calls one after another.

    Attributes:
        about: what is recorded, for people.
        bridge: name and version of the bridge; found in the registrations where it is not given.
        virtual: whether `clock` is a virtual one, whose times are the same in every run.
        redaction: what is secret.
        heartbeats: whether to keep the SDK's pings, which come by the real clock, and their pongs.
        timeouts: whether to keep `timeout_ms` of calls as they are. What is left of a deadline differs from
            run to run, so that it is bound as `${timeout:1}` otherwise.
        tell: told of each thing as it is recorded, from the thread that recorded it.
        names: generated values and the placeholder that stands for each: `{"test-3f9a": "namespace"}`
            makes `${namespace:1}` of it.

    Args:
        clock: microseconds, of any beginning; the real clock unless given.
        most_entries: how many to keep.
        most_bytes: how many bytes of messages to keep.
    """

    about: str = ""
    bridge: str = ""
    virtual: bool = False
    redaction: Redaction = field(default_factory=Redaction)
    heartbeats: bool = False
    timeouts: bool = False
    names: dict[str, str] = field(default_factory=dict)
    tell: Callable[[Recorded], None] | None = None
    clock: Callable[[], int] = lambda: time.monotonic_ns() // 1000
    most_entries: int = MOST_ENTRIES
    most_bytes: int = MOST_BYTES
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _zero: int = field(init=False)
    _head: list[Recorded] = field(init=False, default_factory=list)
    _tail: deque[tuple[Recorded, int]] = field(init=False, default_factory=deque)
    _head_bytes: int = field(init=False, default=0)
    _tail_bytes: int = field(init=False, default=0)
    _count: int = field(init=False, default=0)
    _missed: int = field(init=False, default=0)
    _calls: itertools.count[int] = field(init=False, default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Time counts from now on."""
        self._zero = self.clock()

    def __len__(self) -> int:
        """How many things have been recorded so far, those left out included."""
        return self._count

    def new_call(self) -> int:
        """A number for one RPC."""
        return next(self._calls)

    # What crosses the wire.

    def sent(self, who: str, rpc: str, message: Message | bytes, *, call: int = 0) -> None:
        """A message to the bridge. It must not be changed afterwards; bytes are read when they are needed."""
        self._add(who, Way.SENT, Kind.MESSAGE, rpc, call, message)

    def received(self, who: str, rpc: str, message: Message | bytes, *, call: int = 0) -> None:
        """A message from the bridge."""
        self._add(who, Way.RECEIVED, Kind.MESSAGE, rpc, call, message)

    def headers(
        self, who: str, rpc: str, metadata: Iterable[tuple[str, str | bytes]] = (), *, way: Way, call: int = 0
    ) -> None:
        """The metadata that begins a call (SENT) or an answer (RECEIVED). What gRPC adds is left out."""
        self._add(who, way, Kind.HEADERS, rpc, call, list(metadata))

    def half_close(self, who: str, rpc: str, *, call: int = 0) -> None:
        """The agent said that nothing more will be sent."""
        self._add(who, Way.SENT, Kind.HALF_CLOSE, rpc, call, None)

    def reset(self, who: str, rpc: str, *, way: Way = Way.SENT, call: int = 0) -> None:
        """A side broke the call without a word."""
        self._add(who, way, Kind.RESET, rpc, call, None)

    def status(self, who: str, rpc: str, code: str, details: str = "", *, call: int = 0) -> None:
        """The bridge ended the call.

        Args:
            who: as ever.
            rpc: as ever.
            code: the status by name, such as `FAILED_PRECONDITION`.
            details: its text.
            call: as ever.
        """
        self._add(who, Way.RECEIVED, Kind.STATUS, rpc, call, (code, details))

    # What does not.

    def note(self, text: str, who: str = "", body: Any = None) -> None:
        """Something worth telling; `body` is JSON about it."""
        self._add(who, Way.BESIDE, Kind.NOTE, "", 0, (text, body, None))

    def fault(
        self,
        text: str,
        who: str = "",
        *,
        way: Way = Way.BESIDE,
        rpc: str = "",
        message: Message | bytes | None = None,
        call: int = 0,
        body: Any = None,
    ) -> None:
        """A fault was injected.

        A message that never arrived, or arrived otherwise, is told here, with `way`, `rpc` and `message`; by
        `sent` or `received` as well only if it crossed the wire besides.

        Args:
            text: what was done, such as `dropped` or `delayed by 2 s`.
            who: whom it concerns.
            way: which way the message went; BESIDE where the fault concerns the connection.
            rpc: the message's method.
            message: the message.
            call: its call.
            body: JSON about the fault.
        """
        self._add(who, way, Kind.FAULT, rpc, call, (text, body, message))

    def advanced(self, seconds: float) -> None:
        """A virtual clock was moved."""
        self._add("", Way.BESIDE, Kind.TIME, "", 0, seconds)

    def missed(self, entries: int) -> None:
        """So many entries before all others were never recorded."""
        self._missed += entries

    # The result.

    def transcript(self, *, causal: bool = True) -> Transcript:
        """What was recorded so far. Recording may go on.

        Args:
            causal: in the order of cause and effect, which is the same in every run however the connections
                raced (see `loom_testing.transcript.ordering`); else in the order of arrival.
        """
        from loom_testing.transcript.finishing import finish

        with self._lock:
            recorded = [*self._head, *(item for item, _ in self._tail)]
            left_out = self._count - len(recorded)
        return finish(self, recorded, left_out, self._missed, causal=causal)

    def _add(self, who: str, way: Way, kind: Kind, rpc: str, call: int, what: Any) -> None:
        size = _size(what)
        at = self.clock() - self._zero
        with self._lock:
            item = Recorded(self._count, at, who, way, kind, rpc, call, what)
            self._count += 1
            self._keep(item, size)
        if self.tell is not None:
            self.tell(item)

    def _keep(self, item: Recorded, size: int) -> None:
        if not self._tail and self._fits(len(self._head), self._head_bytes + size):
            self._head.append(item)
            self._head_bytes += size
            return
        self._tail.append((item, size))
        self._tail_bytes += size
        while len(self._tail) > 1 and not self._fits(len(self._tail) - 1, self._tail_bytes):
            self._tail_bytes -= self._tail.popleft()[1]

    def _fits(self, entries: int, size: int) -> bool:
        """Whether a half that holds so many entries may hold one more, with so many bytes then."""
        return entries < max(1, self.most_entries // 2) and size <= self.most_bytes // 2


def _size(what: Any) -> int:
    if isinstance(what, tuple) and len(what) == 3:
        what = what[2]  # the message of a fault
    if isinstance(what, Message):
        return NOMINAL_BYTES + what.ByteSize()
    return NOMINAL_BYTES + (len(what) if isinstance(what, bytes) else 0)
