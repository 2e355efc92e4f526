"""`loom call`, `loom emit`, `loom capabilities` and `loom doctor` against a bridge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loom.cli.capabilities import signature
from tests.loom.cli.processes import AGENT, loom_command, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.loom.cli.conftest import Loom


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bridge with two agents."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "agents.py").write_text(AGENT)
    with running(loom_command("dev", "--port", "0", "--json", "agents.py"), folder) as dev:
        found: str = dev.wait_for_activity("bridge.started")["address"]
        dev.wait_for_activity("agent.joined", agent="adder")
        dev.wait_for_activity("agent.joined", agent="listener")
        yield found


@pytest.fixture
def at(loom: Loom, address: str, monkeypatch: pytest.MonkeyPatch) -> Loom:
    """`loom`, with the bridge named by the environment."""
    monkeypatch.setenv("LOOM_BRIDGE_ADDR", address)
    return loom


# call


@pytest.mark.parametrize(
    ("args", "stdout"),
    [
        (["add", "a=1", "b=41"], "42\n"),
        (["add", '{"a": 1}'], "2\n"),
        (["add", "a=1", "--version", "1.0"], "2\n"),
        (["shout", "text=hello"], "HELLO\n"),
        (["shout", "text=12345"], "12345\n"),
    ],
)
def test_a_call_prints_its_answer(at: Loom, args: list[str], stdout: str) -> None:
    done = at("call", *args)
    assert (done.exit_code, done.stdout, done.stderr) == (0, stdout, "")


def test_a_call_as_json(at: Loom) -> None:
    told = json.loads(at("call", "add", "a=1", "--json").stdout)
    assert (told["ok"], told["output"]) == (True, 2)
    assert told["took_ms"] > 0


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["nothing"], 4, "nothing"),
        (["add", "a=1", "--version", "2.0"], 4, "add"),
        (["add", "a=x"], 2, "field 'a'"),
        (["add", '{"b": 1}'], 2, "field 'a'"),
        (["broken"], 1, "RuntimeError"),
        (["slow", "--timeout", "0.2"], 5, "slow"),
        (["a..b"], 2, "'a..b' is no capability's name"),
        (["*"], 2, "'*' is no capability's name"),
        (["add", "{"], 2, "is no JSON"),
        (["add", "a=1", "--timeout", "0"], 2, "0.0 is not in the range"),
        (["add", "a=1", "--timeout", "soon"], 2, "'soon' is not a valid float range"),
        (["add", "--bridge", "127.0.0.1:1"], 3, "no bridge answers at 127.0.0.1:1"),
        (["add", "--namespace", "other", "a=1"], 4, "add"),
    ],
)
def test_a_call_that_fails_is_one_line_and_an_exit_code(
    at: Loom, args: list[str], code: int, says: str
) -> None:
    done = at("call", *args)
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_failure_is_data_where_json_is_wanted(at: Loom) -> None:
    done = at("call", "add", "a=x", "--json")
    assert (done.exit_code, done.stderr) == (2, "")
    told = json.loads(done.stdout)
    assert told["ok"] is False
    assert told["error"]["code"] == "INVALID_INPUT"
    assert list(told["error"]["details"]) == ["a"]


# emit


def test_emit_says_how_many_received_it(at: Loom) -> None:
    heard = at("emit", "paper.new", '{"title": "On Looms"}')
    assert (heard.exit_code, heard.stdout, heard.stderr) == (0, "", "✓ published to 1 agent\n")
    unheard = at("emit", "nobody.hears.this", "a=1")
    assert (unheard.exit_code, unheard.stderr) == (0, "! published; nobody hears nobody.hears.this\n")
    told = at("emit", "paper.new", "a=1", "--ttl", "5", "--type", "Paper", "--thread", "t1", "--json")
    assert json.loads(told.stdout) == {"ok": True, "matched": 1}


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["paper.*", "{}"], 2, "'paper.*' is no topic to publish to"),
        (["", "{}"], 2, "'' is no topic to publish to"),
        (["x" * 256, "{}"], 2, "is no topic to publish to"),
        (["t", "{"], 2, "is no JSON"),
        (["t", "@nowhere"], 2, "cannot read nowhere"),
        (["t", "a=1", "{}"], 2, "is not key=value"),
        (["t", "--ttl", "0"], 2, "is not in the range"),
        (["t", "--bridge", "127.0.0.1:1"], 3, "no bridge answers at 127.0.0.1:1"),
    ],
)
def test_emit_that_fails_is_one_line_and_an_exit_code(
    at: Loom, args: list[str], code: int, says: str
) -> None:
    done = at("emit", *args)
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


# capabilities


def test_capabilities(at: Loom) -> None:
    lines = at("capabilities").stdout.splitlines()
    assert lines == [
        "add     1.0  a b=1         Adds",
        "broken  -",
        "shout   -    text",
        "slow    -    seconds=60.0",
    ]
    listed = json.loads(at("capabilities", "--json").stdout)
    assert [each["name"] for each in listed] == ["add", "broken", "shout", "slow"]
    assert listed[0]["input_schema"]["required"] == ["a"]
    assert listed[0]["description"] == "Adds. Really."


def test_no_capabilities(at: Loom) -> None:
    done = at("capabilities", "--namespace", "empty")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "nothing can be called now; start an agent that offers a capability\n"


def test_signatures() -> None:
    schema = {"properties": {"a": {}, "b": {"default": "x"}, "c": {"default": None}}, "required": ["a"]}
    assert signature(schema) == 'a b="x" [c]'
    assert signature({}) == ""


@pytest.mark.parametrize("command", [["capabilities"], ["call", "x"], ["emit", "x"]])
def test_no_bridge_at_all(loom: Loom, command: list[str]) -> None:
    done = loom(*command)
    assert done.exit_code == 3
    assert done.stderr == (
        "error: no bridge is named and no local one runs; start one with `loom dev`, "
        "or name one with --bridge HOST:PORT\n"
    )


# doctor


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
