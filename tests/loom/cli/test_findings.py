"""What the doctor looks at, one look at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loom.cli import findings
from loom.cli.findings import bridge_kinds, settings_found, versions
from loom.config import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_this_installation_is_well() -> None:
    found = {each.name: each for each in versions()}
    assert [name for name, each in found.items() if each.level == "bad"] == []
    assert {"python", "loom-py", "grpcio", "protobuf", "pydantic", "click"} <= set(found)


def test_what_is_too_old_or_missing_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "OLDEST", {"click": (999, 1), "no-such-package": (1,)})
    monkeypatch.setattr(findings, "OLDEST_PYTHON", (99,))
    bad = {each.name: each.remedy for each in versions() if each.level == "bad"}
    assert bad == {
        "python": "install Python 3.11 or newer",
        "click": "pip install 'click>=999.1'",
        "no-such-package": "pip install no-such-package",
    }


def test_an_extra_that_is_missing_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "find_spec", lambda _: None)
    (found,) = [each for each in versions() if each.name == "watchfiles"]
    assert found.level == "note"
    assert "pip install 'loom-py[reload]'" in found.found


def test_a_token_in_the_clear_is_warned_of() -> None:
    settings = Settings.load(address="far.example:1", environ={"LOOM_TOKEN": "hush"})
    (token,) = [each for each in settings_found(settings, {}) if each.name == "token"]
    assert token.level == "warn"
    assert "tls = true" in token.remedy
    assert "hush" not in token.found


def test_bridges_that_are_here(tmp_path: Path) -> None:
    binary = tmp_path / "loom-bridge"
    binary.write_text("")
    binary.chmod(0o755)
    found = {each.name: each for each in bridge_kinds({"LOOM_BRIDGE_BIN": str(binary)})}
    assert (found["rust"].level, found["rust"].found) == ("good", f"{binary}  (named by LOOM_BRIDGE_BIN)")
    assert found["fake"].level == "good"


def test_a_bridge_that_is_named_and_not_there_is_wrong() -> None:
    found = {each.name: each for each in bridge_kinds({"LOOM_BRIDGE_BIN": "nowhere"})}
    assert (found["rust"].level, found["docker"].level == "bad") == ("bad", False)


def test_no_docker_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    found = {each.name: each for each in bridge_kinds({})}
    assert found["docker"].level == "note"
    assert "no Docker engine answers" in found["docker"].found


def test_a_memory_that_is_not_installed_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "loom.toml").write_text('[memory]\nstore = "nope"\n', encoding="utf-8")
    settings = Settings.load(directory=tmp_path, environ={})
    (found,) = [each for each in settings_found(settings, {}) if each.name == "memory"]
    assert found.level == "bad"
    assert found.found.startswith("there is no memory store 'nope'; installed are ")
