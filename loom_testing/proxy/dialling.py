"""Opening connections to the bridge: where it is, how to speak with it, and where it is now."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

from loom_testing.proxy.wire import Wire

if TYPE_CHECKING:
    from loom.endpoint import TLS, Endpoint
    from loom_testing.proxy.wire import Handler

__all__ = ["Dial"]

CONNECT_S = 5.0
GOODBYE_S = 0.5
"""How long the other side of TLS may take to confirm an end."""


class Dial:
    """Opens connections to one bridge.

    Attributes:
        endpoint: where the bridge is; may change when it is started anew.

    Raises:
        ConfigError: a TLS file cannot be read.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._ssl = None if endpoint.tls is None else _ssl_context(endpoint.tls)

    @property
    def scheme(self) -> bytes:
        """What a call's `:scheme` is there."""
        return b"http" if self._ssl is None else b"https"

    async def open(self, handler: Handler) -> Wire:
        """A new connection.

        Raises:
            OSError: nobody answers there.
        """
        loop = asyncio.get_running_loop()
        wire = Wire(handler, client_side=True)
        address = self.endpoint.address
        try:
            async with asyncio.timeout(CONNECT_S):
                if address.startswith("unix:"):
                    path = address.removeprefix("unix:")
                    await loop.create_unix_connection(lambda: wire, path, **self._how)
                else:
                    host, _, port = address.rpartition(":")
                    await loop.create_connection(lambda: wire, host.strip("[]"), int(port), **self._how)
        except TimeoutError:
            raise ConnectionError(f"{address} did not answer within {CONNECT_S:g} s") from None
        return wire

    @property
    def _how(self) -> dict[str, Any]:
        """What asyncio is told about TLS."""
        tls = self.endpoint.tls
        if self._ssl is None or tls is None:
            return {}
        name = tls.server_name or self.endpoint.address.rpartition(":")[0].strip("[]")
        return {"ssl": self._ssl, "server_hostname": name, "ssl_shutdown_timeout": GOODBYE_S}


def _ssl_context(tls: TLS) -> ssl.SSLContext:
    tls.read("ca")  # says what is wrong with the file, better than ssl does
    context = ssl.create_default_context(cafile=tls.ca)
    if tls.certificate is not None:
        tls.read("key")
        context.load_cert_chain(tls.certificate, tls.key)
    context.set_alpn_protocols(["h2"])
    return context
