"""A local bridge that is started by itself: the fake, as a process of its own.

One machine user's agents share it. It leaves its address in the user's runtime folder, and ends a minute
after its last agent left. A file left behind by one that was killed is noticed by a heartbeat.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from loom.client import BridgeClient
from loom.endpoint import Endpoint
from loom.errors import BridgeUnavailable, ConfigError, LoomError
from loom.runtime.folder import locked, runtime_folder
from loom.runtime.found import Found

if TYPE_CHECKING:
    from loom.config import Settings

__all__ = ["find", "find_running"]

IDLE_EXIT_S = 60
START_S = 20.0
"""How long a bridge may take to start, on a busy machine."""
HEARTBEAT_S = 2.0
LOOK_EVERY_S = 0.02

ADDRESS_FILE = "bridge.json"
LOG_FILE = "bridge.log"


async def find(settings: Settings) -> Found:
    """The local bridge that runs, or a new one.

    Raises:
        ConfigError: the user's runtime folder cannot be used.
        BridgeUnavailable: the bridge did not start; the message says what it said.
    """
    folder = runtime_folder(os.environ)

    async def again() -> Endpoint:
        return (await find(settings)).endpoint

    begin = time.monotonic()
    while time.monotonic() < begin + START_S:
        running = await _answering(folder, settings)
        if running is not None:
            return Found(running, f"{settings.reason}: the local bridge that runs already", again)
        with locked(folder) as mine:
            if mine:
                # Between the look and the lock somebody else may have started one.
                running = await _answering(folder, settings) or await _start(folder, settings)
                return Found(running, f"{settings.reason}: started a local bridge", again)
        await asyncio.sleep(LOOK_EVERY_S)
    raise BridgeUnavailable(
        f"somebody else starts the local bridge, and it does not come up: look into {folder / LOG_FILE}"
    )


def find_running(settings: Settings) -> Found | None:
    """The local bridge that left its address, without asking whether it answers.

    Raises:
        ConfigError: the user's runtime folder cannot be used.
    """
    address = _address(runtime_folder(os.environ))
    if address is None:
        return None
    return Found(
        Endpoint(address, settings.namespace), f"{settings.reason}: the local bridge that runs already"
    )


async def _answering(folder: Path, settings: Settings) -> Endpoint | None:
    """The bridge that left its address, if it answers."""
    address = _address(folder)
    if address is None:
        return None
    endpoint = Endpoint(address, settings.namespace)
    async with BridgeClient(endpoint) as client:
        try:
            await client.heartbeat(timeout=HEARTBEAT_S)
        except LoomError:
            return None
    return endpoint


def _address(folder: Path) -> str | None:
    """What the file says; None where it says nothing of use."""
    try:
        content = json.loads((folder / ADDRESS_FILE).read_text(encoding="utf-8"))
        return Endpoint(str(content["address"])).address
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ConfigError):
        return None


async def _start(folder: Path, settings: Settings) -> Endpoint:
    """Starts a bridge that outlives this process, and waits until it answers."""
    (folder / ADDRESS_FILE).unlink(missing_ok=True)
    process = _spawn(folder)
    begin = time.monotonic()
    while time.monotonic() < begin + START_S:
        endpoint = await _answering(folder, settings)
        if endpoint is not None:
            return endpoint
        if process.poll() is not None:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    else:
        process.kill()
    process.wait()
    raise BridgeUnavailable(
        f"the local bridge did not start: {_last_line(folder / LOG_FILE)}; look into {folder / LOG_FILE}, "
        "or name a bridge by LOOM_BRIDGE_ADDR"
    )


class _Detached(subprocess.Popen[bytes]):
    """A process that is meant to outlive this one: letting go of it is no mistake to warn of."""

    def __del__(self, *_: object) -> None:
        pass


def _spawn(folder: Path) -> _Detached:
    command = [sys.executable, "-m", "loom_testing", "serve", "--host", "127.0.0.1", "--port", "0"]
    command += ["--idle-exit", str(IDLE_EXIT_S), "--address-file", str(folder / ADDRESS_FILE)]
    log = os.open(folder / LOG_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        return _Detached(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",  # it outlives the folder it was started from
            start_new_session=True,  # and the terminal, and its Ctrl-C
            umask=0o077,
        )
    finally:
        os.close(log)


def _last_line(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1][:300] if lines else "it said nothing"
