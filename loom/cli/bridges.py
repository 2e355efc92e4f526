"""The bridges that `loom dev` can start."""

from __future__ import annotations

import asyncio
import json

from loom.cli.exits import Exit, Failure
from loom.cli.processes import Child

__all__ = ["KINDS", "start_bridge"]

KINDS = ("auto", "fake", "rust", "docker")
MISSING = {
    "rust": "the Rust bridge is not part of this installation; use --bridge fake",
    "docker": "there is no image of the bridge for this version; use --bridge fake",
}
START_SECONDS = 20.0


async def start_bridge(kind: str, port: int) -> tuple[Child, str]:
    """Starts a bridge for testing on this machine; gives its process and its address.

    Raises:
        Failure: this kind is not installed, or it could not start; the message says why.
    """
    if kind in MISSING:
        raise Failure(MISSING[kind], Exit.USAGE)
    options = ["--testing", "--json", "--log-level", "error", "--port", str(port)]
    bridge = await Child.start("bridge", ["-m", "loom_testing", "serve", *options], merged=False)
    try:
        async with asyncio.timeout(START_SECONDS):
            first = await bridge.line()
        if first:
            return bridge, str(json.loads(first)["address"])
    except TimeoutError:
        bridge.kill()
        raise Failure(f"the bridge did not start within {START_SECONDS:.0f} s; try again") from None
    except BaseException:
        bridge.kill()
        raise
    raise Failure(_why(await bridge.complaints()))


def _why(said: str) -> str:
    """The bridge's own last line; where it says \"choose another port\", the option is the same here."""
    last = (said.splitlines() or ["the bridge ended before it began, without a word; try again"])[-1]
    return last.partition("Error: ")[2] or last
