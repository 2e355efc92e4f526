"""The SQLite store survives restarts and crashes, is shared by processes, and refuses the files of others."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from loom.errors import MemoryStoreError
from loom.memory import SQLiteMemory
from loom.memory.sqlite import SCHEMA_VERSION


async def test_it_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    first = SQLiteMemory(path)
    await first.set("t", "k", {"a": 1})
    await first.set("t", "short", 1, ttl=3600)
    await first.close()
    second = SQLiteMemory(str(path))
    assert await second.items("t") == {"k": {"a": 1}, "short": 1}
    await second.close()


def run_program(path: Path, *lines: str) -> subprocess.Popen[str]:
    """Starts a process that opens the store and does these lines with it."""
    program = [
        "import asyncio, os, signal, sys",
        "from loom.memory import SQLiteMemory",
        "async def main():",
        "    store = SQLiteMemory(sys.argv[1])",
        *(f"    {line}" for line in lines),
        "asyncio.run(main())",
    ]
    command = [sys.executable, "-c", "\n".join(program), str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_it_survives_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    crash = run_program(path, "await store.set('t', 'k', 'kept')", "os.kill(os.getpid(), signal.SIGKILL)")
    assert crash.wait(60) == -signal.SIGKILL
    crash.communicate()
    store = SQLiteMemory(path)
    assert await store.get("t", "k") == "kept"
    await store.close()


async def test_processes_share_it(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    work = ["for n in range(30): await store.append('t', 'log', [os.getpid(), n])", "await store.close()"]
    programs = [run_program(path, *work) for _ in range(3)]
    for program in programs:
        _, errors = await asyncio.to_thread(program.communicate, timeout=60)
        assert program.returncode == 0, errors
    store = SQLiteMemory(path)
    log = await store.get("t", "log")
    await store.close()
    for program in programs:
        assert [number for pid, number in log if pid == program.pid] == list(range(30))


async def test_its_header_says_whose_and_which(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    store = SQLiteMemory(path)
    await store.set("t", "k", 1)
    await store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone()[0].to_bytes(4, "big") == b"LOOM"
    assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION == 1
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    store = SQLiteMemory(path)
    await store.set("t", "k", 1)
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    newer = SQLiteMemory(path)
    with pytest.raises(
        MemoryStoreError, match="has schema 99, but this Loom knows schema 1; upgrade loom-py"
    ):
        await newer.get("t", "k")
    await newer.close()


async def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (id)")
    connection.close()
    store = SQLiteMemory(path)
    with pytest.raises(MemoryStoreError, match="is the database of another program; name another file"):
        await store.set("t", "k", 1)
    await store.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, and no database at all\n" * 100)
    store = SQLiteMemory(path)
    with pytest.raises(MemoryStoreError, match=r"notes\.txt: file is not a database; .*name another"):
        await store.get("t", "k")
    await store.close()
    assert path.read_text().startswith("these are my notes")


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "memory.db", tmp_path):
        store = SQLiteMemory(path)
        with pytest.raises(
            MemoryStoreError, match="check that the file and its folder can be written"
        ) as caught:
            await store.get("t", "k")
        assert "\n" not in caught.value.message
        await store.close()


async def test_a_writer_that_never_ends_is_told(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    store = SQLiteMemory(path, busy_timeout=0.05)
    await store.set("t", "k", 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(
        MemoryStoreError, match="database is locked; another program writes to it for too long"
    ):
        await store.append("t", "log", 2)
    assert await store.get("t", "k") == 1  # readers go on
    other.execute("ROLLBACK")
    other.close()
    assert await store.append("t", "log", 2) == 1
    await store.close()


async def test_opening_waits_for_another_that_opens(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    impatient = SQLiteMemory(path, busy_timeout=0.05)
    with pytest.raises(MemoryStoreError, match="locked"):
        await impatient.get("t", "k")
    await impatient.close()
    patient = SQLiteMemory(path, busy_timeout=30)
    task = asyncio.create_task(patient.get("t", "k", "none"))
    await asyncio.wait([task], timeout=0.1)
    assert not task.done()
    other.execute("ROLLBACK")
    other.close()
    assert await task == "none"
    await patient.close()


async def test_expired_values_leave_the_file(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    now = [1_000.0]
    store = SQLiteMemory(path, clock=lambda: now[0])
    for number in range(5):
        await store.set("t", f"short{number}", 1, ttl=1)
    now[0] += 1
    for _ in range(256):
        await store.set("t", "k", 1)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT key FROM items").fetchall() == [("k",)]
    connection.close()
    await store.close()


def test_one_store_serves_several_loops(tmp_path: Path) -> None:
    store = SQLiteMemory(tmp_path / "memory.db")
    asyncio.run(store.set("t", "k", 1))
    assert asyncio.run(store.get("t", "k")) == 1
    assert repr(store) == f"SQLiteMemory({str(tmp_path / 'memory.db')!r})"
    asyncio.run(store.close())


async def test_the_loop_goes_on_while_the_disk_is_slow(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    store = SQLiteMemory(path, busy_timeout=30)
    await store.set("t", "k", 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(store.set("t", "k", 2))
    await asyncio.wait([task], timeout=0.05)
    assert not task.done()
    other.execute("COMMIT")
    other.close()
    await task
    await store.close()
