"""Standing in front of a bridge until told to stop: what `proxy` and `record` have in common."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from loom.cli.console import say
from loom.cli.exits import Exit, Failure, loom_errors
from loom_testing.serve import is_loopback
from loom_testing.signals import STOPPING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.endpoint import Endpoint
    from loom_testing.faults import Rules
    from loom_testing.proxy import Proxy
    from loom_testing.transcript import Recorder

__all__ = ["proxy_for", "stand_in_front", "target_of"]

CONNECT_S = 5.0


def proxy_for(address: str, recorder: Recorder, rules: Rules | None = None) -> Proxy:
    """A proxy in front of the bridge at an address.

    Raises:
        Failure: the address or a setting is malformed, or a package is missing.
    """
    if find_spec("h2") is None:
        raise Failure("a proxy needs the package h2: pip install 'loom-py[testing]'", Exit.USAGE)
    from loom_testing.proxy import Proxy

    with loom_errors():
        return Proxy(target_of(address), rules=rules, recorder=recorder)


def target_of(address: str) -> Endpoint:
    """The bridge to stand in front of; TLS as the settings say (LOOM_TLS, LOOM_TLS_CA, loom.toml).

    The token is each agent's own, and passes through.

    Raises:
        Failure: the address or a setting is malformed.
    """
    from loom.cli.options import load_settings
    from loom.endpoint import Endpoint, check_address

    with loom_errors():
        check_address(address, "--target")
    settings = load_settings(address)
    found = settings.endpoint or Endpoint(address)
    return replace(found, token=None)


async def stand_in_front(
    proxy: Proxy, host: str, port: int, *, as_json: bool, noted: Sequence[str], what: str
) -> None:
    """Serves until Ctrl-C or SIGTERM.

    Args:
        proxy: what is to listen.
        host: where.
        port: where; 0 for any that is free.
        as_json: whether to say the address as JSON.
        noted: signals that came before.
        what: what it does there, for people.

    Raises:
        Failure: nobody answers behind it, or it cannot listen.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, told.set)
    if noted:
        told.set()
    await _check(proxy.dial.endpoint.address)
    try:
        await proxy.start(host, port)
    except OSError as error:
        raise Failure(
            f"cannot listen on {host}:{port} ({error.strerror}): choose --port", Exit.USAGE
        ) from None
    if not is_loopback(host):
        say(f"listening on {host}: whoever reaches this machine reaches the bridge through it")
    try:
        serving = {"event": "serving", "address": proxy.address, "target": proxy.dial.endpoint.address}
        sys.stdout.write((json.dumps(serving) if as_json else proxy.address) + "\n")
        sys.stdout.flush()
        say(f"{what} at {proxy.address}, in front of {proxy.dial.endpoint.address}; Ctrl-C ends it")
        await told.wait()
    finally:
        await proxy.close()


async def _check(address: str) -> None:
    """Somebody should answer behind it.

    Raises:
        Failure: nobody does.
    """
    try:
        async with asyncio.timeout(CONNECT_S):
            if address.startswith("unix:"):
                _, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
            else:
                host, _, port = address.rpartition(":")
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        raise Failure(
            f"nobody answers at {address}: start the bridge first, or name another --target", Exit.NO_BRIDGE
        ) from None
    writer.close()
