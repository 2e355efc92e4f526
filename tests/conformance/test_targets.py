"""How a bridge is named, found, started and ended."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path

import pytest

from loom.endpoint import TLS
from loom_conformance.declared import ask
from loom_conformance.target import Target
from loom_conformance.targets import Opened, TargetError, choose

FAKE = shlex.join([sys.executable, "-m", "loom_testing", "serve", "--port", "0", "--json", "--testing"])


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("fake", "fake"),
        ("rust", "rust"),
        ("docker", "docker"),
        ("127.0.0.1:50051", "address"),
        ("[::1]:50051", "address"),
        ("bridge.example:443", "address"),
        (sys.executable, "command"),
        (FAKE, "command"),
    ],
)
def test_what_is_named_is_understood(asked: str, kind: str):
    choice = choose(asked, token="secret")
    assert (choice.asked, choice.kind) == (asked, kind)
    assert choice.token == ("secret" if kind in ("address", "command") else "")
    assert "secret" not in repr(choice)


@pytest.mark.parametrize(
    "asked", ["rsut", "no-such-program --port 0", "", "  ", "'open", "host:0", "./no/such"]
)
def test_what_means_no_bridge_is_refused_in_one_line(asked: str):
    with pytest.raises(TargetError) as raised:
        choose(asked)
    assert repr(asked) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_cannot_be_had_here_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOM_BRIDGE_BIN", "/no/such/bridge")
    assert "LOOM_BRIDGE_BIN" in choose("rust").missing()
    assert choose("fake").missing() == choose("127.0.0.1:1").missing() == choose(FAKE).missing() == ""


async def test_a_bridge_that_runs_already_is_left_alone():
    async with choose("127.0.0.1:50051", token="secret", tls=TLS()).open() as opened:
        assert opened.target.address == "127.0.0.1:50051"
        assert ("authorization", "Bearer secret") in opened.target.metadata()
        assert opened.target.credentials is not None
        assert (opened.target.start, opened.program) == (None, None)
        assert await opened.death() == ""


@pytest.mark.parametrize("asked", ["fake", FAKE])
async def test_a_bridge_is_started_for_testing_and_ended(asked: str):
    async with choose(asked).open() as opened:
        declared = await ask(opened.target)
        assert {"control", "namespaces", "process", "confirm"} <= declared.features
        assert await opened.death() == ""
        program = opened.program
    assert program is not None
    assert await program.wait(10) is not None


async def test_one_without_its_control_is_started_where_we_know_how():
    async with choose("fake").open() as opened:
        assert opened.target.plain is not None
        other = await opened.target.plain()
        declared = await ask(Target(other.address))
        assert "namespaces" in declared.features
        assert "control" not in declared.features
        await other.close()
    async with choose(FAKE).open() as opened:
        assert opened.target.plain is None


async def test_a_check_may_start_another_one_and_signal_it():
    async with choose("fake").open() as opened:
        assert opened.target.start is not None
        other = await opened.target.start()
        assert other.address != opened.target.address
        assert "control" in (await ask(Target(other.address))).features
        other.signal(signal.SIGTERM)
        assert await other.wait(20) == 0
        await other.close()
        assert await opened.death() == ""


async def test_a_bridge_that_died_is_noticed():
    async with choose("fake").open() as opened:
        assert opened.program is not None
        opened.program.signal(signal.SIGKILL)
        await opened.program.wait(10)
        assert (await opened.death()).startswith("the bridge died (killed by signal 9); it said: ")
    assert await Opened(Target("127.0.0.1:1")).death() == ""


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise SystemExit('no port is free')", "it said: no port is free"),
        ("print('hello')", "it said: hello"),
    ],
)
async def test_a_command_that_does_not_serve_is_quoted(code: str, says: str):
    with pytest.raises(TargetError) as raised:
        async with choose(shlex.join([sys.executable, "-c", code])).open():
            raise AssertionError("it did not serve")
    assert says in str(raised.value)


async def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(TargetError, match=r"tls\.ca: cannot read"):
        async with choose("127.0.0.1:1", tls=TLS(ca=tmp_path / "ca.pem")).open():
            raise AssertionError("it was opened")
