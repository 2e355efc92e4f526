"""`loom-testing replay` as a user meets it: what it says, and with which exit code."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from loom.cli.exits import Exit
from loom_testing.cli import main
from loom_testing.transcript import Transcript, encode

AGENT = """
from loom import Agent, Context

agent = Agent("orders")

@agent.on("order.placed")
async def confirm(ctx: Context, payload: dict) -> None:
    price = await ctx.tool("prices.look_up", item=payload["item"])
    await ctx.emit("order.confirmed", {"item": payload["item"], "price": price * FACTOR})
"""


async def recorded(loom_bridge) -> Transcript:
    """What happens when an order is placed with the agent above."""
    from loom import Agent, Context

    agent = Agent("orders")

    @agent.on("order.placed")
    async def confirm(ctx: Context, payload: dict) -> None:
        price = await ctx.tool("prices.look_up", item=payload["item"])
        await ctx.emit("order.confirmed", {"item": payload["item"], "price": price})

    async with loom_bridge.run(agent), loom_bridge.probe(offers={"prices.look_up": 450}) as probe:
        await probe.emit("order.placed", {"item": "tea"})
        await probe.expect("order.confirmed", price=450)
    return await loom_bridge.transcript()


@pytest.fixture
async def project(loom_bridge, tmp_path, monkeypatch):
    """A folder with a transcript, and agents that do the same and something else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "order.jsonl").write_text(encode(await recorded(loom_bridge)), encoding="utf-8")
    (tmp_path / "orders.py").write_text(AGENT.replace("FACTOR", "1"))
    (tmp_path / "dearer.py").write_text(AGENT.replace("FACTOR", "2"))
    same = AGENT.replace("FACTOR", "1")
    silent = same.replace("    price = await", "    return\n    price = await")
    (tmp_path / "silent.py").write_text(silent)
    (tmp_path / "eager.py").write_text(
        same.replace("    price =", '    await ctx.emit("hurray", 1)\n    price =')
    )
    (tmp_path / "broken.py").write_text(same.replace("    price =", "    raise ValueError(7)\n    price ="))
    (tmp_path / "twins.py").write_text('from loom import Agent\none, two = Agent("one"), Agent("two")\n')
    (tmp_path / "stranger.py").write_text('from loom import Agent\nagent = Agent("stranger")\n')
    (tmp_path / "nobody.py").write_text("x = 1\n")
    (tmp_path / "faulty.py").write_text("import nothing_of_this_name\n")
    return tmp_path


def replayed(*arguments: object, bridge: str = "fake"):
    return CliRunner().invoke(main, ["replay", *map(str, arguments), "--bridge", bridge])


async def test_the_same_is_said_in_one_line(project, loom_bridge):
    done = await run(loom_bridge, "order.jsonl", "--agent", "orders.py")
    assert (done.exit_code, done.stderr) == (Exit.OK, "")
    assert done.stdout == "✓ orders did the same: 3 of its messages were compared\n"
    done = await run(loom_bridge, "order.jsonl", "--agent", "orders:agent", "--json")
    assert json.loads(done.stdout) == {"ok": True, "agent": "orders", "compared": 3, "entries": 28}


async def run(loom_bridge, *arguments: object):
    """The command beside the test's own loop: it runs one of its own."""
    from loom.threads import run_in_thread

    return await run_in_thread(replayed, *arguments, bridge=loom_bridge.address)


async def test_the_first_difference_is_reported(project, loom_bridge):
    done = await run(loom_bridge, "order.jsonl", "--agent", "dearer.py")
    assert done.exit_code == Exit.FAILED
    lines = done.stdout.splitlines()
    assert lines[0].startswith("✗ orders did something else (entry ")
    assert lines[1] == '  recorded publish order.confirmed  {item: "tea", price: 450}'
    assert lines[2] == '  now      publish order.confirmed  {item: "tea", price: 900}'
    assert lines[3] == "    event.payload.price: recorded 450, now 900"
    assert lines[4] == "  what had happened:"
    assert any("call prices.look_up" in line for line in lines[5:])
    assert done.stderr == "the agent does something else than it did when the transcript was recorded\n"


