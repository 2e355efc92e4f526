"""The bridges that `loom dev` can start."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path

from loom.cli.exits import Exit, Failure
from loom.cli.processes import Child

__all__ = ["KINDS", "start_bridge"]

KINDS = ("auto", "fake", "rust", "docker")
MISSING = {
    "rust": "the Rust bridge is not part of this installation; use --bridge fake",
    "docker": "there is no image of the bridge for this version; use --bridge fake",
}
START_SECONDS = 20.0
LOOK_SECONDS = 2.0
"""How long a local bridge that left its address may take to answer."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge that was started.

    Attributes:
        process: its process.
        address: where it listens.
        is_local: whether agents of this machine user that name no bridge will find it by themselves.
    """

    process: Child
    address: str
    is_local: bool


async def start_bridge(kind: str, port: int) -> Bridge:
    """Starts a bridge for testing on this machine.

    Raises:
        Failure: this kind is not installed, or it could not start; the message says why.
    """
    if kind in MISSING:
        raise Failure(MISSING[kind], Exit.USAGE)
    options = ["--testing", "--json", "--log-level", "error", "--port", str(port)]
    place = await _place_of_the_local_bridge()
    if place is not None:
        options += ["--address-file", str(place)]
    bridge = await Child.start("bridge", ["-m", "loom.cli.fake", *options], merged=False)
    try:
        async with asyncio.timeout(START_SECONDS):
            first = await bridge.line()
        if first:
            return Bridge(bridge, str(json.loads(first)["address"]), place is not None)
    except TimeoutError:
        await bridge.kill()
        raise Failure(f"the bridge did not start within {START_SECONDS:.0f} s; try again") from None
    except BaseException:
        await bridge.kill()
        raise
    await bridge.wait()
    raise Failure(_why(await bridge.complaints()))


async def _place_of_the_local_bridge() -> Path | None:
    """The file in which this user's agents look for a local bridge; None where one runs already."""
    from loom.client import BridgeClient
    from loom.config import Settings
    from loom.errors import LoomError
    from loom.runtime import embedded
    from loom.runtime.folder import runtime_folder

    try:
        place = runtime_folder(os.environ) / embedded.ADDRESS_FILE
        running = embedded.find_running(Settings())
    except LoomError:
        return None
    if running is None:
        return place
    async with BridgeClient(running.endpoint) as client:
        try:
            await client.heartbeat(timeout=LOOK_SECONDS)
        except LoomError:
            return place
    return None


def _why(said: str) -> str:
    """The bridge's own last line; where it says \"choose another port\", the option is the same here."""
    last = (said.splitlines() or ["the bridge ended before it began, without a word; try again"])[-1]
    return last.partition("Error: ")[2] or last
