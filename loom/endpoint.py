"""Where a bridge is, and how to speak with it: address, namespace, token, TLS."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from loom.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DEFAULT_NAMESPACE", "TLS", "Endpoint"]

DEFAULT_NAMESPACE = "default"

_NAMESPACE = re.compile(r"[A-Za-z0-9_:@/-]+(\.[A-Za-z0-9_:@/-]+)*")
_NOT_IN_AN_ADDRESS = re.compile(r"[\s/?#,@]")
_LOOPBACK = ("127.", "localhost:", "[::1]:", "unix:", "memory:")


@dataclass(frozen=True, slots=True)
class TLS:
    """How to secure the connection. Everything unset: TLS with the certificates that gRPC trusts.

    Attributes:
        ca: PEM file of the certificates to trust instead.
        certificate: PEM file of the client's own certificate chain, for mutual TLS; needs `key`.
        key: PEM file of the client's private key.
        server_name: the name to expect in the bridge's certificate, where it is not the address's host.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            given, missing = ("certificate", "key") if self.certificate else ("key", "certificate")
            raise ConfigError(f"tls.{given} is set and tls.{missing} is not: mutual TLS needs both")

    def read(self, name: str) -> bytes | None:
        """The content of the file `ca`, `certificate` or `key`; None where it is unset.

        Raises:
            ConfigError: the file cannot be read.
        """
        path: Path | None = getattr(self, name)
        if path is None:
            return None
        try:
            return path.read_bytes()
        except OSError as error:
            raise ConfigError(f"tls.{name}: cannot read {path}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a bridge is, and how to speak with it. The token is never shown.

    Attributes:
        address: `host:port`; an IPv6 host stands in brackets. Also `unix:path`, and
            `memory:name` for a bridge in this process.
        namespace: the namespace on that bridge.
        token: the bearer token, where the bridge wants one.
        tls: how to secure the connection; None speaks in the clear.
        shares_connection: whether the agents of this process use one connection there. Else each has its
            own, so that one that breaks, or is slow, touches no other.

    Raises:
        ConfigError: the address or the namespace is malformed.
    """

    address: str
    namespace: str = DEFAULT_NAMESPACE
    token: str | None = field(default=None, repr=False)
    tls: TLS | None = None
    shares_connection: bool = False

    def __post_init__(self) -> None:
        check_address(self.address, "the bridge's address")
        check_namespace(self.namespace, "the namespace")
        if self.token is not None:
            check_token(self.token, "the token")

    @property
    def is_local(self) -> bool:
        """Whether the bridge is on this machine."""
        return self.address.startswith(_LOOPBACK)

    def with_namespace(self, namespace: str) -> Endpoint:
        """The same bridge, another namespace."""
        return replace(self, namespace=namespace)


def check_address(text: str, name: str) -> None:
    """Refuses what is not an address; `name` says where it stands.

    Raises:
        ConfigError: it is malformed.
    """
    if text.startswith(("unix:", "memory:")) and not text.endswith(":"):
        return
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    well_formed = (
        bare != ""
        and not _NOT_IN_AN_ADDRESS.search(text)
        and (":" not in bare or bare != host)
        and port.isascii()
        and port.isdigit()
        and 0 < int(port) < 65536
    )
    if not well_formed:
        raise ConfigError(f"{name} is {text!r}: write host:port, such as 127.0.0.1:50051")


def check_namespace(text: str, name: str) -> None:
    """Refuses what is not a namespace; `name` says where it stands.

    Raises:
        ConfigError: it is malformed.
    """
    if not _NAMESPACE.fullmatch(text) or len(text) > 128:
        raise ConfigError(
            f"{name} is {text[:40]!r}: use dot-separated tokens of A-Z a-z 0-9 _ : @ / - of at most 128 bytes"
        )


def check_token(text: str, name: str) -> None:
    """Refuses what cannot stand in a header. The token itself is not shown.

    Raises:
        ConfigError: it is malformed.
    """
    if not text or not text.isascii() or any(sign.isspace() or not sign.isprintable() for sign in text):
        raise ConfigError(f"{name} is empty or holds spaces or control characters: copy it again")
