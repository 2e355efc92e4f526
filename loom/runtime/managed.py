"""The managed bridge: for those who have a token and name no address."""

from __future__ import annotations

from loom.endpoint import TLS, Endpoint

__all__ = ["ADDRESS", "managed_endpoint"]

ADDRESS = "bridge.loomcloud.dev:443"


def managed_endpoint(namespace: str, token: str, tls: TLS | None) -> Endpoint:
    """The managed bridge, which speaks TLS only."""
    return Endpoint(ADDRESS, namespace, token, tls or TLS())
