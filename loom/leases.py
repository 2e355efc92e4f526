"""Channels as clients hold them: each its own, or one for all of an event loop that share a connection.

Setting up a channel is a tenth of what a test with one agent costs.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from loom.channel import open_channel
from loom.v1 import bridge_pb2_grpc

if TYPE_CHECKING:
    import grpc.aio

    from loom.endpoint import TLS, Endpoint

__all__ = ["Lease"]

_Key = tuple[asyncio.AbstractEventLoop, str, "TLS | None"]


class _Held:
    """A channel, and how many hold it."""

    __slots__ = ("channel", "holders", "stub")

    def __init__(self, endpoint: Endpoint) -> None:
        self.channel = open_channel(endpoint)
        self.stub = cast("bridge_pb2_grpc.BridgeAsyncStub", bridge_pb2_grpc.BridgeStub(self.channel))
        self.holders = 0


class Lease:
    """One client's hold on a channel of the running event loop.

    Args:
        endpoint: the bridge, and whether the channel may be another client's too.

    Raises:
        ConfigError: a TLS file cannot be read, or a bridge in memory is not in this process.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._key: _Key | None = None
        if endpoint.shares_connection:
            _forget_closed_loops()
            self._key = (asyncio.get_running_loop(), endpoint.address, endpoint.tls)
            held = _shared.get(self._key)
            if held is None:
                held = _shared[self._key] = _Held(endpoint)
        else:
            held = _Held(endpoint)
        self._held = held
        held.holders += 1

    @classmethod
    def of_another(cls, endpoint: Endpoint) -> Lease | None:
        """One more hold on a channel that somebody shares on the running loop; None where nobody does."""
        key = (asyncio.get_running_loop(), endpoint.address, endpoint.tls)
        return cls(endpoint) if endpoint.shares_connection and key in _shared else None

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel."""
        return self._held.channel

    @property
    def bridge(self) -> bridge_pb2_grpc.BridgeAsyncStub:
        """The bridge's methods, on it."""
        return self._held.stub

    async def end(self) -> None:
        """Holds it no more; the last to do so closes it."""
        if self.forget():
            await self._held.channel.close()

    def forget(self) -> bool:
        """Holds it no more, and closes nothing: gRPC does, once nobody has it. Answers whether nobody has."""
        self._held.holders -= 1
        if self._held.holders:
            return False
        self.doubt()
        return True

    def doubt(self) -> None:
        """The connection is in doubt: who takes a lease from now on gets another channel."""
        if self._key is not None and _shared.get(self._key) is self._held:
            del _shared[self._key]


_shared: dict[_Key, _Held] = {}


def _forget_closed_loops() -> None:
    for key in [key for key in _shared if key[0].is_closed()]:
        del _shared[key]
