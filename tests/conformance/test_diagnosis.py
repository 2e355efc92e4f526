"""The suite's doctor: what is whole, what can be started, what applies."""

from __future__ import annotations

import pytest

from loom.cli.findings import Finding
from loom_conformance import diagnosis
from loom_conformance.diagnosis import diagnose
from loom_conformance.targets import Choice, choose
from tests.conformance.made import clause


def found(choice: Choice) -> dict[str, Finding]:
    return {f"{each.section}/{each.name}": each for each in diagnose(choice)}


def test_all_is_well_with_the_fake():
    findings = found(choose("fake"))
    assert [name for name, each in findings.items() if each.level == "bad"] == []
    assert findings["suite/manifest"].found == "each clause has a check, each check a clause"
    assert findings["bridges here/fake"].found == "can be started"
    assert findings["target/bridge"].found.startswith("loom-testing 0.")
    assert "control" in findings["target/features"].found
    assert findings["target/clauses"].found.endswith("clauses apply")
    assert "target/control" not in findings


def test_a_bridge_that_is_not_there():
    each = found(choose("127.0.0.1:1"))["target/127.0.0.1:1"]
    assert (each.level, each.remedy) == ("bad", "check the address, or start a bridge there")


def test_a_bridge_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOM_BRIDGE_BIN", "/no/such/bridge")
    findings = found(choose("rust"))
    assert findings["bridges here/rust"].level == "note"
    assert findings["target/rust"].level == "bad"


def test_what_a_bridge_lacks_is_told():
    import shlex
    import sys

    plain = shlex.join([sys.executable, "-m", "loom_testing", "serve", "--port", "0", "--json"])
    findings = found(choose(plain))
    assert findings["target/control"].level == "warn"
    assert "--testing" in findings["target/control"].remedy


def test_a_broken_suite_is_bad(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(diagnosis, "load", lambda: [clause("PUB-99.1")])
    each = found(choose("fake"))["suite/manifest"]
    assert each.level == "bad"
    assert "no check judges PUB-99.1" in each.found
