"""Memory: what agents remember of a thread of work, as JSON values by key.

Layout:
    store.py    `Memory`, the protocol of a store, and what every store checks
    thread.py   `ThreadMemory`, one thread's part of a store (`ctx.memory`)
    local.py    `LocalMemory`, in the process, bounded, gone with it
    sqlite.py   `SQLiteMemory`, in a file, survives a restart, shared by processes
    plugins.py  `open_memory`, stores by name, also those of other packages
"""

from __future__ import annotations

from loom.memory.local import LocalMemory
from loom.memory.plugins import MemoryPlugin, open_memory
from loom.memory.sqlite import SQLiteMemory
from loom.memory.store import Memory
from loom.memory.thread import ThreadMemory

__all__ = ["LocalMemory", "Memory", "MemoryPlugin", "SQLiteMemory", "ThreadMemory", "open_memory"]
