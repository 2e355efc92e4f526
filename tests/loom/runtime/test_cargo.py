"""Building the bridge from a checkout, with a cargo that only says that it was called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loom.errors import BridgeUnavailable
from loom.runtime import cargo


@pytest.fixture
def tools(monkeypatch, tmp_path):
    """A folder of programs that are found before all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    make("rustc", "echo 'rustc 1.88.0'; echo 'host: x86_64-unknown-linux-gnu'")
    return make


def test_this_checkout_has_a_workspace():
    folder = cargo.workspace()
    assert folder is not None
    assert (folder / "Cargo.lock").is_file()


def test_the_newest_build_is_the_one(tmp_path):
    assert cargo.built(tmp_path) == []
    for age, place in ((2, "release"), (1, "x86_64-unknown-linux-gnu/release")):
        binary = tmp_path / "target" / place / "loom-bridge"
        binary.parent.mkdir(parents=True)
        binary.touch(0o755)
        os.utime(binary, (1000 - age, 1000 - age))
    places = ("x86_64-unknown-linux-gnu/release", "release")
    assert cargo.built(tmp_path) == [tmp_path / "target" / place / "loom-bridge" for place in places]


def test_a_build_is_static_locked_and_knows_no_path(tmp_path, tools, capfd):
    tools("cargo", f'echo "$@" > {tmp_path}/said; printf %s "$CARGO_ENCODED_RUSTFLAGS" > {tmp_path}/flags')
    binary = cargo.build(tmp_path)
    assert binary == tmp_path / "target/x86_64-unknown-linux-gnu/release/loom-bridge"
    said = (tmp_path / "said").read_text()
    assert said == "build --release --locked --target x86_64-unknown-linux-gnu -p loom-bridge\n"
    flags = (tmp_path / "flags").read_text().split("\x1f")
    assert flags[:3] == ["-C", "target-feature=+crt-static", f"--remap-path-prefix={tmp_path}=bridge"]
    assert "building the Rust bridge" in capfd.readouterr().err


def test_what_is_built_already_is_built_quietly(tmp_path, tools, capfd):
    tools("cargo", f'echo "$@" > {tmp_path}/said')
    binary = tmp_path / "target/x86_64-unknown-linux-gnu/release/loom-bridge"
    binary.parent.mkdir(parents=True)
    binary.touch(0o755)
    assert cargo.build(tmp_path) == binary
    assert (tmp_path / "said").read_text().endswith("--quiet\n")
    assert capfd.readouterr().err == ""


def test_a_build_that_fails_says_where(tmp_path, tools, capfd):
    tools("cargo", "echo 'error: it is broken' >&2; exit 101")
    with pytest.raises(BridgeUnavailable, match="cargo cannot build"):
        cargo.build(tmp_path)
    assert "error: it is broken" in capfd.readouterr().err


def test_without_rustc_the_remedy_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BridgeUnavailable, match=r"install Rust, https://rustup\.rs"):
        cargo.host()


def test_other_platforms_keep_their_own_runtime():
    flags = cargo.build_flags(Path("/x/bridge"), "aarch64-apple-darwin", {"CARGO_HOME": "/x/cargo"})
    assert flags["CARGO_ENCODED_RUSTFLAGS"].split("\x1f") == [
        "--remap-path-prefix=/x/bridge=bridge",
        "--remap-path-prefix=/x/cargo=cargo",
    ]
