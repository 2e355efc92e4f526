"""FakeBridge: a whole bridge inside this process, over real gRPC."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Self

import grpc.aio
from grpc_reflection.v1alpha import reflection

from loom_testing.control import CONTROL, ControlService
from loom_testing.engine.limits import Limits
from loom_testing.health import SERVICE as HEALTH
from loom_testing.health import Health
from loom_testing.namespaces import Namespaces
from loom_testing.server import ACTION_BROKER, BRIDGE, BridgeService, server_options

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["CannotListenError", "FakeBridge"]

TAIL_SECONDS = 0.5
"""How long, at the very end, answers may take to leave; what is still open then is cut off."""


class CannotListenError(OSError):
    """The bridge cannot listen where it should; the text says why and what to change."""


class FakeBridge:
    """The fake bridge: the pure engine behind a grpc.aio server.

    It lives in the event loop it is started in:

    ```python
    async with FakeBridge() as bridge:
        channel = grpc.aio.insecure_channel(bridge.address)
    ```

    Args:
        testing: whether to serve loom.testing.v1.Control (CTL).
        limits: what the bridge takes at the most.
        host: where to listen; loopback unless told otherwise.
        port: 0 takes any free one.
    """

    def __init__(
        self, *, testing: bool = False, limits: Limits | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._testing = testing
        self._limits = limits or Limits()
        self._host = host
        self._wanted_port = port
        self._port = 0
        self._server: grpc.aio.Server | None = None
        self._namespaces: Namespaces | None = None
        self._health: Health | None = None

    @property
    def address(self) -> str:
        """Where it listens, as `host:port`.

        Raises:
            RuntimeError: it was not started.
        """
        if not self._port:
            raise RuntimeError("the bridge was not started; `async with FakeBridge() as bridge` starts it")
        return _join(self._host, self._port)

    @property
    def namespaces(self) -> Namespaces:
        """Its namespaces, for those who live in the same event loop.

        Raises:
            RuntimeError: it was not started.
        """
        if self._namespaces is None:
            raise RuntimeError("the bridge was not started; `async with FakeBridge() as bridge` starts it")
        return self._namespaces

    async def start(self) -> None:
        """Begins to serve.

        Raises:
            CannotListenError: the port is in use, or the host is not one of this machine.
            RuntimeError: it was started before.
        """
        if self._server is not None:
            raise RuntimeError("a FakeBridge starts once; make another one")
        self._namespaces = Namespaces(self._limits)
        services = [BRIDGE, ACTION_BROKER, *([CONTROL] if self._testing else [])]
        self._health = Health(services)
        server = grpc.aio.server(options=server_options(self._limits))
        handlers = [*BridgeService(self._namespaces).handlers(), *self._health.handlers()]
        if self._testing:
            handlers += ControlService(self._namespaces).handlers()
        server.add_generic_rpc_handlers(tuple(handlers))
        reflection.enable_server_reflection([*services, HEALTH, reflection.SERVICE_NAME], server)
        try:
            self._port = server.add_insecure_port(_join(self._host, self._wanted_port))
        except RuntimeError:
            raise _why(self._host, self._wanted_port) from None
        await server.start()
        self._server = server

    async def stop(self, grace: float = 0.0) -> None:
        """Stops in order (LIM-3), and always within about a second more than the grace.

        Health says NOT_SERVING, sessions are told to drain, new work is refused, open calls may finish.
        Stopping what is stopped does nothing.

        Args:
            grace: how long open work may take, seconds.
        """
        server, self._server = self._server, None
        if server is None or self._namespaces is None or self._health is None:
            return
        self._health.stop()
        try:
            await self._namespaces.drain(grace)
        finally:
            self._namespaces.close()
            await server.stop(TAIL_SECONDS)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _why(host: str, port: int) -> CannotListenError:
    """Tries to listen once more, with a plain socket, whose error says what gRPC's does not."""
    where = _join(host, port)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return CannotListenError(
                f"cannot listen on {where}: the port is in use; choose another one, or 0 for any free one"
            )
        return CannotListenError(
            f"cannot listen on {where}: {error.strerror or error}; choose another host or port"
        )
    return CannotListenError(f"cannot listen on {where}; choose another host or port")
