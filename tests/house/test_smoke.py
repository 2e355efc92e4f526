"""The whole of it once, small: also run on the oldest versions that pyproject.toml allows."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

from pydantic import BaseModel

import loom
import loom_testing


class Paper(BaseModel):
    title: str
    words: list[str] = []


async def test_an_event_a_call_and_a_reply_go_through_a_fake_bridge(loom_bridge):
    reader = loom.Agent("reader")

    @reader.on("paper.submitted")
    async def read(ctx: loom.Context, paper: Paper) -> None:
        count = await ctx.tool("text.count", words=paper.words)
        await ctx.emit("paper.read", {"title": paper.title, "count": count})

    @reader.capability("text.count")
    def count(words: list[str]) -> int:
        return len(words)

    async with loom_bridge.run(reader), loom_bridge.probe() as probe:
        await probe.emit("paper.submitted", Paper(title="On looms", words=["warp", "weft"]))
        event = await probe.expect("paper.read")
        assert event.json() == {"title": "On looms", "count": 2}


def test_every_module_loads():
    for package in (loom, loom_testing):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def test_both_commands_answer():
    for command in ("loom.cli", "loom_testing"):
        done = subprocess.run(
            [sys.executable, "-m", command, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Usage:" in done.stdout
