"""Finding the Rust engine, and what is said where there is none."""

from __future__ import annotations

import os

import pytest

from tests.differential import rust as module
from tests.differential.rust import NoEngineError, find_binary


def test_the_newest_build_is_taken(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("LOOM_ENGINE_BIN", raising=False)
    built = [tmp_path / "release", tmp_path / "debug"]
    monkeypatch.setattr(module, "BUILT", built)
    for place, path in enumerate(built):
        path.write_text("")
        os.utime(path, (1000 + place, 1000 + place))
        assert find_binary() == path


def test_the_named_one_goes_first(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LOOM_ENGINE_BIN", str(tmp_path / "mine"))
    with pytest.raises(NoEngineError, match=r"where there is no file; build it with `cargo build"):
        find_binary()
    (tmp_path / "mine").write_text("")
    assert find_binary() == tmp_path / "mine"


def test_without_one_the_answer_says_what_to_do(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("LOOM_ENGINE_BIN", raising=False)
    monkeypatch.setattr(module, "BUILT", [tmp_path / "none"])
    with pytest.raises(NoEngineError) as failure:
        find_binary()
    assert "\n" not in str(failure.value)
    assert "cargo build --manifest-path bridge/Cargo.toml" in str(failure.value)
