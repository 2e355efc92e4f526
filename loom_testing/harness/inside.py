"""`MemoryHost`: the fake bridge in the test run's own process."""

from __future__ import annotations

from loom_testing.harness.host import Host
from loom_testing.inmemory import InMemoryBridge

__all__ = ["MemoryHost"]


class MemoryHost(Host):
    """The fake bridge in the memory of this process. It cannot die alone."""

    def __init__(self) -> None:
        self._bridge = InMemoryBridge()
        self._bridge.start()
        super().__init__(self._bridge.address)

    def close(self) -> None:
        """Stops the bridge."""
        super().close()
        self._bridge.stop()
