"""What every memory store does: one suite, and one model, that each of them is held against."""

import asyncio
import dataclasses
import enum
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import BaseModel

from loom.errors import InvalidInput, InvalidOutput, MemoryStoreError, PayloadError
from loom.memory import LocalMemory, Memory, SQLiteMemory, ThreadMemory

T = TypeVar("T")


class Clock:
    """The time in seconds; it moves only by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Mood(enum.Enum):
    GOOD = "good"


class Note(BaseModel):
    text: str
    mood: Mood = Mood.GOOD


@dataclasses.dataclass
class Point:
    x: int


Open = Callable[[Path, Clock], Memory]


def open_local(_: Path, clock: Clock) -> Memory:
    return LocalMemory(clock=clock)


def open_sqlite(folder: Path, clock: Clock) -> Memory:
    return SQLiteMemory(folder / "deep" / "memory.db", clock=clock)


STORES = {"local": open_local, "sqlite": open_sqlite}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=sorted(STORES))
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Memory]:
    store = STORES[request.param](tmp_path, clock)
    yield store
    await store.close()


def test_both_are_memories() -> None:
    assert isinstance(LocalMemory(), Memory)
    assert issubclass(SQLiteMemory, Memory)


async def test_what_is_set_is_there(store: Memory) -> None:
    assert await store.get("t", "k") is None
    assert await store.get("t", "k", "default") == "default"
    await store.set("t", "k", {"a": [1, None, "ä\0"]})
    assert await store.get("t", "k") == {"a": [1, None, "ä\0"]}
    await store.set("t", "k", None)
    assert await store.get("t", "k", "default") is None


async def test_threads_do_not_see_each_other(store: Memory) -> None:
    for thread in ("a", "b", "", "a\0", "ä"):
        await store.set(thread, "k", thread)
    for thread in ("a", "b", "", "a\0", "ä"):
        assert await store.items(thread) == {"k": thread}
    assert await store.clear("a") == 1
    assert await store.keys("a") == []
    assert await store.get("b", "k") == "b"


async def test_models_go_in_and_plain_data_comes_out(store: Memory) -> None:
    await store.set("t", "k", [Note(text="n"), Point(3)])
    assert await store.get("t", "k") == [{"text": "n", "mood": "good"}, {"x": 3}]


async def test_a_value_is_a_copy(store: Memory) -> None:
    value = {"list": [1]}
    await store.set("t", "k", value)
    value["list"].append(2)
    (await store.get("t", "k"))["list"].append(3)
    assert await store.get("t", "k") == {"list": [1]}


async def test_delete_and_clear(store: Memory) -> None:
    await store.set("t", "k", 1)
    await store.set("t", "l", 2)
    assert await store.delete("t", "k") is True
    assert await store.delete("t", "k") is False
    assert await store.keys("t") == ["l"]
    assert await store.clear("t") == 1
    assert await store.clear("t") == 0


async def test_keys_by_prefix_are_sorted(store: Memory) -> None:
    for key in ("b", "a%", "a_1", "a", "aa", "ä", "a\uffff", "a\U0001f600", "A"):
        await store.set("t", key, key)
    assert await store.keys("t") == ["A", "a", "a%", "a_1", "aa", "a\uffff", "a\U0001f600", "b", "ä"]
    assert await store.keys("t", "a") == ["a", "a%", "a_1", "aa", "a\uffff", "a\U0001f600"]
    assert await store.items("t", "a_") == {"a_1": "a_1"}
    assert list(await store.items("t")) == await store.keys("t")
    assert await store.keys("t", "zzz") == []


async def test_append(store: Memory) -> None:
    assert await store.append("t", "log", 1) == 1
    assert await store.append("t", "log", Note(text="n")) == 2
    assert await store.append("t", "log", 3, keep=2) == 2
    assert await store.get("t", "log") == [{"text": "n", "mood": "good"}, 3]
    await store.set("t", "text", "not a list")
    with pytest.raises(MemoryStoreError, match="memory 'text' holds no list"):
        await store.append("t", "text", 1)
    assert await store.get("t", "text") == "not a list"


async def test_concurrent_appends_lose_nothing(store: Memory) -> None:
    await asyncio.gather(*(store.append("t", "log", number) for number in range(50)))
    assert sorted(await store.get("t", "log")) == list(range(50))


async def test_a_time_to_live(store: Memory, clock: Clock) -> None:
    await store.set("t", "short", 1, ttl=10)
    await store.set("t", "good", 2)
    clock.now += 9.5
    assert await store.keys("t") == ["good", "short"]
    clock.now += 0.5
    assert await store.get("t", "short") is None
    assert await store.items("t") == {"good": 2}
    assert await store.delete("t", "short") is False
    assert await store.clear("t") == 1


async def test_setting_again_ends_a_time_to_live_and_appending_keeps_it(store: Memory, clock: Clock) -> None:
    await store.set("t", "set", 1, ttl=10)
    await store.set("t", "set", 2)
    await store.set("t", "log", [], ttl=10)
    assert await store.append("t", "log", 1) == 1
    clock.now += 10
    assert await store.items("t") == {"set": 2}
    assert await store.append("t", "log", 2) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ä" * 128, "\ud800", 3])
async def test_malformed_keys(store: Memory, key: Any) -> None:
    for operation in (
        store.get("t", key), store.set("t", key, 1), store.append("t", key, 1), store.delete("t", key),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match="is not a text of 1 to 255 bytes"):
            await operation


@pytest.mark.parametrize("text", ["\ud800", None])
async def test_malformed_threads_and_prefixes(store: Memory, text: Any) -> None:
    for operation in (
        store.get(text, "k"), store.set(text, "k", 1), store.append(text, "k", 1), store.delete(text, "k"),
        store.keys(text), store.items(text), store.clear(text), store.keys("t", text), store.items("t", text),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match="not text in UTF-8"):
            await operation


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), True, "10"])
async def test_malformed_times_to_live(store: Memory, ttl: Any) -> None:
    with pytest.raises(InvalidInput, match="give seconds above 0"):
        await store.set("t", "k", 1, ttl=ttl)


@pytest.mark.parametrize("keep", [0, -1, True, 1.5])
async def test_malformed_keep(store: Memory, keep: Any) -> None:
    with pytest.raises(InvalidInput, match="keep is"):
        await store.append("t", "k", 1, keep=keep)


async def test_what_is_not_json_changes_nothing(store: Memory) -> None:
    await store.set("t", "k", [1])
    for value in (object(), float("nan")):
        with pytest.raises(PayloadError):
            await store.set("t", "k", value)
        with pytest.raises(PayloadError):
            await store.append("t", "k", value)
    assert await store.get("t", "k") == [1]


async def test_a_closed_store_says_so(store: Memory) -> None:
    await store.set("t", "k", 1)
    await store.close()
    await store.close()
    for operation in (store.get("t", "k"), store.set("t", "k", 1), store.keys("t"), store.clear("t")):
        with pytest.raises(MemoryStoreError, match="is closed; open a new one"):
            await operation


async def test_a_threads_part(store: Memory) -> None:
    mine, other = ThreadMemory(store, "t"), ThreadMemory(store, "u")
    await mine.set("note", Note(text="n"), ttl=60)
    await other.set("note", "other")
    assert await mine.get("note", into=Note) == Note(text="n")
    assert await mine.get("none", "default", into=Note) == "default"
    assert await mine.get("note") == {"text": "n", "mood": "good"}
    with pytest.raises(InvalidOutput, match="memory 'note' does not fit Point: field 'x'"):
        await mine.get("note", into=Point)
    assert await mine.append("log", 1, keep=5) == 1
    assert await mine.keys() == ["log", "note"]
    assert await mine.items("l") == {"log": [1]}
    assert await mine.delete("log") is True
    assert await mine.clear() == 1
    assert await other.items() == {"note": "other"}
    assert (mine.store, mine.thread_id) == (store, "t")
    assert repr(mine) == f"ThreadMemory({store!r}, 't')"


threads = st.sampled_from(["", "a", "b"])
keys = st.sampled_from(["k", "kk", "k\0", "l", "ä"])
values = (
    st.none() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])) | st.lists(st.integers())
)


class MemoryModel(RuleBasedStateMachine):
    """A store against a dict of (thread, key) -> (value, when it expires)."""

    open: Open

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.runner = asyncio.Runner()
        self.model: dict[tuple[str, str], tuple[Any, float | None]] = {}

    def do(self, operation: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(operation)

    def live(self, thread: str) -> dict[str, Any]:
        entries = {key: entry for (owner, key), entry in self.model.items() if owner == thread}
        return {
            key: value
            for key, (value, expires) in sorted(entries.items())
            if expires is None or expires > self.clock.now
        }

    @initialize()
    def begin(self) -> None:
        self.store = type(self).open(Path(self.folder.name), self.clock)

    @rule(thread=threads, key=keys, value=values, ttl=st.none() | st.sampled_from([1.0, 5.0]))
    def set(self, thread: str, key: str, value: Any, ttl: float | None) -> None:
        self.do(self.store.set(thread, key, value, ttl=ttl))
        self.model[thread, key] = (value, None if ttl is None else self.clock.now + ttl)

    @rule(thread=threads, key=keys, value=st.integers(), keep=st.none() | st.integers(1, 3))
    def append(self, thread: str, key: str, value: int, keep: int | None) -> None:
        old = self.live(thread).get(key, [])
        if not isinstance(old, list):
            with pytest.raises(MemoryStoreError):
                self.do(self.store.append(thread, key, value, keep=keep))
            return
        new = [*old, value][-keep if keep else 0 :]
        assert self.do(self.store.append(thread, key, value, keep=keep)) == len(new)
        expires = self.model[thread, key][1] if key in self.live(thread) else None
        self.model[thread, key] = (new, expires)

    @rule(thread=threads, key=keys)
    def delete(self, thread: str, key: str) -> None:
        assert self.do(self.store.delete(thread, key)) is (key in self.live(thread))
        self.model.pop((thread, key), None)

    @rule(thread=threads)
    def clear(self, thread: str) -> None:
        assert self.do(self.store.clear(thread)) == len(self.live(thread))
        self.model = {key: value for key, value in self.model.items() if key[0] != thread}

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(thread=threads, prefix=st.sampled_from(["k", "kk", "l", "x"]))
    def look(self, thread: str, prefix: str) -> None:
        expected = {key: value for key, value in self.live(thread).items() if key.startswith(prefix)}
        assert self.do(self.store.items(thread, prefix)) == expected
        assert self.do(self.store.keys(thread, prefix)) == list(expected)

    @precondition(lambda self: isinstance(self.store, SQLiteMemory))
    @rule()
    def restart(self) -> None:
        self.do(self.store.close())
        self.begin()

    @invariant()
    def the_same_is_there(self) -> None:
        for thread in ("", "a", "b"):
            expected = self.live(thread)
            items = self.do(self.store.items(thread))
            assert items == expected
            assert list(items) == sorted(items)
            for key in ("k", "l"):
                assert self.do(self.store.get(thread, key, "none")) == expected.get(key, "none")

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.do(self.store.close())
        self.runner.close()
        self.folder.cleanup()


class LocalModel(MemoryModel):
    open = staticmethod(open_local)


class SQLiteModel(MemoryModel):
    open = staticmethod(open_sqlite)


TestLocalModel = LocalModel.TestCase
TestLocalModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestSQLiteModel = SQLiteModel.TestCase
TestSQLiteModel.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
