"""Starting a bridge for `loom dev`, and making it the local one of this machine user."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loom.cli.exits import Exit, Failure
from loom.cli.processes import Child
from loom.runtime import docker, rust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom.runtime.programs import Program

__all__ = ["Bridge", "local_bridge", "place_of_the_local_bridge", "start_bridge"]

START_SECONDS = 30.0
LOOK_SECONDS = 2.0
"""How long a local bridge that left its address may take to answer."""

LISTENING = "listening on "
SETTINGS = "LOOM_BRIDGE_"
"""The Rust bridge's own settings begin so; those in our environment are of another bridge."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge that was started.

    Attributes:
        process: its process.
        address: where it listens.
    """

    process: Child
    address: str


async def start_bridge(program: Program, port: int) -> Bridge:
    """Starts a bridge for testing on this machine; it does not outlive this process.

    Raises:
        Failure: it could not start; the message says why.
    """
    process = await Child.start("bridge", _command(program, port), environ=_environ(), held=True)
    try:
        async with asyncio.timeout(START_SECONDS):
            address = _address(await process.line())
    except TimeoutError:
        await process.kill()
        raise Failure(f"the bridge did not start within {START_SECONDS:.0f} s; try again") from None
    except BaseException:
        await process.kill()
        raise
    if address:
        return Bridge(process, address)
    await process.kill()
    raise Failure(_why(await process.complaints()), Exit.FAILED)


@contextlib.contextmanager
def local_bridge(address: str, place: Path | None) -> Iterator[None]:
    """While the block runs, this user's agents that name no bridge find this one.

    Args:
        address: where it listens.
        place: what `place_of_the_local_bridge` gave; None does nothing.
    """
    if place is None:
        yield
        return
    text = json.dumps({"address": address, "pid": os.getpid()}) + "\n"
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(place)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if place.read_text() == text:
                place.unlink()


async def place_of_the_local_bridge() -> Path | None:
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


def _command(program: Program, port: int) -> list[str]:
    flags = ["--testing", "--log-level", "error"]
    if program.kind == "fake":  # under its other name it follows its parent
        return [sys.executable, "-m", "loom.cli.fake", "--port", str(port), "--json", *flags]
    return [*program.at(port), *flags, "--until-stdin-closes"]


def _environ() -> dict[str, str]:
    kept = {rust.VARIABLE, docker.VARIABLE}
    return {
        name: value for name, value in os.environ.items() if name in kept or not name.startswith(SETTINGS)
    }


def _address(first: str) -> str:
    """Where it listens, by its first line; empty where that says nothing of it."""
    if first.startswith(LISTENING):
        return first.removeprefix(LISTENING).strip()
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        return str(json.loads(first)["address"])
    return ""


def _why(said: str) -> str:
    """The bridge's own last line, without what stands before the sentence."""
    last = (said.splitlines() or ["the bridge ended before it began, without a word; try again"])[-1]
    return last.removeprefix("Error: ").removeprefix("error: ")
