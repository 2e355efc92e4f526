"""NATS's players: `nats_clients PART ADDRESS`, with nats-py as its users use it.

The metadata that an event of Loom carries travels in the message's headers; the parts that end in `_bare`
send none, for what headers cost.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import nats

from benchmarks.measure import timed
from benchmarks.players.table import Tally, no_turn, take_turns
from benchmarks.work import PAYLOAD, TOPIC, metadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["PARTS"]


async def publisher(address: str) -> None:
    """Publishes into the client's buffer."""
    async with _connected(address) as client:

        async def publish(times: int) -> list[float]:
            for _ in range(times):
                await client.publish(TOPIC, PAYLOAD, headers=metadata("publisher"))
            await client.flush()
            return []

        await take_turns(publish)


async def publisher_bare(address: str) -> None:
    """The same without headers."""
    async with _connected(address) as client:

        async def publish(times: int) -> list[float]:
            for _ in range(times):
                await client.publish(TOPIC, PAYLOAD)
            await client.flush()
            return []

        await take_turns(publish)


async def subscriber(address: str) -> None:
    """Counts the messages of a subject."""
    tally = Tally()

    async def take(message: Any) -> None:
        tally.add()

    async with _connected(address) as client:
        await client.subscribe(TOPIC, cb=take)
        await client.flush()
        await take_turns(tally.turn)


async def replier(address: str) -> None:
    """Answers every message with its payload."""

    async def answer(message: Any) -> None:
        # Not `respond`, which sends no headers.
        await client.publish(message.reply, message.data, headers=metadata("replier"))

    async with _connected(address) as client:
        await client.subscribe(TOPIC, cb=answer)
        await client.flush()
        await take_turns(no_turn)


async def replier_bare(address: str) -> None:
    """The same without headers."""

    async def answer(message: Any) -> None:
        await message.respond(message.data)

    async with _connected(address) as client:
        await client.subscribe(TOPIC, cb=answer)
        await client.flush()
        await take_turns(no_turn)


async def requester(address: str) -> None:
    """Asks, one request after the other."""
    async with _connected(address) as client:

        async def once() -> None:
            answer = await client.request(TOPIC, PAYLOAD, timeout=30, headers=metadata("requester"))
            assert answer.data == PAYLOAD

        await take_turns(timed(once))


async def requester_bare(address: str) -> None:
    """The same without headers."""
    async with _connected(address) as client:

        async def once() -> None:
            assert (await client.request(TOPIC, PAYLOAD, timeout=30)).data == PAYLOAD

        await take_turns(timed(once))


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Any]:
    client = await nats.connect(f"nats://{address}")
    try:
        yield client
    finally:
        await client.close()


PARTS = {
    part.__name__: part
    for part in (
        publisher,
        publisher_bare,
        subscriber,
        replier,
        replier_bare,
        requester,
        requester_bare,
    )
}

if __name__ == "__main__":
    asyncio.run(PARTS[sys.argv[1]](sys.argv[2]))
