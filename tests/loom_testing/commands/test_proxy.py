"""`loom-testing proxy`: faults in front of a bridge that runs."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from loom.cli.exits import Exit
from loom.errors import LoomError
from loom_testing.cli import main
from loom_testing.transcript import Kind, load
from tests.loom_testing.commands.standing import echoed, standing, stopped

FAIL_ONE = """
[[fault]]
do = "fail"
status = "INTERNAL"
message = "not now"
capability = "text.echo"
times = 1
"""


async def test_it_injects_what_the_file_says_and_tells_what_fired(bridge, tmp_path):
    (tmp_path / "faults.toml").write_text(FAIL_ONE)
    record = tmp_path / "it.jsonl"
    options = ("--faults", str(tmp_path / "faults.toml"), "--record", str(record))
    async with standing("proxy", bridge.address, *options) as (process, address):
        with pytest.raises(LoomError, match="not now"):
            await echoed(address)
        assert await echoed(address) == "hello"
        code, said, lines = await stopped(process)
    assert code == Exit.OK, said
    assert [item["fired"] for item in lines[-1]["faults"]] == [1]
    assert "injecting 1 fault, seed 0, at" in said
    entries = load(record).entries
    assert [entry.name for entry in entries if entry.kind is Kind.FAULT] == ["failed: INTERNAL"]


async def test_a_fault_that_never_fired_is_a_failure(bridge, tmp_path):
    (tmp_path / "faults.toml").write_text('[[fault]]\ndo = "drop"\ntopic = "nobody.says.this"\n')
    options = ("--faults", str(tmp_path / "faults.toml"))
    async with standing("proxy", bridge.address, *options) as (process, address):
        assert await echoed(address) == "hello"
        code, said, _ = await stopped(process)
    assert code == Exit.FAILED
    assert "drop(kind='publish', topic='nobody.says.this') never fired" in said.splitlines()[-1]


async def test_without_faults_everything_crosses(bridge):
    async with standing("proxy", bridge.address, "--seed", "random") as (process, address):
        assert await echoed(address) == "hello"
        code, said, lines = await stopped(process)
    assert (code, lines[-1]) == (Exit.OK, {"event": "stopped", "faults": []}), said


@pytest.mark.parametrize(
    ("content", "arguments", "ends", "said"),
    [
        ("", [], Exit.USAGE, "faults.toml has no fault: write [[fault]]"),
        ("[[fault", [], Exit.USAGE, "faults.toml is no TOML"),
        ('[[fault]]\ndo = "explode"\n', [], Exit.USAGE, "faults.toml, fault 1 does 'explode': write do ="),
        ('[[fault]]\ndo = "delay"\n', [], Exit.USAGE, "faults.toml, fault 1: delay needs seconds = ..."),
        ('[[fault]]\ndo = "drop"\n[[fault]]\ndo = "stall"\n', [], Exit.USAGE, "stall() contradicts drop()"),
        (FAIL_ONE, ["--seed", "seven"], Exit.USAGE, "--seed is 'seven': give a whole number, or random"),
        (FAIL_ONE, ["--target", "nonsense"], Exit.USAGE, "--target is 'nonsense': write host:port"),
        (FAIL_ONE, ["--record", "nowhere/it.jsonl"], Exit.FAILED, "nowhere/it.jsonl cannot be written"),
        (FAIL_ONE, [], Exit.NO_BRIDGE, "nobody answers at 127.0.0.1:1: start the bridge first"),
        (FAIL_ONE, ["--faults", "none.toml"], Exit.USAGE, "none.toml cannot be read (No such file"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(tmp_path, monkeypatch, content, arguments, ends, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faults.toml").write_text(content)
    given = ["proxy", "--target", "127.0.0.1:1", "--faults", "faults.toml", *arguments]
    done = CliRunner().invoke(main, given)
    assert (done.exit_code, done.stdout) == (ends, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
