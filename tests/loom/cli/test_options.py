"""Options and settings that several commands share, malformed ones above all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.loom.cli.processes import TWO, write

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--bridge", "nowhere"], "--bridge is 'nowhere': write host:port"),
        (["--bridge", "host:99999"], "--bridge is 'host:99999': write host:port"),
        (["--namespace", "a b"], "--namespace is 'a b': use dot-separated tokens"),
    ],
)
def test_malformed_options(loom: Loom, args: list[str], says: str) -> None:
    write("two.py", TWO)
    done = loom("run", "two.py", *args)
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("toml", "environ", "says"),
    [
        ("[bridge]\naddress = 5\n", {}, "must be a string"),
        ("[bridge]\ntoken = 'x'\n", {}, "unknown key bridge.token"),
        ("not toml", {}, "is not TOML"),
        ("", {"LOOM_BRIDGE_ADDR": "nowhere"}, "LOOM_BRIDGE_ADDR is 'nowhere': write host:port"),
        ("", {"LOOM_NAMESPACE": "a..b"}, "LOOM_NAMESPACE is 'a..b'"),
    ],
)
@pytest.mark.parametrize("command", [["capabilities"], ["call", "x"], ["emit", "x"], ["run", "two.py"]])
def test_malformed_settings(
    loom: Loom,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    toml: str,
    environ: dict[str, str],
    says: str,
) -> None:
    write("loom.toml", toml)
    write("two.py", TWO)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    done = loom(*command)
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["capabilities"], ["call", "x"], ["emit", "x"]])
def test_no_bridge_at_all(loom: Loom, command: list[str]) -> None:
    done = loom(*command)
    assert done.exit_code == 3
    assert done.stderr == (
        "error: no bridge is named and no local one runs; start one with `loom dev`, "
        "or name one with --bridge HOST:PORT\n"
    )
