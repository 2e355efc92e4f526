"""Which bridge it is: one that was named, else a local one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from loom.errors import ConfigError
from loom.runtime import embedded, named

if TYPE_CHECKING:
    from loom.config import Settings
    from loom.endpoint import Endpoint
    from loom.runtime.found import Found

__all__ = ["LOCAL", "find_bridge", "find_running"]

_log = logging.getLogger("loom.runtime")

LOCAL = (embedded,)
"""The ways to run a bridge on this machine, the best first."""


async def find_bridge(settings: Settings, endpoint: str | Endpoint | None = None) -> Found:
    """Chooses the bridge; starts a local one where none is named. What was chosen, and why, is logged.

    Args:
        settings: what holds.
        endpoint: given by the program itself, before everything else.

    Raises:
        ConfigError: none is named, and none may be started here.
        BridgeUnavailable: a local one did not start.
    """
    found = named.find(settings, endpoint)
    if found is None:
        _check_local_allowed(settings)
        found = await LOCAL[0].find(settings)
    _log.info("bridge %s: %s", found.endpoint.address, found.reason)
    if found.endpoint.token and found.endpoint.tls is None and not found.endpoint.is_local:
        _log.warning(
            "the token travels in the clear to %s: set LOOM_TLS=1, or bridge.tls in loom.toml",
            found.endpoint.address,
        )
    return found


def find_running(settings: Settings) -> Found | None:
    """The bridge that is named, or the local one that runs; starts nothing. For tools.

    Raises:
        ConfigError: the local bridge's folder is not one to trust.
    """
    found = named.find(settings, None)
    if found is not None or not settings.local:
        return found
    return embedded.find_running(settings)


def _check_local_allowed(settings: Settings) -> None:
    if not settings.local:
        raise ConfigError(
            "no bridge is named, and a local one may not be started: "
            "set LOOM_BRIDGE_ADDR to its host:port, or bridge.address in loom.toml"
        )
