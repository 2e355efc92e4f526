"""What is queued for one stream, and the copies of events that wait for a place in it (FLOW-1).

A plain container: it knows order, sizes and expiry, and nothing of engines. Events and calls count against
the limits; replies of the bridge (pongs, errors, receipts) are bounded by reading no further from a client
that does not take them.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from loom_testing.engine.limits import Limits
from loom_testing.engine.messages import ActionCall, ServerMessage

__all__ = ["REALTIME", "Copy", "Entry", "HandedCall", "Outbox", "Published", "Reply"]

REALTIME = 0


@dataclass(slots=True, eq=False)
class Published:
    """An accepted event, shared by its copies."""

    topic: str
    event: bytes
    type: str
    publisher: str
    expires: int | None


@dataclass(slots=True, eq=False)
class Copy:
    """One event for one subscriber. `groups` are the queue groups for which the agent was chosen."""

    published: Published
    qos: int
    groups: tuple[str, ...] = ()
    key: int = 0
    """Its place: counted up over queue and waiting room; 0 once it is in neither."""


@dataclass(slots=True, eq=False)
class HandedCall:
    """A call for the agent."""

    number: int
    message: ActionCall
    size: int


@dataclass(slots=True, eq=False)
class Reply:
    """A message of the bridge itself."""

    message: ServerMessage


Entry = Copy | HandedCall | Reply


class Outbox:
    """The queue of one stream, in order, and its waiting room."""

    def __init__(self) -> None:
        self.queue: OrderedDict[int, Entry] = OrderedDict()
        self.waiting: OrderedDict[int, Copy] = OrderedDict()
        self.events = 0
        self.bytes = 0
        self.replies = 0
        self._realtime: OrderedDict[int, None] = OrderedDict()
        self._calls: dict[int, int] = {}
        """Where a call stands in the queue, by its number."""
        self._expiries: list[tuple[int, int, Copy]] = []
        self._last_key = 0

    def has_room(self, size: int, limits: Limits) -> bool:
        """Whether an event or call of `size` bytes fits. An empty queue takes whatever was accepted."""
        if self.events == 0:
            return True
        return self.events < limits.queue_events and self.bytes + size <= limits.queue_bytes

    def append(self, entry: Entry) -> None:
        """Queues an entry; room was made sure of."""
        key = self._next_key()
        self.queue[key] = entry
        if isinstance(entry, Copy):
            self.events += 1
            self.bytes += len(entry.published.event)
            self._note(entry, key)
            if entry.qos == REALTIME:
                self._realtime[key] = None
        elif isinstance(entry, HandedCall):
            self.events += 1
            self.bytes += entry.size
            self._calls[entry.number] = key
        else:
            self.replies += 1

    def wait(self, copy: Copy) -> None:
        """Lets a copy wait until the queue has room."""
        key = self._next_key()
        self.waiting[key] = copy
        self._note(copy, key)

    def admit(self, limits: Limits) -> Copy | None:
        """Moves the first waiting copy into the queue, if there is one and it fits."""
        if not self.waiting:
            return None
        key, copy = next(iter(self.waiting.items()))
        if not self.has_room(len(copy.published.event), limits):
            return None
        del self.waiting[key]
        self.append(copy)
        return copy

    def pop(self) -> Entry:
        """Takes the first entry of a queue that has one."""
        key, entry = self.queue.popitem(last=False)
        self._forget(key, entry)
        return entry

    def drop_realtime(self) -> Copy | None:
        """Takes the oldest realtime copy out of the queue, if there is one."""
        if not self._realtime:
            return None
        key = next(iter(self._realtime))
        entry = self.queue.pop(key)
        self._forget(key, entry)
        assert isinstance(entry, Copy)
        return entry

    def remove_call(self, number: int) -> bool:
        """Takes a call out of the queue; says whether it was still there."""
        key = self._calls.get(number)
        if key is None:
            return False
        self._forget(key, self.queue.pop(key))
        return True

    def next_expiry(self) -> int | None:
        """When the next copy expires, queued or waiting."""
        while self._expiries and self._expiries[0][2].key != self._expiries[0][1]:
            heapq.heappop(self._expiries)
        return self._expiries[0][0] if self._expiries else None

    def expire(self, now: int) -> Iterator[tuple[Copy, bool]]:
        """Takes out what expired, and says of each whether it was still waiting."""
        while True:
            expiry = self.next_expiry()
            if expiry is None or expiry > now:
                return
            _, key, copy = heapq.heappop(self._expiries)
            if self.waiting.pop(key, None) is not None:
                copy.key = 0
                yield copy, True
            else:
                del self.queue[key]
                self._forget(key, copy)
                yield copy, False

    def copies(self) -> list[Copy]:
        """Every copy, queued ones first, in order."""
        queued = [entry for entry in self.queue.values() if isinstance(entry, Copy)]
        return queued + list(self.waiting.values())

    def take_copies_of(self, other: Outbox) -> None:
        """Moves the copies of another outbox behind what is here, queued and waiting ones as they are."""
        for entry in other.queue.values():
            if isinstance(entry, Copy):
                self.append(entry)
        for copy in other.waiting.values():
            self.wait(copy)
        other.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self.queue.clear()
        self.waiting.clear()
        self._realtime.clear()
        self._calls.clear()
        self._expiries.clear()
        self.events = self.bytes = self.replies = 0

    def _next_key(self) -> int:
        self._last_key += 1
        return self._last_key

    def _note(self, copy: Copy, key: int) -> None:
        copy.key = key
        if copy.published.expires is not None:
            heapq.heappush(self._expiries, (copy.published.expires, key, copy))
            if len(self._expiries) > 64 and len(self._expiries) > 2 * (self.events + len(self.waiting)):
                self._expiries = [item for item in self._expiries if item[2].key == item[1]]
                heapq.heapify(self._expiries)

    def _forget(self, key: int, entry: Entry) -> None:
        if isinstance(entry, Copy):
            self.events -= 1
            self.bytes -= len(entry.published.event)
            self._realtime.pop(key, None)
            entry.key = 0
        elif isinstance(entry, HandedCall):
            self.events -= 1
            self.bytes -= entry.size
            del self._calls[entry.number]
        else:
            self.replies -= 1
