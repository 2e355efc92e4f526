"""Memory stores by name, also those of other packages.

A package offers a store by an entry point of the group `loom.memory`. Its name is the store's name, its
object a `MemoryPlugin`:

    [project.entry-points."loom.memory"]
    redis = "my_package:RedisMemory"
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any, Protocol

from loom.errors import ConfigError

if TYPE_CHECKING:
    from loom.memory.store import Memory

__all__ = ["GROUP", "MemoryPlugin", "open_memory"]

GROUP = "loom.memory"
"""The group of entry points."""


class MemoryPlugin(Protocol):
    """What an entry point of the group `loom.memory` names: usually the store's class."""

    def from_location(self, location: str) -> Memory:
        """Opens the store at a location: what stands after the colon, or empty.

        Raises:
            ConfigError: the location is malformed.
        """
        ...


def open_memory(spec: str) -> Memory:
    """Opens a store by name and location: `local`, `sqlite:PATH`, or one that another package offers.

    Raises:
        ConfigError: no such store is installed (the message lists those that are), it cannot be loaded, or
            its location is malformed.
    """
    name, _, location = spec.partition(":")
    installed = {point.name: point for point in metadata.entry_points(group=GROUP)}
    if name not in installed:
        known = ", ".join(sorted(installed)) or "none; install loom-py again"
        raise ConfigError(f"there is no memory store {name!r}; installed are {known}")
    plugin = _load(installed[name])
    memory: Memory = plugin.from_location(location)
    return memory


def _load(point: metadata.EntryPoint) -> Any:
    package = point.dist.name if point.dist is not None else point.value
    try:
        plugin = point.load()
    except Exception as error:  # whatever the other package's import raises
        raise ConfigError(
            f"memory store {point.name!r} of {package} cannot be loaded: {error}; install {package} again"
        ) from error
    if not callable(getattr(plugin, "from_location", None)):
        raise ConfigError(
            f"memory store {point.name!r} of {package} offers no from_location(location); tell its authors"
        )
    return plugin