async def test_a_difference_as_data(project, loom_bridge):
    done = await run(loom_bridge, "order.jsonl", "--agent", "dearer.py", "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == Exit.FAILED
    assert (said["ok"], said["summary"][:26]) == (False, "orders did something else ")
    assert said["differences"] == [{"path": "event.payload.price", "recorded": 450, "came": 900}]
    assert said["recorded"]["topic"] == said["came"]["topic"] == "order.confirmed"


@pytest.mark.parametrize(
    ("agent", "said", "recorded", "now"),
    [
        ("silent.py", "did not do this within 0.3 s", "call prices.look_up", ""),
        ("broken.py", "did not do this within 0.3 s", "call prices.look_up", ""),
        ("eager.py", "did something else", "publish order.confirmed", "  now      publish hurray  1"),
    ],
)
async def test_who_does_less_or_something_else_first(project, loom_bridge, agent, said, recorded, now):
    done = await run(loom_bridge, "order.jsonl", "--agent", agent, "--timeout", "0.3")
    assert done.exit_code == Exit.FAILED
    first, second, third, *_ = done.stdout.splitlines()
    assert first.startswith(f"✗ orders {said} (entry ")
    assert second.startswith(f"  recorded {recorded}  {{item:")
    assert third == (now or "  what had happened:")


async def test_what_may_differ_and_in_any_order(project, loom_bridge):
    done = await run(loom_bridge, "order.jsonl", "--agent", "dearer.py", "--ignore", "price")
    assert done.exit_code == Exit.OK, done.output
    done = await run(loom_bridge, "order.jsonl", "--agent", "orders.py", "--any-order", "--as", "orders")
    assert done.exit_code == Exit.OK, done.output


@pytest.mark.parametrize(
    ("arguments", "ends", "said"),
    [
        (
            ["order.jsonl", "--agent", "twins.py"],
            Exit.USAGE,
            "twins.py has several agents (one, two): name one",
        ),
        (
            ["order.jsonl", "--agent", "stranger.py"],
            Exit.USAGE,
            "no agent 'stranger' was recorded; recorded were",
        ),
        (["order.jsonl", "--agent", "nobody.py"], Exit.USAGE, "nobody.py"),
        (["order.jsonl", "--agent", "nowhere.py"], Exit.USAGE, "nowhere.py"),
        (["order.jsonl", "--agent", "no.such.module:agent"], Exit.USAGE, "no.such"),
        (
            ["order.jsonl", "--agent", "orders.py", "--as", "writer"],
            Exit.USAGE,
            "no agent 'writer' was recorded",
        ),
        (["order.jsonl", "--agent", "orders.py", "--timeout", "0"], Exit.USAGE, "--timeout"),
        (["nowhere.jsonl", "--agent", "orders.py"], Exit.USAGE, "nowhere.jsonl cannot be read"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_line(project, arguments, ends, said):
    refused(replayed(*arguments), ends, said)


def test_an_agent_that_fails_on_import_shows_where(project):
    done = replayed("order.jsonl", "--agent", "faulty.py")
    assert (done.exit_code, done.stdout) == (Exit.USAGE, "")
    assert 'faulty.py", line 1' in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: faulty.py cannot be imported: ModuleNotFoundError")


def refused(done, ends: Exit, said: str) -> None:
    assert (done.exit_code, done.stdout) == (ends, ""), done.output
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("bridge", "ends", "said"),
    [
        ("fast", Exit.USAGE, "--bridge"),
        ("127.0.0.1:1", Exit.NO_BRIDGE, "no bridge answers at 127.0.0.1:1"),
    ],
)
def test_a_bridge_that_is_none(project, bridge, ends, said):
    refused(replayed("order.jsonl", "--agent", "orders.py", bridge=bridge), ends, said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-3], "order.jsonl is cut off: its header promises 28 entries and 25 are there"),
        (
            lambda lines: [*lines[:-1], lines[-1][:20]],
            "order.jsonl, line 29: it is no JSON; the file may be cut",
        ),
        (
            lambda lines: [lines[0].replace('"transcript":1', '"transcript":2'), *lines[1:]],
            "order.jsonl is of version 2 and this Loom reads version 1: record it again, or use the Loom",
        ),
        (lambda lines: lines[1:], "order.jsonl is no transcript: its first line is no header"),
        (lambda lines: [], "order.jsonl is no transcript: its first line is no header"),
        (lambda lines: [*lines[:-1], '{"who":"a"}'], "line 29: it needs one of sent, received, note, fault"),
        (
            lambda lines: [lines[0].replace('"entries"', '"left_out":9,"entries"'), *lines[1:]],
            "9 entries are missing from the transcript",
        ),
        (
            lambda lines: [*lines[:-1], '{"who":"probe","fault":"melted"}'],
            "the fault 'melted' cannot be repeated",
        ),
    ],
    ids=["truncated", "half a line", "version", "no header", "empty", "other json", "left out", "fault"],
)
def test_a_file_that_is_not_whole(project, change, said):
    path = project / "order.jsonl"
    lines = change(path.read_text(encoding="utf-8").splitlines())
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    refused(replayed("order.jsonl", "--agent", "orders.py"), Exit.USAGE, said)


def test_bytes_are_no_transcript(project):
    (project / "order.jsonl").write_bytes(b"\xff\xfe\x00")
    refused(replayed("order.jsonl", "--agent", "orders.py"), Exit.USAGE, "it is no text")
