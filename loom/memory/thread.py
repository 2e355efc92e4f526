"""One thread's part of a memory store: what a handler sees as `ctx.memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.errors import InvalidOutput
from loom.payload import decode_into, encode_json

if TYPE_CHECKING:
    from loom.memory.store import Memory

__all__ = ["ThreadMemory"]

_MISSING = object()


class ThreadMemory:
    """The memory of one thread. The methods and what they raise are those of `Memory`, without the thread id.

    Attributes:
        store: the store behind it.
        thread_id: the thread.
    """

    __slots__ = ("store", "thread_id")

    def __init__(self, store: Memory, thread_id: str) -> None:
        self.store = store
        self.thread_id = thread_id

    def __repr__(self) -> str:
        return f"ThreadMemory({self.store!r}, {self.thread_id!r})"

    async def get(self, key: str, default: Any = None, *, into: Any = None) -> Any:
        """The value of a key, validated into the type `into` if one is given; `default` where there is none.

        Raises:
            InvalidOutput: the value does not fit `into`; `details` names the fields.
        """
        value = await self.store.get(self.thread_id, key, _MISSING)
        if value is _MISSING:
            return default
        if into is None:
            return value
        return decode_into(encode_json(value), into, error=InvalidOutput, what=f"memory {key!r}")

    async def set(self, key: str, value: object, *, ttl: float | None = None) -> None:
        """Sets a key, for `ttl` seconds or for good."""
        await self.store.set(self.thread_id, key, value, ttl=ttl)

    async def append(self, key: str, value: object, *, keep: int | None = None) -> int:
        """Appends to the list that a key holds, keeping the `keep` newest; returns how long it is now."""
        return await self.store.append(self.thread_id, key, value, keep=keep)

    async def delete(self, key: str) -> bool:
        """Deletes a key; returns whether it was there."""
        return await self.store.delete(self.thread_id, key)

    async def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`, sorted."""
        return await self.store.keys(self.thread_id, prefix)

    async def items(self, prefix: str = "") -> dict[str, Any]:
        """The keys that begin with `prefix`, sorted, with their values."""
        return await self.store.items(self.thread_id, prefix)

    async def clear(self) -> int:
        """Deletes all of the thread; returns how many keys it had."""
        return await self.store.clear(self.thread_id)
