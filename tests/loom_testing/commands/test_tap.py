"""`loom-testing tap`: what it records beside a run, and why it cannot."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from loom import Agent, Context
from loom.cli.exits import Exit
from loom_testing import FakeBridge, LoomBridge
from loom_testing.cli import main
from loom_testing.harness.beside import Beside
from loom_testing.transcript import Transcript, load


@pytest.fixture
def bridge():
    """A bridge that was not started for testing, on a thread of its own."""
    beside = Beside()
    bridge = FakeBridge()
    beside.wait_for(bridge.start())
    yield bridge
    beside.wait_for(bridge.stop())
    beside.close()


def refusal(tmp_path, *arguments: str) -> str:
    output = tmp_path / "it.jsonl"
    done = CliRunner().invoke(main, ["tap", *arguments, "-o", str(output)])
    assert (done.exit_code, done.stdout, output.exists()) == (Exit.NO_BRIDGE, "", False)
    return done.stderr


@pytest.mark.parametrize("options", [(), ("--namespace", "n")], ids=["any", "one"])
def test_a_bridge_that_is_not_for_testing_is_refused(tmp_path, bridge, options):
    said = refusal(tmp_path, bridge.address, *options)
    assert f"{bridge.address}: the bridge was not started for testing: start it with `" in said


@pytest.mark.parametrize(
    ("arguments", "ends", "said"),
    [
        (["nonsense"], Exit.USAGE, "the bridge's address is 'nonsense': write host:port"),
        (
            ["127.0.0.1:1", "--redact-value", "("],
            Exit.USAGE,
            "redaction pattern '(' is no regular expression",
        ),
        (
            ["127.0.0.1:1", "-o", "nowhere/it.jsonl"],
            Exit.FAILED,
            "nowhere/it.jsonl cannot be written: make",
        ),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_recorded(tmp_path, monkeypatch, arguments, ends, said):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["tap", "-o", "it.jsonl", *arguments])
    assert (done.exit_code, done.stdout) == (ends, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_bridge_there(tmp_path):
    assert refusal(tmp_path, "127.0.0.1:1").startswith("error: no bridge answers at 127.0.0.1:1: check the")


class Tapping:
    """A tap in a process of its own, ended as a terminal ends it."""

    def __init__(self, output: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "loom_testing", "tap", *arguments, "-o", str(output)]
        self.output = output
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.first = self.process.stderr.readline()

    def ended(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """The exit code, and the last that it said."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        watchdog = threading.Timer(30, self.process.kill)
        watchdog.start()
        _, said = self.process.communicate()
        watchdog.cancel()
        return self.process.returncode, said

    def recorded(self) -> Transcript:
        return load(self.output)


async def order(loom_bridge: LoomBridge) -> None:
    """Something happens."""
    agent = Agent("orders")

    @agent.on("order.placed")
    async def confirm(ctx: Context, payload: dict) -> None:
        await ctx.emit("order.confirmed", {"token": payload["token"], "sesame": "open-the-door"})

    async with loom_bridge.run(agent), loom_bridge.probe() as probe:
        await probe.emit("order.placed", {"token": "s3cr3t-value"})
        await probe.expect("order.confirmed")
        await loom_bridge.settle()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_run_is_recorded_until_it_is_told_to_stop(loom_bridge: LoomBridge, tmp_path, number):
    tap = Tapping(
        tmp_path / "it.jsonl",
        *(loom_bridge.address, "--namespace", loom_bridge.namespace),
        *("--redact", "sesame"),
    )
    assert tap.first == f"recording {loom_bridge.namespace}; Ctrl-C ends it\n"
    await order(loom_bridge)
    code, said = tap.ended(number)
    transcript = tap.recorded()
    assert (code, said) == (
        Exit.OK,
        f"{tap.output}: {len(transcript.entries)} entries of namespace {loom_bridge.namespace}\n",
    )
    own = await loom_bridge.transcript()
    assert [(entry.who, entry.name) for entry in transcript.entries] == [
        (entry.who, entry.name) for entry in own.entries
    ]
    text = tap.output.read_text(encoding="utf-8")
    assert "s3cr3t-value" not in text
    assert "open-the-door" not in text
    assert text.count("${redacted}") > 3


async def test_nothing_happened(loom_bridge: LoomBridge, tmp_path):
    tap = Tapping(tmp_path / "it.jsonl", loom_bridge.address, "--namespace", loom_bridge.namespace)
    code, said = tap.ended()
    assert code == Exit.FAILED
    assert said == "error: nothing happened there meanwhile: start the agents after this\n"
    assert not tap.output.exists()


def test_when_the_bridge_ends_what_was_recorded_is_written(tmp_path):
    beside = Beside()
    running = FakeBridge(testing=True)
    beside.wait_for(running.start())
    tap = Tapping(tmp_path / "it.jsonl", running.address)
    assert tap.first == "recording the first namespace in which something happens; Ctrl-C ends it\n"

    async def visit() -> None:
        async with Agent("visitor", endpoint=running.address) as agent:
            await agent.context().emit("hello", 1)

    beside.wait_for(visit())
    beside.wait_for(running.stop())
    beside.close()
    tap.process.wait(30)
    code, said = tap.ended()
    assert (code, said.endswith("entries of namespace default\n")) == (Exit.OK, True)
    assert {entry.who for entry in tap.recorded().entries if entry.who} == {"visitor"}
