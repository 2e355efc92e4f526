"""`loom doctor`: with a bridge, without one, and with something wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


def doctor(loom: Loom, *args: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code and the findings by name."""
    done = loom("doctor", "--json", *args)
    told = json.loads(done.stdout)
    assert told["ok"] is (done.exit_code == 0)
    return done.exit_code, {f"{each['section']}/{each['name']}": each for each in told["findings"]}


def test_the_doctor_finds_a_bridge_and_what_it_can(at: Loom, address: str) -> None:
    code, found = doctor(at)
    assert code == 0
    assert found["settings/bridge"]["found"] == f"{address}  (named by LOOM_BRIDGE_ADDR)"
    assert found["bridge/address"]["found"].startswith(f"{address} answers in ")
    assert found["bridge/bridge"]["found"].startswith("loom-testing 0.")
    assert found["bridge/capabilities"]["found"] == "4: add, broken, shout, slow"
    shown = at("doctor")
    assert shown.exit_code == 0
    assert shown.stdout.endswith("✓ all is well\n")


def test_the_doctor_without_a_bridge_is_well(loom: Loom) -> None:
    code, found = doctor(loom)
    assert code == 0
    assert found["bridge/bridge"]["found"] == "none runs: the first agent starts a local one"
    assert found["settings/loom.toml"]["found"] == "none from here upwards"


def test_the_doctor_misses_a_bridge_that_was_named(loom: Loom) -> None:
    code, found = doctor(loom, "--bridge", "127.0.0.1:1")
    assert code == 1
    assert found["bridge/address"]["level"] == "bad"
    assert "loom dev" in found["bridge/address"]["remedy"]
    assert loom("doctor", "--bridge", "127.0.0.1:1").stdout.endswith("✗ 1 thing to mend\n")


def test_the_doctor_misses_a_bridge_where_none_may_be_started(
    loom: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_NO_LOCAL_BRIDGE", "1")
    code, found = doctor(loom)
    assert (code, found["bridge/bridge"]["level"]) == (1, "bad")
    assert "LOOM_BRIDGE_ADDR" in found["bridge/bridge"]["remedy"]


def test_the_doctor_names_the_places_of_settings_and_hides_the_token(
    loom: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("loom.toml").write_text('[bridge]\nnamespace = "mine"\naddress = "10.255.255.1:1"\n')
    monkeypatch.setenv("LOOM_TOKEN", "hush-hush")
    monkeypatch.setenv("LOOM_BRIDGE_ADDR", "127.0.0.1:1")
    done = loom("doctor", "--json")
    assert "hush-hush" not in done.output
    found = {each["name"]: each for each in json.loads(done.stdout)["findings"]}
    assert found["namespace"]["found"] == f"mine  (from {Path.cwd() / 'loom.toml'})"
    assert found["token"]["found"] == "set, not shown"
    monkeypatch.setenv("LOOM_NAMESPACE", "other")
    assert "other  (from LOOM_NAMESPACE)" in loom("doctor").stdout


def test_a_malformed_setting_is_a_finding(loom: Loom) -> None:
    Path("loom.toml").write_text("[bridge]\nadress = 'x'\n")
    code, found = doctor(loom)
    assert code == 1
    assert "bridge.adress" in found["settings/settings"]["found"]


def test_a_malformed_option_is_misuse(loom: Loom) -> None:
    done = loom("doctor", "--bridge", "nowhere")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --bridge is 'nowhere'")


def test_a_local_bridge_that_is_gone_is_no_fault(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("run").mkdir(mode=0o700)
    Path("run/bridge.json").write_text('{"address": "127.0.0.1:1"}')
    monkeypatch.setenv("LOOM_RUNTIME_DIR", str(Path("run").resolve()))
    code, found = doctor(loom)
    assert (code, found["bridge/address"]["level"]) == (0, "note")
    assert "is gone" in found["bridge/address"]["found"]


def test_a_runtime_folder_that_is_not_to_be_trusted(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("run").mkdir()
    Path("run").chmod(0o777)
    monkeypatch.setenv("LOOM_RUNTIME_DIR", str(Path("run").resolve()))
    code, found = doctor(loom)
    assert (code, found["bridge/local bridge"]["level"]) == (1, "bad")
