"""What a memory store is, and what every store checks before it stores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from loom.errors import InvalidInput, MemoryStoreError
from loom.payload import decode_json, encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_KEY_BYTES", "Memory", "appended", "check_key", "check_text", "closed", "expiry"]

MICRO_DIGITS = 6
"""Moments are kept in whole microseconds: what expires does not depend on how sums are rounded."""
MAX_KEY_BYTES = 255
"""The longest key, bytes in UTF-8."""


@runtime_checkable
class Memory(Protocol):
    """A store of JSON values by thread and key. Threads do not see each other.

    A value goes in as anything that can be written as JSON (models, dataclasses, dict, list, scalars) and
    comes out as plain data, a copy of its own. Keys are texts of 1 to `MAX_KEY_BYTES` bytes; keys come out
    sorted by code point. Each method takes effect as a whole or not at all, also among processes that share
    a store.

    Every method raises:
        InvalidInput: a key, thread id or time to live is malformed.
        MemoryStoreError: the store cannot be read or written, is full, or is closed.
    """

    async def get(self, thread_id: str, key: str, default: Any = None) -> Any:
        """The value of a key; `default` where there is none."""
        ...

    async def set(self, thread_id: str, key: str, value: object, *, ttl: float | None = None) -> None:
        """Sets a key, for `ttl` seconds (above 0) or for good.

        Raises:
            PayloadError: the value cannot be written as JSON.
        """
        ...

    async def append(self, thread_id: str, key: str, value: object, *, keep: int | None = None) -> int:
        """Appends to the list that a key holds (none yet: an empty one); returns how long it is now.

        A time to live goes on as it was.

        Args:
            thread_id: the thread.
            key: the key.
            value: what to append.
            keep: only so many of the newest elements are kept, at least 1.

        Raises:
            PayloadError: the value cannot be written as JSON.
            MemoryStoreError: the key holds something that is not a list.
        """
        ...

    async def delete(self, thread_id: str, key: str) -> bool:
        """Deletes a key; returns whether it was there."""
        ...

    async def keys(self, thread_id: str, prefix: str = "") -> list[str]:
        """The thread's keys that begin with `prefix`, sorted."""
        ...

    async def items(self, thread_id: str, prefix: str = "") -> dict[str, Any]:
        """The thread's keys that begin with `prefix`, sorted, with their values."""
        ...

    async def clear(self, thread_id: str) -> int:
        """Deletes all of a thread; returns how many keys it had."""
        ...

    async def close(self) -> None:
        """Lets go of what the store holds open. A closed store stays closed; closing twice is fine."""
        ...


def check_text(text: str, name: str) -> None:
    """Checks a thread id or prefix: any text, also the empty one.

    Raises:
        InvalidInput: it is not text that can be written as UTF-8.
    """
    if not isinstance(text, str) or _utf8_length(text) is None:
        raise InvalidInput(
            f"{name} {text!r} is not text in UTF-8; give a text without lone surrogates",
            details={name: "not text in UTF-8"},
        )


def check_key(key: str) -> None:
    """Checks a key.

    Raises:
        InvalidInput: it is not a text of 1 to `MAX_KEY_BYTES` bytes.
    """
    length = _utf8_length(key) if isinstance(key, str) else None
    if length is None or not 1 <= length <= MAX_KEY_BYTES:
        shown = repr(key)
        shown = shown if len(shown) <= 40 else shown[:37] + "..."
        raise InvalidInput(
            f"memory key {shown} is not a text of 1 to {MAX_KEY_BYTES} bytes; choose a short name",
            details={"key": f"not a text of 1 to {MAX_KEY_BYTES} bytes"},
        )


def expiry(ttl: float | None, clock: Callable[[], float]) -> float | None:
    """When a value set now expires, by the clock, seconds; None for never.

    Raises:
        InvalidInput: `ttl` is not a number of seconds above 0.
    """
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not (math.isfinite(ttl) and ttl > 0):
        raise InvalidInput(
            f"ttl is {ttl!r}; give seconds above 0, or None for good", details={"ttl": "not seconds above 0"}
        )
    return round(clock() + ttl, MICRO_DIGITS)


def appended(data: bytes | None, element: bytes, keep: int | None, key: str) -> tuple[bytes, int]:
    """A stored list with one element more, encoded, and its length.

    Raises:
        InvalidInput: `keep` is below 1.
        MemoryStoreError: what is stored is not a list.
    """
    if keep is not None and (isinstance(keep, bool) or not isinstance(keep, int) or keep < 1):
        raise InvalidInput(f"keep is {keep!r}; give a whole number from 1", details={"keep": "not from 1"})
    elements = [] if data is None else decode_json(data)
    if not isinstance(elements, list):
        raise MemoryStoreError(f"memory {key!r} holds no list; set it to [] or append to another key")
    elements.append(decode_json(element))
    elements = elements if keep is None else elements[-keep:]
    return encode_json(elements), len(elements)


def closed(name: str) -> MemoryStoreError:
    """The error of a store that is used after `close`."""
    return MemoryStoreError(f"the memory {name} is closed; open a new one")


def _utf8_length(text: str) -> int | None:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None
