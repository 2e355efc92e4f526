"""Agents that the tests of faults are about."""

from __future__ import annotations

from loom import Agent, Context

__all__ = ["PAUSE_S", "make"]

PAUSE_S = 60
"""Longer than any back-off: after it who was disconnected is there again."""


def make(name: str = "greeter") -> Agent:
    """Greets who arrives, answers who asks, and offers a capability."""
    agent = Agent(name)

    @agent.on("visitor.arrived")
    async def greet(ctx: Context, name: str) -> None:
        await ctx.emit("visitor.greeted", "hello " + name)

    @agent.on("ask")
    async def ask(ctx: Context, name: str) -> None:
        await ctx.reply("hello " + name)

    @agent.capability("wording")
    async def wording(name: str) -> str:
        return "hi " + name

    return agent
