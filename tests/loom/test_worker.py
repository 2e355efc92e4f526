"""A running agent, where it meets the bridge's bookkeeping."""

import asyncio

from loom.agent import Agent


async def test_a_call_that_was_given_up_frees_its_place(start):
    """ACT-7: the bridge keeps the place of a given-up call until its provider has answered."""
    me, other = Agent("me"), Agent("other")
    begun = asyncio.Event()

    @me.capability("work", max_concurrency=1)
    async def work(forever: bool) -> str:
        begun.set()
        if forever:
            await asyncio.Event().wait()
        return "done"

    await start(me, other)
    call = asyncio.create_task(other.context().tool("work", forever=True))
    await begun.wait()
    call.cancel()
    await asyncio.wait([call])
    assert await other.context().tool("work", forever=False, timeout=5) == "done"
    assert me.counts["calls_cancelled"] == 1
