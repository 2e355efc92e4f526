"""The in-process store is bounded: what goes first, and what is refused."""

from __future__ import annotations

import pytest

from loom.errors import ConfigError, MemoryStoreError
from loom.memory import LocalMemory


async def test_the_thread_used_longest_ago_is_forgotten() -> None:
    store = LocalMemory(max_threads=2)
    await store.set("a", "k", 1)
    await store.set("b", "k", 2)
    assert await store.get("a", "k") == 1  # reading is using
    await store.set("c", "k", 3)
    assert [await store.get(thread, "k") for thread in "abc"] == [1, None, 3]
    assert store.forgotten == 1


async def test_bytes_are_bounded() -> None:
    store = LocalMemory(max_bytes=30)
    await store.set("a", "k", "x" * 10)  # 1 byte of key, 12 of value
    await store.set("b", "k", "x" * 10)
    assert repr(store) == "LocalMemory(2 threads, 26 bytes)"
    await store.append("c", "k", "x" * 10)
    assert await store.keys("a") == []
    assert await store.keys("b") == ["k"]
    assert repr(store) == "LocalMemory(2 threads, 28 bytes)"
    await store.delete("b", "k")
    await store.set("c", "k", 1)
    assert repr(store) == "LocalMemory(1 threads, 2 bytes)"


async def test_one_thread_cannot_fill_it_alone() -> None:
    store = LocalMemory(max_bytes=30)
    await store.set("a", "k", "x")
    await store.set("b", "k", "x" * 10)
    with pytest.raises(MemoryStoreError, match=r"thread 'b' would hold more than 30 bytes; .*sqlite:PATH"):
        await store.set("b", "l", "x" * 20)
    assert await store.items("b") == {"k": "x" * 10}
    assert await store.items("a") == {"k": "x"}
    assert store.forgotten == 0
    await store.set("b", "k", "y" * 20)
    assert await store.items("a") == {"k": "x"}


async def test_what_expires_makes_room() -> None:
    now = [0.0]
    store = LocalMemory(max_bytes=30, clock=lambda: now[0])
    await store.set("a", "k", "x" * 20, ttl=5)
    now[0] = 5.0
    await store.set("a", "l", "x" * 20)
    assert await store.keys("a") == ["l"]
    assert repr(store) == "LocalMemory(1 threads, 23 bytes)"


def test_malformed_bounds() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        LocalMemory(max_threads=0)
    with pytest.raises(ConfigError, match="at least 1"):
        LocalMemory(max_bytes=0)
