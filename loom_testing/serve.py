"""`loom-testing serve`: a FakeBridge as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loom_testing.log import setup
from loom_testing.signals import STOPPING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loom_testing.bridge import FakeBridge

__all__ = ["CannotServeError", "ServeOptions", "is_loopback", "run"]

log = logging.getLogger("loom_testing.serve")

SHORTEST_LOOK_SECONDS = 0.05


class CannotServeError(Exception):
    """The bridge cannot begin to serve; the text says why and what to change."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line says. Times in seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    as_json: bool = False
    log_level: str = "info"
    testing: bool = False
    grace: float = 5.0
    idle_exit: float | None = None
    address_file: str | None = None
    limits: dict[str, int] = field(default_factory=dict)


def run(options: ServeOptions, noted: Sequence[str] = ()) -> None:
    """Serves until a signal or idleness ends it.

    Args:
        options: how.
        noted: the names of the signals that came before; it grows until this handles them itself.

    Raises:
        CannotServeError: it cannot begin to.
    """
    setup(options.log_level)
    if options.log_level != "debug":
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what gRPC would log is said better here
    asyncio.run(_serve(options, noted))


async def _serve(options: ServeOptions, noted: Sequence[str]) -> None:
    signals = _catch_signals(noted)
    from loom_testing.bridge import CannotListenError, FakeBridge
    from loom_testing.engine.limits import Limits

    try:
        limits = Limits().with_overrides(options.limits)
        bridge = FakeBridge(testing=options.testing, limits=limits, host=options.host, port=options.port)
        await bridge.start()
    except (CannotListenError, ValueError) as problem:
        raise CannotServeError(str(problem)) from None
    try:
        await _say_and_wait(options, bridge, signals)
    finally:
        await _stop(bridge, options.grace, signals)
    if options.as_json:
        _say({"event": "stopped"})


async def _say_and_wait(options: ServeOptions, bridge: FakeBridge, signals: asyncio.Queue[str]) -> None:
    serving = {"event": "serving", "address": bridge.address, "pid": os.getpid(), "testing": options.testing}
    with _address_file(options.address_file, serving):
        _warn_of_strangers(options)
        log.info("serving at %s; Ctrl-C stops it", bridge.address)
        _say(serving if options.as_json else bridge.address)
        reason = await _until_told(signals, bridge, options.idle_exit)
        log.info("stopping (%s); open calls may take %g s", reason, options.grace)
        if options.as_json:
            _say({"event": "stopping", "reason": reason})


# When to stop.


def _catch_signals(noted: Sequence[str]) -> asyncio.Queue[str]:
    """SIGINT and SIGTERM come out of this queue from here on, those that were noted first."""
    signals: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for kind in STOPPING:
        loop.add_signal_handler(kind, signals.put_nowait, kind.name)
    for name in noted:
        signals.put_nowait(name)
    return signals


async def _until_told(signals: asyncio.Queue[str], bridge: FakeBridge, idle_exit: float | None) -> str:
    """Waits for a signal, or until the bridge was unused for so many seconds; says which."""
    if idle_exit is None:
        return await signals.get()
    while (left := idle_exit - bridge.namespaces.seconds_unused()) > 0:
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(signals.get(), max(left, SHORTEST_LOOK_SECONDS))
    return "idle"


async def _stop(bridge: FakeBridge, grace: float, signals: asyncio.Queue[str]) -> None:
    """Stops in order; a second signal stops at once."""
    stopping = asyncio.create_task(bridge.stop(grace))
    hurry = asyncio.create_task(signals.get())
    await asyncio.wait([stopping, hurry], return_when=asyncio.FIRST_COMPLETED)
    if hurry.done():
        log.info("stopping at once (%s)", hurry.result())
        stopping.cancel()
    hurry.cancel()
    await asyncio.wait([stopping])


# What to say.


def _say(what: dict[str, Any] | str) -> None:
    """One line on stdout. Nobody need be listening any more."""
    text = what if isinstance(what, str) else json.dumps(what)
    try:
        sys.stdout.write(text + "\n")  # in one piece: the log may go to the same place
        sys.stdout.flush()
    except BrokenPipeError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())


def _warn_of_strangers(options: ServeOptions) -> None:
    if is_loopback(options.host):
        return
    log.warning("listening on %s: whoever reaches this machine can use the bridge", options.host)
    if options.testing:
        log.warning("with --testing they can also move its clocks and break its sessions")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def _address_file(path: str | None, serving: dict[str, Any]) -> Iterator[None]:
    """Writes the file whole or not at all, and takes it away again unless another bridge wrote it since."""
    if path is None:
        yield
        return
    place, text = Path(path), json.dumps(serving) + "\n"
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        fresh.replace(place)
    except OSError as error:
        raise CannotServeError(
            f"cannot write {path}: {error.strerror}; choose another --address-file"
        ) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if place.read_text() == text:
                place.unlink()
