"""`Target`: the bridge under test, as the checks reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import grpc
import grpc.aio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["BridgeProgram", "Target"]


class BridgeProgram(Protocol):
    """A bridge that was started for one check, in a process of its own."""

    @property
    def address(self) -> str:
        """Where it listens, as `host:port`."""

    def signal(self, number: int) -> None:
        """Sends it a signal."""

    async def wait(self, seconds: float) -> int | None:
        """Its exit code once it has ended; None where it lives on after so many seconds."""

    async def close(self) -> None:
        """Ends it, whatever became of it."""


@dataclass(frozen=True)
class Target:
    """How the bridge is reached.

    Attributes:
        address: `host:port`.
        token: a bearer token, where the bridge asks for one.
        credentials: TLS, where the bridge speaks it.
        start: starts another bridge of the same kind; None where the bridge was not started by us.
        plain: starts one without its testing control; None where we do not know how.
    """

    address: str
    token: str = ""
    credentials: grpc.ChannelCredentials | None = None
    start: Callable[[], Awaitable[BridgeProgram]] | None = field(default=None, repr=False)
    plain: Callable[[], Awaitable[BridgeProgram]] | None = field(default=None, repr=False)

    def channel(self, **options: int) -> grpc.aio.Channel:
        """A connection of its own: no other channel shares it."""
        settings: list[tuple[str, int]] = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            *((f"grpc.{name}", value) for name, value in options.items()),
        ]
        if self.credentials is not None:
            return grpc.aio.secure_channel(self.address, self.credentials, options=settings)
        return grpc.aio.insecure_channel(self.address, options=settings)

    def metadata(self, namespace: str = "") -> list[tuple[str, str]]:
        """What goes along with each call."""
        sent = [("loom-namespace", namespace)] if namespace else []
        return [*sent, ("authorization", f"Bearer {self.token}")] if self.token else sent
