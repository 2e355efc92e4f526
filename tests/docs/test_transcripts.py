"""The pictures of transcripts in the documentation: what is drawn is what happens today, on every bridge."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from docs._ext.transcripts import FOLDER, picture
from loom_testing import LoomBridge
from loom_testing.transcript import load
from loom_testing.transcript.comparing import differences
from tests.docs.story import blocks

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"order.jsonl": "transcripts.md", "lost.jsonl": "faults.md"}
"""The kept transcripts, and the page of each."""


def example(file: str) -> ModuleType:
    """The agent that a page shows."""
    text = (DOCS / PAGES[file]).read_text("utf-8")
    (source,) = [block.body for block in blocks(text) if block.name == "orders.py"]
    module = ModuleType("orders")
    exec(compile(source, "orders.py", "exec"), module.__dict__)
    return module


async def test_an_order_is_placed(loom_bridge: LoomBridge):
    orders = example("order.jsonl")
    async with (
        loom_bridge.run(orders.agent),
        loom_bridge.probe(offers={"prices.look_up": 450}) as probe,
    ):
        await probe.emit("order.placed", orders.Order(item="tea", pieces=2))
        await probe.expect("order.confirmed", price=900)
    await is_kept(loom_bridge, "order.jsonl", "An order is placed")


async def test_a_price_is_lost(loom_bridge: LoomBridge):
    orders = example("lost.jsonl")
    prices = loom_bridge.stub_capability("prices.look_up").returns(450)
    async with loom_bridge.run(orders.agent), prices, loom_bridge.probe() as probe:
        with loom_bridge.faults.drop(kind="action_result", times=1):
            await probe.emit("order.placed", "tea")
            await loom_bridge.advance(10)
            await probe.expect("order.delayed", item="tea")
    await is_kept(loom_bridge, "lost.jsonl", "A price is lost")


async def is_kept(loom_bridge: LoomBridge, file: str, about: str) -> None:
    """Sees that what happened is what the page draws."""
    loom_bridge.about = about
    assert differences(load(FOLDER / file), await loom_bridge.transcript()) == []


def test_each_kept_transcript_has_its_page():
    assert {file.name for file in FOLDER.iterdir()} == PAGES.keys()


@pytest.mark.parametrize("file", PAGES)
def test_a_kept_transcript_can_be_drawn(file: str):
    drawn = ET.fromstring(picture(FOLDER / file))
    assert drawn.find("{http://www.w3.org/2000/svg}svg") is not None
    assert f"{{transcript}} {file}\n" in (DOCS / PAGES[file]).read_text("utf-8")
