"""Where the Rust bridge's binary is looked for, and in which order."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from loom.errors import BridgeUnavailable, ConfigError
from loom.runtime import cargo, rust

ELF = b"\x7fELF\x02\x01"


def program(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch, tmp_path):
    """A machine without a package, a checkout or cargo."""
    monkeypatch.setitem(sys.modules, "loom_bridge", None)
    monkeypatch.setattr(cargo, "workspace", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """The package, without its metadata's version of a real installation."""
    path = program(tmp_path / "venv/bin/loom-bridge")
    package = types.ModuleType("loom_bridge")
    package.__dict__["find_loom_bridge_bin"] = lambda: str(path)
    monkeypatch.setitem(sys.modules, "loom_bridge", package)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.1.0")
    return path


@pytest.fixture
def workspace(monkeypatch, tmp_path):
    folder = tmp_path / "checkout/bridge"
    folder.mkdir(parents=True)
    monkeypatch.setattr(cargo, "workspace", lambda: folder)
    return folder


def test_the_named_one_is_first_then_the_package_then_cargos(tmp_path, installed, workspace):
    named = program(tmp_path / "mine")
    built = program(workspace / "target/release/loom-bridge")
    found = list(rust.binaries({"LOOM_BRIDGE_BIN": str(named)}))
    assert [binary.path for binary in found] == [named, installed, built]
    assert [binary.reason for binary in found] == [
        "named by LOOM_BRIDGE_BIN",
        "of the package loom-bridge 0.1.0",
        f"built by cargo in {workspace}",
    ]
    assert rust.build({}).path == installed


@pytest.mark.parametrize("name", ["nowhere", "folder", "text"])
def test_what_is_no_program_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("")
    environ = {"LOOM_BRIDGE_BIN": str(tmp_path / name)}
    with pytest.raises(ConfigError, match=r"LOOM_BRIDGE_BIN is '.*', which is no program"):
        rust.build(environ)
    assert "no program" in rust.can_have(environ)


def test_without_any_the_remedy_is_told():
    assert rust.can_have({}) == (
        "there is no Rust bridge here: "
        "pip install 'loom-py[bridge]', or set LOOM_BRIDGE_BIN to a loom-bridge binary"
    )
    with pytest.raises(BridgeUnavailable, match="there is no Rust bridge here: pip install"):
        rust.build({})
    assert list(rust.binaries({})) == []


def test_in_a_checkout_without_cargo_rust_is_the_remedy(workspace):
    assert "install Rust (https://rustup.rs)" in rust.can_have({})


def test_a_package_that_lost_its_binary_is_no_package(monkeypatch, installed):
    def lost():
        raise FileNotFoundError

    monkeypatch.setattr(sys.modules["loom_bridge"], "find_loom_bridge_bin", lost)
    assert list(rust.binaries({})) == []


def test_a_checkout_is_built_where_cargo_is(monkeypatch, tmp_path, workspace):
    program(tmp_path / "bin/cargo")
    built = workspace / "target/x/release/loom-bridge"
    monkeypatch.setattr(cargo, "build", lambda folder: built)
    assert rust.can_have({}) == ""
    assert rust.build({}) == rust.Binary(built, f"built by cargo in {workspace}")


def test_a_build_is_taken_as_it_is_where_cargo_is_not(workspace):
    built = program(workspace / "target/release/loom-bridge")
    assert rust.can_have({}) == ""
    assert rust.build({}).path == built


def elf(*kinds: int) -> bytes:
    """A program with such program headers."""
    head = bytearray(64)
    head[:6] = ELF
    head[32:40] = (64).to_bytes(8, "little")
    head[54:56] = (56).to_bytes(2, "little")
    head[56:58] = len(kinds).to_bytes(2, "little")
    return bytes(head) + b"".join(kind.to_bytes(4, "little") + bytes(52) for kind in kinds)


@pytest.mark.parametrize(
    ("content", "static"),
    [(elf(1, 2), True), (elf(1, 3), False), (b"#!/bin/sh\n", False), (b"", False)],
)
def test_what_needs_a_loader_is_not_static(tmp_path, content, static):
    assert rust.is_static(program(tmp_path / "it", content)) is static


def test_pythons_own_binary_is_not_static():
    assert not rust.is_static(Path("/bin/sh").resolve())
