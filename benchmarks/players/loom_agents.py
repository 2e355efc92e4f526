"""Loom's players: `loom_agents PART ADDRESS`, each part an agent as its user would write it."""

from __future__ import annotations

import asyncio
import sys

from benchmarks.measure import timed
from benchmarks.players.table import Tally, no_turn, take_turns
from benchmarks.work import PAYLOAD, TEXT, TOPIC
from loom import Agent, Context

__all__ = ["PARTS"]

CORRELATION = {"correlation": "fedcba9876543210"}
"""An event that asks for no reply has no correlation of Loom's; this one has the peers'."""


async def publisher(address: str) -> None:
    """Publishes without waiting for the bridge's word, as NATS does."""
    agent = Agent("publisher", endpoint=address)
    async with agent:
        ctx = agent.context()

        async def publish(times: int) -> list[float]:
            for _ in range(times):
                await ctx.emit(TOPIC, PAYLOAD, confirm=False, metadata=CORRELATION)
            return []

        await take_turns(publish)


async def subscriber(address: str) -> None:
    """Counts the events of a topic."""
    agent = Agent("subscriber", endpoint=address)
    tally = Tally()

    @agent.on(TOPIC)
    async def take(payload: bytes) -> None:
        tally.add()

    async with agent:
        await take_turns(tally.turn)


async def replier(address: str) -> None:
    """Answers every event with its payload."""
    agent = Agent("replier", endpoint=address)

    @agent.on(TOPIC)
    async def answer(ctx: Context, payload: bytes) -> None:
        await ctx.reply(payload)

    async with agent:
        await take_turns(no_turn)


async def requester(address: str) -> None:
    """Asks, one request after the other."""
    agent = Agent("requester", endpoint=address)
    async with agent:
        ctx = agent.context()

        async def once() -> None:
            assert await ctx.request(TOPIC, PAYLOAD, raw=True) == PAYLOAD

        await take_turns(timed(once))


async def provider(address: str) -> None:
    """Offers a capability that gives back its text."""
    agent = Agent("provider", endpoint=address)

    @agent.capability(TOPIC)
    async def echo(text: str) -> str:
        return text

    async with agent:
        await take_turns(no_turn)


async def caller(address: str) -> None:
    """Calls, one call after the other."""
    agent = Agent("caller", endpoint=address)
    async with agent:
        ctx = agent.context()

        async def once() -> None:
            assert await ctx.tool(TOPIC, text=TEXT) == TEXT

        await take_turns(timed(once))


PARTS = {part.__name__: part for part in (publisher, subscriber, replier, requester, provider, caller)}

if __name__ == "__main__":
    asyncio.run(PARTS[sys.argv[1]](sys.argv[2]))
