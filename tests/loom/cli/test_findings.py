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


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 27.1", "engine 27.1"),
        ("exit 1", "no engine answers"),
        ("true", "no engine answers"),
        (None, "no docker command"),
    ],
)
def test_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, says: str) -> None:
    if script is not None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {each.name: each.found for each in bridge_kinds()}
    assert says in found["docker"]
    assert "no loom-bridge on the PATH" in found["rust"]


def test_a_binary_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loom-bridge").write_text("")
    (tmp_path / "loom-bridge").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {each.name: each.found for each in bridge_kinds()}
    assert found["rust"] == str(tmp_path / "loom-bridge")
