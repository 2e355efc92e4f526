"""What has happened in a test's namespace, as a transcript: the same on every bridge."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom import Agent, Context
from loom_testing import LoomBridge
from loom_testing.harness.control import NamespaceOptions
from loom_testing.harness.errors import HarnessError
from loom_testing.harness.transcribing import keep_transcript, tail_of, transcript_of
from loom_testing.transcript import Redaction, encode, load


def greeter() -> Agent:
    agent = Agent("greeter")

    @agent.on("visitor.arrived")
    async def greet(ctx: Context, payload: dict[str, str]) -> None:
        await ctx.emit("visitor.greeted", {"text": f"Hello, {payload['name']}!"})

    return agent


async def visit(bridge: LoomBridge, name: str = "Ada") -> None:
    async with bridge.run(greeter()), bridge.probe() as probe:
        await probe.emit("visitor.arrived", {"name": name, "card": "4711", "password": "sesame-1"})
        await probe.expect("visitor.greeted")
        await bridge.advance(60)


async def test_a_transcript_of_all_that_happened(loom_bridge: LoomBridge):
    await visit(loom_bridge)
    transcript = await loom_bridge.transcript()
    assert [entry.name for entry in transcript.of("greeter").entries] == [
        *("request", "response", "ack", "", "welcome", "delivery", "publish", "receipt"),
        *("60", "request", "response", "ping", "pong", "goodbye", "OK"),
    ]
    assert transcript.virtual
    assert transcript.about == "test_a_transcript_of_all_that_happened"


async def test_more_may_happen_and_be_asked_for(loom_bridge: LoomBridge):
    assert (await loom_bridge.transcript()).entries == ()
    await visit(loom_bridge)
    once = await loom_bridge.transcript()
    await visit(loom_bridge)
    assert len((await loom_bridge.transcript()).entries) == 2 * len(once.entries)


async def test_the_same_again_is_the_same_file(loom_bridge: LoomBridge):
    await visit(loom_bridge)
    other = LoomBridge(loom_bridge.host)
    other.about = loom_bridge.about
    try:
        await visit(other)
        again = await other.transcript()
    finally:
        other.close()
    assert encode((await loom_bridge.transcript()).comparable()) == encode(again.comparable())


async def test_no_secret_is_in_it(loom_bridge: LoomBridge):
    await visit(loom_bridge)
    assert "sesame-1" not in encode(await loom_bridge.transcript())
    assert "4711" in encode(await loom_bridge.transcript())
    assert "4711" not in encode(await loom_bridge.transcript(redaction=Redaction(keys=("card",))))


@pytest.mark.loom(clock="real")
async def test_a_real_clock_has_no_moved_clocks(loom_bridge: LoomBridge):
    async with loom_bridge.probe() as probe:
        await probe.emit("t")
    transcript = await loom_bridge.transcript()
    assert not transcript.virtual
    assert "publish" in [entry.name for entry in transcript.entries]


def test_in_a_plain_test(loom_bridge: LoomBridge):
    with loom_bridge.sync.run(greeter()), loom_bridge.sync.probe() as probe:
        probe.emit("visitor.arrived", {"name": "Ada"})
        probe.expect("visitor.greeted")
    assert "publish visitor.greeted" in tail_of(loom_bridge)
    assert len(loom_bridge.sync.transcript().entries) > 10


def test_where_nothing_happened_there_is_no_picture(loom_bridge: LoomBridge):
    assert tail_of(loom_bridge) == "(nothing crossed the bridge)"


def test_where_none_can_be_had_the_report_says_why(loom_bridge: LoomBridge):
    gone = LoomBridge(loom_bridge.host, NamespaceOptions())
    gone.close()
    gone.host.control.reset(gone.namespace)
    with pytest.raises(HarnessError):
        transcript_of(gone.space)
    assert tail_of(gone).startswith("(there is none: ")


async def test_a_transcript_is_kept_under_the_tests_name(loom_bridge: LoomBridge, tmp_path: Path):
    await visit(loom_bridge)
    assert keep_transcript(loom_bridge, "tests/test_x.py::test_y[a b/c]", tmp_path / "new") == ""
    (path,) = (tmp_path / "new").iterdir()
    assert path.name == "tests-test_x.py-test_y-a-b-c.jsonl"
    assert load(path).about == "tests/test_x.py::test_y[a b/c]"


def test_a_folder_that_is_none_is_told(loom_bridge: LoomBridge, tmp_path: Path):
    (tmp_path / "file").write_text("")
    problem = keep_transcript(loom_bridge, "x", tmp_path / "file")
    assert problem.startswith("--loom-record: ")
    assert problem.endswith("choose another folder")
