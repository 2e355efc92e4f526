"""One test's namespace on a bridge: what can be done there by a thread that may wait.

Every call goes over the run's one connection, which is open already. Coroutines reach it through a thread
(`LoomBridge`), plain tests directly (`SyncLoomBridge`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.calls import encode_arguments
from loom.endpoint import Endpoint
from loom.sync import SyncClient
from loom_testing.harness.control import NamespaceOptions, Snapshot
from loom_testing.harness.errors import HarnessError, speaks_for_itself

if TYPE_CHECKING:
    from loom_testing.harness.host import Host

__all__ = ["CALL_S", "Namespace"]

__tracebackhide__ = speaks_for_itself

CALL_S = 30.0


class Namespace:
    """A fresh namespace.

    Attributes:
        host: the bridge.
        endpoint: the bridge and the namespace.

    Args:
        host: the bridge.
        options: what the namespace is like.

    Raises:
        HarnessError: the bridge cannot give such a namespace.
        LoomError: the bridge cannot be reached.
    """

    def __init__(self, host: Host, options: NamespaceOptions) -> None:
        self.host = host
        self.endpoint = Endpoint(host.address, host.namespace(options))
        self._client = SyncClient(self.endpoint, host.control.channel)

    @property
    def name(self) -> str:
        """Its name."""
        return self.endpoint.namespace

    def call(
        self,
        capability: str,
        arguments: Any = None,
        /,
        *,
        version: str = "",
        timeout: float = CALL_S,
        into: Any = None,
        raw: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Calls a capability as nobody in particular; see `LoomBridge.call`."""
        payload = encode_arguments(arguments, kwargs)
        with self.host.guarded():
            return self._client.call(
                capability, payload, version=version, timeout=timeout, into=into, raw=raw
            )

    def advance(self, seconds: float) -> int:
        """Moves the clock; see `LoomBridge.advance`."""
        if not 0 <= seconds < float("inf"):
            raise HarnessError(f"advance({seconds!r}): give seconds from 0 on; time does not go back")
        with self.host.guarded():
            return self.host.control.advance(self.name, seconds)

    def snapshot(self) -> Snapshot:
        """What the namespace holds; see `LoomBridge.snapshot`."""
        with self.host.guarded():
            return self.host.control.snapshot(self.name)

    def disconnect(self, agent_id: str) -> None:
        """Breaks an agent's connection; see `LoomBridge.disconnect`."""
        with self.host.guarded():
            self.host.control.disconnect(self.name, agent_id)
