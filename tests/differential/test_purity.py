"""What clippy forbids the Rust engine, shown on a crate that does all of it."""

from __future__ import annotations

import os
import re
import subprocess

from tests.differential.rust import ROOT

MANIFEST = """
[package]
name = "impure"
version = "0.1.0"
edition = "2024"

[lints.clippy]
disallowed_types = "deny"
disallowed_methods = "deny"
disallowed_macros = "deny"
"""
IMPURE = {
    "std::time::Instant": "pub type T = std::time::Instant;",
    "std::time::SystemTime": "pub fn f() -> bool { std::time::SystemTime::now().elapsed().is_ok() }",
    "std::collections::HashMap": "pub type T = std::collections::HashMap<u8, u8>;",
    "std::collections::HashSet": "pub type T = std::collections::HashSet<u8>;",
    "std::fs::File": "pub type T = std::fs::File;",
    "std::net::TcpStream": "pub type T = std::net::TcpStream;",
    "std::sync::Mutex": "pub type T = std::sync::Mutex<u8>;",
    "std::env::var": 'pub fn f() -> bool { std::env::var("HOME").is_ok() }',
    "std::thread::sleep": "pub fn f() { std::thread::sleep(std::time::Duration::ZERO); }",
    "std::println": 'pub fn f() { println!("x"); }',
}


def test_clippy_sees_each_of_them(tmp_path) -> None:
    modules = [f"pub mod m{place} {{ {code} }}" for place, code in enumerate(IMPURE.values())]
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text(MANIFEST)
    (tmp_path / "src" / "lib.rs").write_text("\n".join(modules))
    done = subprocess.run(
        ["cargo", "clippy", "--offline", "--quiet"],
        cwd=tmp_path,
        env={**os.environ, "CLIPPY_CONF_DIR": str(ROOT / "bridge" / "engine")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    seen = set(re.findall(r"use of a disallowed \w+ `([\w:]+)`", done.stderr))
    assert seen >= IMPURE.keys(), done.stderr
