"""The store in a SQLite file: survives a restart, and is shared by the processes of one machine."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from loom.errors import ConfigError, MemoryStoreError
from loom.memory.store import appended, check_key, check_text, closed, expiry
from loom.payload import decode_json, encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCHEMA_VERSION", "SQLiteMemory"]

T = TypeVar("T")

SCHEMA_VERSION = 1
"""The version of the tables, kept in the file's `user_version`."""

_APPLICATION_ID = int.from_bytes(b"LOOM", "big")
"""Says, in the file's header, whose file it is."""

_SCHEMA = """
CREATE TABLE items (
    thread TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    expires REAL,
    PRIMARY KEY (thread, key)
)
"""
_SCHEMA_INDEX = "CREATE INDEX items_expires ON items (expires) WHERE expires IS NOT NULL"

_LIVE = "(expires IS NULL OR expires > ?)"
"""The condition of a row that has not expired; its parameter is the time."""

_PURGE_EVERY = 256
"""Expired values are deleted when the store is opened and after so many writes."""

_RETRY_SECONDS = 0.02


class SQLiteMemory:
    """A `Memory` in a SQLite file (write-ahead log). It is opened at its first use.

    One thread owns the one connection, so that nothing blocks the event loop. A value that was set survives
    a crash of the process.

    Args:
        path: the file; it and its folder are made if they are not there.
        busy_timeout: so long a write waits for the other processes that write, seconds.
        clock: the time in seconds since the Unix epoch, for times to live.
    """

    def __init__(
        self, path: str | Path, *, busy_timeout: float = 10.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = Path(path).expanduser()
        self._busy_timeout = busy_timeout
        self._clock = clock
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loom-memory")
        self._connection: sqlite3.Connection | None = None
        self._writes = 0
        self._closed = False

    @classmethod
    def from_location(cls, location: str) -> SQLiteMemory:
        """Opens `sqlite:PATH`.

        Raises:
            ConfigError: the path is missing.
        """
        if not location:
            raise ConfigError("memory 'sqlite' names no file; write sqlite:PATH, such as sqlite:memory.db")
        return cls(location)

    def __repr__(self) -> str:
        return f"SQLiteMemory({str(self.path)!r})"

    async def get(self, thread_id: str, key: str, default: Any = None) -> Any:
        """As `Memory.get`."""
        check_text(thread_id, "thread_id")
        check_key(key)
        data, _ = await self._do(lambda connection: self._read(connection, thread_id, key))
        return default if data is None else decode_json(data)

    async def set(self, thread_id: str, key: str, value: object, *, ttl: float | None = None) -> None:
        """As `Memory.set`."""
        check_text(thread_id, "thread_id")
        check_key(key)
        data, expires = encode_json(value), expiry(ttl, self._clock)
        await self._do(lambda connection: self._write(connection, thread_id, key, data, expires))

    async def append(self, thread_id: str, key: str, value: object, *, keep: int | None = None) -> int:
        """As `Memory.append`."""
        check_text(thread_id, "thread_id")
        check_key(key)
        element = encode_json(value)

        def work(connection: sqlite3.Connection) -> int:
            with _Transaction(connection):
                old, expires = self._read(connection, thread_id, key)
                data, length = appended(old, element, keep, key)
                self._write(connection, thread_id, key, data, expires)
            return length

        return await self._do(work)

    async def delete(self, thread_id: str, key: str) -> bool:
        """As `Memory.delete`."""
        check_text(thread_id, "thread_id")
        check_key(key)
        where = "thread = ? AND key = ?"
        return await self._do(lambda connection: self._delete(connection, where, thread_id, key)) > 0

    async def keys(self, thread_id: str, prefix: str = "") -> list[str]:
        """As `Memory.keys`."""
        check_text(thread_id, "thread_id")
        check_text(prefix, "prefix")
        rows = await self._do(lambda connection: self._range(connection, thread_id, prefix))
        return [key for key, _ in rows]

    async def items(self, thread_id: str, prefix: str = "") -> dict[str, Any]:
        """As `Memory.items`."""
        check_text(thread_id, "thread_id")
        check_text(prefix, "prefix")
        rows = await self._do(lambda connection: self._range(connection, thread_id, prefix))
        return {key: decode_json(data) for key, data in rows}

    async def clear(self, thread_id: str) -> int:
        """As `Memory.clear`."""
        check_text(thread_id, "thread_id")
        return await self._do(lambda connection: self._delete(connection, "thread = ?", thread_id))

    async def close(self) -> None:
        """As `Memory.close`."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown(wait=False)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does some work in the store's thread.

        Raises:
            MemoryStoreError: SQLite failed, or the store is closed.
        """
        if self._closed:
            raise closed(f"at {self.path}")

        def run() -> T:
            try:
                if self._connection is None:
                    self._connection = self._open()
                return work(self._connection)
            except (sqlite3.Error, OSError) as error:
                raise MemoryStoreError(f"memory at {self.path}: {error}; {_remedy(error)}") from error

        return await asyncio.get_running_loop().run_in_executor(self._executor, run)

    # What follows runs in the store's thread.

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)  # what agents remember is for their own user only
        connection = sqlite3.connect(self.path, timeout=self._busy_timeout, isolation_level=None)
        try:
            self._enter_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")  # with the log: survives a crash of the process
            with _Transaction(connection):
                self._prepare(connection)
            self._purge(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _enter_wal(self, connection: sqlite3.Connection) -> None:
        """Turns the write-ahead log on. SQLite itself does not wait here for others that do the same."""
        deadline = time.monotonic() + self._busy_timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= deadline:
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                return

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Makes the tables of a new file, and refuses the files of others."""
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == _APPLICATION_ID and version == SCHEMA_VERSION:
            return
        if application == _APPLICATION_ID:
            raise MemoryStoreError(
                f"memory at {self.path} has schema {version}, but this Loom knows schema {SCHEMA_VERSION}; "
                "upgrade loom-py, or name another file"
            )
        if application or version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise MemoryStoreError(f"{self.path} is the database of another program; name another file")
        connection.execute(_SCHEMA)
        connection.execute(_SCHEMA_INDEX)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _read(
        self, connection: sqlite3.Connection, thread_id: str, key: str
    ) -> tuple[bytes | None, float | None]:
        """The live value of a key and when it expires."""
        row = connection.execute(
            f"SELECT value, expires FROM items WHERE thread = ? AND key = ? AND {_LIVE}",  # noqa: S608 - ours
            (thread_id, key, self._clock()),
        ).fetchone()
        return (None, None) if row is None else (bytes(row[0]), row[1])

    def _write(
        self, connection: sqlite3.Connection, thread_id: str, key: str, data: bytes, expires: float | None
    ) -> None:
        connection.execute("REPLACE INTO items VALUES (?, ?, ?, ?)", (thread_id, key, data, expires))
        self._writes += 1
        if self._writes % _PURGE_EVERY == 0:
            self._purge(connection)

    def _delete(self, connection: sqlite3.Connection, where: str, *values: str) -> int:
        """Deletes rows; returns how many of them were live."""
        with _Transaction(connection):
            count = connection.execute(
                f"SELECT count(*) FROM items WHERE {where} AND {_LIVE}",  # noqa: S608 - ours
                (*values, self._clock()),
            ).fetchone()[0]
            connection.execute(f"DELETE FROM items WHERE {where}", values)  # noqa: S608 - ours
        return int(count)

    def _range(self, connection: sqlite3.Connection, thread_id: str, prefix: str) -> list[tuple[str, bytes]]:
        """The live rows whose key begins with `prefix`; sorted by their bytes, they stand together."""
        rows = []
        cursor = connection.execute(
            f"SELECT key, value FROM items WHERE thread = ? AND key >= ? AND {_LIVE} ORDER BY key",  # noqa: S608 - ours
            (thread_id, prefix, self._clock()),
        )
        for key, data in cursor:
            if not key.startswith(prefix):
                break
            rows.append((key, bytes(data)))
        cursor.close()
        return rows

    def _purge(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM items WHERE expires <= ?", (self._clock(),))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Transaction:
    """A transaction that takes the write lock at once, so that it never fails half-way for want of it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:  # it failed, and SQLite has not already rolled it back
                self._connection.execute("ROLLBACK")


def _remedy(error: Exception) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return "another program writes to it for too long; try again, or raise busy_timeout"
    if "full" in text:
        return "make room on the disk"
    if "not a database" in text or "malformed" in text:
        return "the file is not one of Loom's, or damaged: name another"
    return "check that the file and its folder can be written"
