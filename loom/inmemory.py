"""Bridges that live in this process: reached without a socket, at `memory:NAME`.

The fake bridge of a test run may be one (`pytest --loom-bridge=memory`). All that the SDK knows of it is how
to open a channel there, which is used as one of gRPC's is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from loom.errors import ConfigError

if TYPE_CHECKING:
    import grpc
    import grpc.aio

__all__ = ["SCHEME", "InMemory", "forget", "found", "register"]

SCHEME = "memory:"


class InMemory(Protocol):
    """A bridge in this process."""

    def channel(self) -> grpc.aio.Channel:
        """A channel for the running event loop."""

    def sync_channel(self) -> grpc.Channel:
        """A channel for threads."""


def register(address: str, bridge: InMemory) -> None:
    """From now on the bridge is found at this address."""
    _bridges[address] = bridge


def forget(address: str) -> None:
    """It is not any more."""
    _bridges.pop(address, None)


def found(address: str) -> InMemory:
    """The bridge at an address.

    Raises:
        ConfigError: there is none in this process.
    """
    bridge = _bridges.get(address)
    if bridge is None:
        raise ConfigError(
            f"the bridge {address} lives in the memory of another process, or has ended: "
            "agents in processes of their own need one over gRPC, such as pytest --loom-bridge=fake"
        )
    return bridge


_bridges: dict[str, InMemory] = {}
