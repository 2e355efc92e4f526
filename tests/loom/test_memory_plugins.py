"""Stores by name: the two of Loom, those of other packages, and names nobody offers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loom.errors import ConfigError
from loom.memory import LocalMemory, SQLiteMemory, open_memory


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, target: str, code: str = "") -> None:
    """Puts a package with a memory store on the path, as an installer would."""
    info = folder / "otherstore-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: otherstore\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[loom.memory]\nother = {target}\n")
    (folder / "otherstore_plugin.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "otherstore_plugin", raising=False)


def test_local() -> None:
    assert isinstance(open_memory("local"), LocalMemory)
    with pytest.raises(ConfigError, match="write local"):
        open_memory("local:somewhere")


async def test_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_memory("sqlite:deep/memory.db")
    assert isinstance(store, SQLiteMemory)
    await store.set("t", "k", 1)
    await store.close()
    assert (tmp_path / "deep/memory.db").is_file()
    with pytest.raises(ConfigError, match="write sqlite:PATH"):
        open_memory("sqlite:")


async def test_the_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    store = open_memory("sqlite:~/memory.db")
    assert repr(store) == f"SQLiteMemory({str(tmp_path / 'memory.db')!r})"
    await store.close()


@pytest.mark.parametrize("spec", ["", "redis", "redis:localhost:6379", ":x"])
def test_an_unknown_store_lists_those_installed(spec: str) -> None:
    with pytest.raises(ConfigError, match=r"there is no memory store .*installed are local, sqlite$"):
        open_memory(spec)


def test_another_packages_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from loom.memory import LocalMemory\n"
        "class OtherMemory(LocalMemory):\n"
        "    @classmethod\n"
        "    def from_location(cls, location):\n"
        "        store = cls()\n"
        "        store.location = location\n"
        "        return store\n"
    )
    install(tmp_path, monkeypatch, "otherstore_plugin:OtherMemory", code)
    store = open_memory("other:host:1")
    assert type(store).__name__ == "OtherMemory"
    assert vars(store)["location"] == "host:1"
    with pytest.raises(ConfigError, match="installed are local, other, sqlite"):
        open_memory("none")


def test_a_store_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "otherstore_plugin:OtherMemory", "raise RuntimeError('no luck')")
    with pytest.raises(ConfigError, match="'other' of otherstore cannot be loaded: no luck"):
        open_memory("other")


def test_a_store_without_from_location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "otherstore_plugin:thing", "thing = 3")
    with pytest.raises(ConfigError, match=r"'other' of otherstore offers no from_location"):
        open_memory("other")
