"""Agents under test, and events, for the tests of the harness."""

from __future__ import annotations

from typing import Any

from loom import Agent, Context
from loom.envelope import Envelope
from loom.event import Event, make_event
from loom.payload import encode_payload


def greeter() -> Agent:
    """Greets visitors, answers requests, and offers two capabilities, one of which calls another's."""
    agent = Agent("greeter")

    @agent.on("visitor.arrived")
    async def greet(ctx: Context, payload: dict) -> None:
        await ctx.emit("visitor.greeted", {"text": f"Hello, {payload['name']}!", "seat": {"row": 3, "no": 7}})

    @agent.on("words.asked")
    async def answer(ctx: Context, payload: str) -> None:
        await ctx.reply(payload.upper())

    @agent.capability("text.length")
    async def length(text: str) -> int:
        return len(text)

    @agent.capability("text.summary")
    async def summary(ctx: Context, text: str) -> str:
        return await ctx.tool("llm.complete", text=text)

    return agent


def event(topic: str, payload: Any = None, *, type: str = "", sender: str = "writer") -> Event:
    """An event as a probe receives it."""
    message = make_event(type or topic, encode_payload(payload), Envelope(sender=sender))
    return Event.from_message(topic, message)
