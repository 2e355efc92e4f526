"""`Hosts`: the bridge that serves a whole run, one after another where it dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.errors import LoomError
from loom_testing.harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.harness.host import Host

__all__ = ["Hosts"]


class Hosts:
    """The bridge of a run: one at a time. A choice that cannot be had is tried once.

    Args:
        open_: starts it, or connects to it.
    """

    def __init__(self, open_: Callable[[], Host]) -> None:
        self._open = open_
        self._host: Host | None = None
        self._problem = ""

    def get(self) -> Host:
        """The bridge: started when it is first asked for, and again where it has died.

        Raises:
            HarnessError, LoomError: it cannot be had; asked again, it says the same.
        """
        if self._problem:
            raise HarnessError(self._problem)
        if self._host is not None and self._host.death:
            self.close()
        if self._host is None:
            self._host = self._opened()
        return self._host

    def close(self) -> None:
        """Ends what was started."""
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def _opened(self) -> Host:
        host = None
        try:
            host = self._open()
            host.release(host.namespace())
        except (HarnessError, LoomError) as problem:
            self._problem = str(problem)
            if host is not None:
                host.close()
            raise
        return host
