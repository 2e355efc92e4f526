"""A shop that is recorded and replayed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from loom import Agent, Context
from loom.channel import open_channel
from loom_testing import LoomBridge
from loom_testing.transcript import Kind, Transcript, decode, encode
from loom_testing.transcript.tap import Tap
from loom_testing.transcript.tapping import tapped

LAST = "the-end"


def shop(factor: float = 1.0, **options: Any) -> Agent:
    """Asks for the price of what is ordered, and says what it costs."""
    agent = Agent("shop", **{"replicas": True, **options})

    @agent.on("orders.new")
    async def new(ctx: Context, payload: dict[str, Any]) -> None:
        price = await ctx.tool("price.quote", sku=payload["sku"])
        await ctx.emit("orders.priced", {"id": payload["id"], "total": price * factor})

    @agent.capability("shop.stock")
    def stock(sku: str) -> int:
        return 3

    return agent


@contextlib.asynccontextmanager
async def recording(bridge: LoomBridge, **options: Any) -> AsyncIterator[Tap]:
    """Records what happens on the bridge; at the end all of it is there."""
    tap = Tap("a shop", **options)
    async with open_channel(bridge.endpoint) as channel, tapped(channel, bridge.namespace, tap):
        yield tap
        ended = joined(tap, LAST)
        async with bridge.probe(LAST, observe=()):
            await ended.wait()


def joined(tap: Tap, who: str) -> asyncio.Event:
    """Set once this agent's stream is accepted, from now on."""
    there = asyncio.Event()
    tap.recorder.tell = lambda item: there.set() if (item.who, item.kind) == (who, Kind.HEADERS) else None
    return there


async def recorded(bridge: LoomBridge, agent: Agent | None = None) -> Transcript:
    """An order, a moved clock, a question."""
    async with (
        recording(bridge) as tap,
        bridge.probe(offers={"price.quote": 12.5}) as probe,
        bridge.run(agent or shop()),
    ):
        await probe.emit("orders.new", {"id": 7, "sku": "A-1"})
        await probe.expect("orders.priced")
        await bridge.advance(30)
        assert await probe.call("shop.stock", sku="A-1") == 3
    return kept(tap)


def kept(tap: Tap) -> Transcript:
    """What was recorded, written and read, without what ended the recording."""
    transcript = tap.recorder.transcript()
    entries = tuple(entry for entry in transcript.entries if entry.who != LAST)
    return decode(encode(replace(transcript, entries=entries)))
