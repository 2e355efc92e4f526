"""A bridge that was named: by the program, the environment, or loom.toml; or by a token alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loom.endpoint import Endpoint
from loom.runtime.found import Found

if TYPE_CHECKING:
    from loom.config import Settings

__all__ = ["find"]


def find(settings: Settings, endpoint: str | Endpoint | None) -> Found | None:
    """The bridge that was named; None where none was.

    Raises:
        ConfigError: the address is malformed.
    """
    if isinstance(endpoint, Endpoint):
        return Found(endpoint, "given by the program")
    if endpoint is not None:
        if settings.endpoint is not None:
            return Found(replace(settings.endpoint, address=endpoint), "given by the program")
        return Found(Endpoint(endpoint, settings.namespace), "given by the program")
    if settings.endpoint is not None:
        return Found(settings.endpoint, settings.reason)
    return None
