"""The in-process store: fast, bounded, gone with the process."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from loom.errors import ConfigError, MemoryStoreError
from loom.memory.store import appended, check_key, check_text, closed, expiry
from loom.payload import decode_json, encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LocalMemory"]


class _Entry(NamedTuple):
    data: bytes
    expires: float | None


class LocalMemory:
    """A `Memory` in this process, for one event loop.

    It is bounded: when it is full, the thread that was used longest ago is forgotten, and counted in
    `forgotten`. A single thread that would fill it alone is refused instead.

    Args:
        max_threads: so many threads are remembered, at least 1.
        max_bytes: so many bytes of keys and values are remembered, at least 1.
        clock: the time in seconds, for times to live.
    """

    def __init__(
        self,
        *,
        max_threads: int = 10_000,
        max_bytes: int = 64 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_threads < 1 or max_bytes < 1:
            raise ConfigError("max_threads and max_bytes of a LocalMemory are at least 1; give larger ones")
        self.max_threads = max_threads
        self.max_bytes = max_bytes
        self.forgotten = 0
        self._clock = clock
        # The thread used longest ago comes first.
        self._threads: OrderedDict[str, dict[str, _Entry]] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        self._closed = False

    @classmethod
    def from_location(cls, location: str) -> LocalMemory:
        """Opens `local`.

        Raises:
            ConfigError: something stands after the name.
        """
        if location:
            raise ConfigError(
                f"memory 'local:{location}' names a place, but local memory has none; write local"
            )
        return cls()

    def __repr__(self) -> str:
        return f"LocalMemory({len(self._threads)} threads, {self._bytes} bytes)"

    async def get(self, thread_id: str, key: str, default: Any = None) -> Any:
        """As `Memory.get`."""
        check_key(key)
        entry = self._live(thread_id).get(key)
        return default if entry is None else decode_json(entry.data)

    async def set(self, thread_id: str, key: str, value: object, *, ttl: float | None = None) -> None:
        """As `Memory.set`."""
        check_key(key)
        expires = expiry(ttl, self._clock)
        self._live(thread_id)
        self._put(thread_id, key, _Entry(encode_json(value), expires))

    async def append(self, thread_id: str, key: str, value: object, *, keep: int | None = None) -> int:
        """As `Memory.append`."""
        check_key(key)
        old = self._live(thread_id).get(key)
        data, length = appended(old and old.data, encode_json(value), keep, key)
        self._put(thread_id, key, _Entry(data, old.expires if old else None))
        return length

    async def delete(self, thread_id: str, key: str) -> bool:
        """As `Memory.delete`."""
        check_key(key)
        present = key in self._live(thread_id)
        if present:
            self._remove(thread_id, key)
        return present

    async def keys(self, thread_id: str, prefix: str = "") -> list[str]:
        """As `Memory.keys`."""
        check_text(prefix, "prefix")
        return sorted(key for key in self._live(thread_id) if key.startswith(prefix))

    async def items(self, thread_id: str, prefix: str = "") -> dict[str, Any]:
        """As `Memory.items`."""
        check_text(prefix, "prefix")
        live = self._live(thread_id)
        return {key: decode_json(live[key].data) for key in sorted(live) if key.startswith(prefix)}

    async def clear(self, thread_id: str) -> int:
        """As `Memory.clear`."""
        count = len(self._live(thread_id))
        self._forget(thread_id)
        return count

    async def close(self) -> None:
        """As `Memory.close`. What was remembered is gone."""
        self._closed = True
        self._threads.clear()
        self._sizes.clear()
        self._bytes = 0

    def _live(self, thread_id: str) -> dict[str, _Entry]:
        """The thread's entries that have not expired; the thread counts as used."""
        if self._closed:
            raise closed("local")
        check_text(thread_id, "thread_id")
        entries = self._threads.get(thread_id)
        if entries is None:
            return {}
        self._threads.move_to_end(thread_id)
        now = self._clock()
        for key in [
            key for key, entry in entries.items() if entry.expires is not None and entry.expires <= now
        ]:
            self._remove(thread_id, key)
        return entries

    def _put(self, thread_id: str, key: str, entry: _Entry) -> None:
        old = self._threads.get(thread_id, {}).get(key)
        growth = _size(key, entry) - (_size(key, old) if old else 0)
        if self._sizes.get(thread_id, 0) + growth > self.max_bytes:
            raise MemoryStoreError(
                f"thread {thread_id!r} would hold more than {self.max_bytes} bytes; delete keys of it, "
                "keep fewer elements, or use a store on disk (sqlite:PATH)"
            )
        self._threads.setdefault(thread_id, {})[key] = entry
        self._threads.move_to_end(thread_id)
        self._grow(thread_id, growth)
        while len(self._threads) > self.max_threads or self._bytes > self.max_bytes:
            self._forget(next(iter(self._threads)))  # never this thread: it comes last, and fits alone
            self.forgotten += 1

    def _remove(self, thread_id: str, key: str) -> None:
        entries = self._threads[thread_id]
        self._grow(thread_id, -_size(key, entries.pop(key)))
        if not entries:
            self._forget(thread_id)

    def _forget(self, thread_id: str) -> None:
        self._threads.pop(thread_id, None)
        self._bytes -= self._sizes.pop(thread_id, 0)

    def _grow(self, thread_id: str, by: int) -> None:
        self._sizes[thread_id] = self._sizes.get(thread_id, 0) + by
        self._bytes += by


def _size(key: str, entry: _Entry) -> int:
    return len(key.encode()) + len(entry.data)
