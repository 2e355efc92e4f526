"""`loom-testing record`: what crosses to any bridge, written down."""

from __future__ import annotations

from click.testing import CliRunner

from loom.cli.exits import Exit
from loom_testing.cli import main
from loom_testing.transcript import Way, load
from tests.loom_testing.commands.standing import echoed, standing, stopped


async def test_what_crosses_is_written_down(bridge, tmp_path):
    output = tmp_path / "it.jsonl"
    async with standing("record", bridge.address, "-o", str(output)) as (process, address):
        assert await echoed(address) == "hello"
        code, said, _ = await stopped(process)
    assert code == Exit.OK, said
    transcript = load(output)
    assert transcript.about == f"what crossed to {bridge.address}"
    calls = [entry for entry in transcript.entries if entry.rpc == "ForwardAction"]
    assert [(entry.who, entry.way) for entry in calls] == [("echo", Way.SENT), ("echo", Way.RECEIVED)]
    assert f"{output}: {len(transcript.entries)} entries" in said


async def test_secrets_stay_out(bridge, tmp_path):
    output = tmp_path / "it.jsonl"
    options = ("-o", str(output), "--redact-value", "xyzzy[0-9]+")
    async with standing("record", bridge.address, *options) as (process, address):
        assert await echoed(address, "xyzzy17") == "xyzzy17"
        code, said, _ = await stopped(process)
    assert code == Exit.OK, said
    assert "xyzzy" not in output.read_text()


async def test_nothing_that_crossed_is_told(bridge, tmp_path):
    output = tmp_path / "it.jsonl"
    async with standing("record", bridge.address, "-o", str(output)) as (process, _):
        code, said, _ = await stopped(process)
    assert (code, output.exists()) == (Exit.FAILED, False)
    assert "nothing happened there meanwhile" in said


def test_a_closed_folder_is_told_before_anything_is_recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["record", "--target", "127.0.0.1:1", "-o", "nowhere/it.jsonl"])
    assert (done.exit_code, done.stdout) == (Exit.FAILED, "")
    assert "nowhere/it.jsonl cannot be written: make its folder" in done.stderr
