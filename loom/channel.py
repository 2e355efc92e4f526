"""gRPC channels to a bridge: options, credentials and the metadata of every call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom import inmemory

if TYPE_CHECKING:
    from loom.endpoint import TLS, Endpoint

__all__ = ["call_metadata", "open_channel", "open_sync_channel"]

MAX_RECEIVED_BYTES = 64 * 1024 * 1024
"""A bridge's own limits are tighter, and configurable; this only bounds what a stranger may send."""

_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),
    ("grpc.max_send_message_length", -1),
    # Liveness is the session's own heartbeat. Keepalive only serves long calls without a stream, and is
    # slow enough that no server takes it for an attack.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # gRPC's own back-off would keep an agent away for up to two minutes after the bridge is back.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


def open_channel(endpoint: Endpoint) -> grpc.aio.Channel:
    """A channel of its own, for the running event loop. Connects when first used.

    Raises:
        ConfigError: a TLS file cannot be read, or a bridge in memory is not in this process.
    """
    if endpoint.address.startswith(inmemory.SCHEME):
        return inmemory.found(endpoint.address).channel()
    options = _options(endpoint)
    if endpoint.tls is None:
        return grpc.aio.insecure_channel(endpoint.address, options)
    return grpc.aio.secure_channel(endpoint.address, _credentials(endpoint.tls), options)


def open_sync_channel(endpoint: Endpoint) -> grpc.Channel:
    """A channel for synchronous calls. Connects when first used.

    Raises:
        ConfigError: a TLS file cannot be read, or a bridge in memory is not in this process.
    """
    if endpoint.address.startswith(inmemory.SCHEME):
        return inmemory.found(endpoint.address).sync_channel()
    options = _options(endpoint)
    if endpoint.tls is None:
        return grpc.insecure_channel(endpoint.address, options)
    return grpc.secure_channel(endpoint.address, _credentials(endpoint.tls), options)


def call_metadata(endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
    """The metadata of every call: the namespace, and the token where there is one."""
    namespace = (("loom-namespace", endpoint.namespace),)
    if endpoint.token is None:
        return namespace
    return (*namespace, ("authorization", f"Bearer {endpoint.token}"))


def _options(endpoint: Endpoint) -> list[tuple[str, Any]]:
    # gRPC's channels of the same address and options share a connection unless told otherwise.
    options = [*_OPTIONS, ("grpc.use_local_subchannel_pool", 0 if endpoint.shares_connection else 1)]
    if endpoint.is_local:
        options.append(("grpc.enable_http_proxy", 0))  # a proxy cannot reach this machine's own bridge
    if endpoint.tls is not None and endpoint.tls.server_name:
        options.append(("grpc.ssl_target_name_override", endpoint.tls.server_name))
    return options


def _credentials(tls: TLS) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=tls.read("ca"),
        private_key=tls.read("key"),
        certificate_chain=tls.read("certificate"),
    )
