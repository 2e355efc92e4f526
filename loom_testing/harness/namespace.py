"""One test's namespace on a bridge: what can be done there by a thread that may wait.

Every call goes over the run's one connection, which is open already. Coroutines reach it through a thread
(`LoomBridge`), plain tests directly (`SyncLoomBridge`); the call of a capability needs no thread.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from loom.calls import encode_arguments
from loom.endpoint import Endpoint
from loom.errors import LoomError
from loom.joining import Group
from loom.sync import SyncClient
from loom.threads import run_in_thread
from loom_testing.harness.control import NamespaceOptions, Snapshot
from loom_testing.harness.errors import HarnessError, speaks_for_itself
from loom_testing.harness.given import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom_testing.harness.host import Host
    from loom_testing.proxy import ThreadedProxy

__all__ = ["CALL_S", "Namespace"]

__tracebackhide__ = speaks_for_itself

CALL_S = 30.0
HANG_S = 60.0
"""What hangs in a test whose time stands still is cut by gRPC after this, seconds of real time."""
PATIENCE_S = 10.0
MOST_PATIENCE_S = 600.0
MOST_S = 366 * 86_400
HELD = "the test itself waits for the bridge"


class Namespace:
    """A fresh namespace.

    Attributes:
        host: the bridge.
        endpoint: the bridge and the namespace.
        virtual: whether its clock moves only by `advance`.
        group: who of this process takes part in that clock.
        proxy: what stands between, where faults are to be injected; None where nothing does.

    Args:
        host: the bridge.
        options: what the namespace is like.
        proxied: whether a proxy stands between.
        seed: of the chance of faults.

    Raises:
        HarnessError: the bridge cannot give such a namespace.
        LoomError: the bridge cannot be reached.
    """

    def __init__(
        self, host: Host, options: NamespaceOptions, *, proxied: bool = False, seed: int = 0
    ) -> None:
        self.host = host
        # Only a proxy breaks connections, and it tells agents apart by them.
        self.endpoint = Endpoint(host.address, host.namespace(options), shares_connection=not proxied)
        self.virtual = options.virtual and host.controlled
        self.proxy = self._opened_proxy(seed) if proxied else None
        if self.proxy is not None:
            self.endpoint = replace(self.endpoint, address=self.proxy.address)
        self.group = Group(self.endpoint, liveness=options.liveness)
        at_proxy = self.proxy is not None
        self._client = SyncClient(self.endpoint) if at_proxy else host.control.client.at(self.endpoint)

    def _opened_proxy(self, seed: int) -> ThreadedProxy:
        if find_spec("h2") is None:
            raise HarnessError("faults need the package h2: pip install 'loom-py[testing]'")
        from loom_testing.proxy import ThreadedProxy

        return ThreadedProxy(self.endpoint, seed=seed, virtual=self.virtual)

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
        metadata: tuple[tuple[str, str], ...] = (),
        **kwargs: Any,
    ) -> Any:
        """Calls a capability as nobody in particular; see `LoomBridge.call`."""
        payload = encode_arguments(arguments, kwargs)
        with self.host.guarded():
            return self._client.call(
                capability,
                payload,
                version=version,
                timeout=timeout,
                into=into,
                raw=raw,
                patience=self._patience(timeout),
                metadata=metadata,
            )

    async def call_from_loop(
        self,
        capability: str,
        arguments: Any = None,
        /,
        *,
        version: str = "",
        timeout: float = CALL_S,
        into: Any = None,
        raw: bool = False,
        metadata: tuple[tuple[str, str], ...] = (),
        **kwargs: Any,
    ) -> Any:
        """The same for a coroutine, without a thread."""
        payload = encode_arguments(arguments, kwargs)
        try:
            return await self._client.call_from_loop(
                capability,
                payload,
                version=version,
                timeout=timeout,
                into=into,
                raw=raw,
                patience=self._patience(timeout),
                metadata=metadata,
            )
        except LoomError as error:
            await run_in_thread(self._explain, error)
            raise

    def _patience(self, timeout: float) -> float:
        # Where time stands still gRPC's own deadline only cuts what hangs.
        return max(timeout, HANG_S) if self.virtual else timeout

    def _explain(self, error: LoomError) -> None:
        """Raises what is behind an error: it may have to wait a little to know of the bridge's death."""
        with self.host.guarded():
            raise error

    def check_virtual(self) -> None:
        """Refuses a clock that cannot be moved.

        Raises:
            NoControlError: the bridge was not started for testing.
            HarnessError: the test's clock is real, or the test has taken its bridge away.
        """
        self.host.check()
        if not self.host.controlled:
            raise self.host.control.missing()
        if not self.virtual:
            raise HarnessError(
                'the clock of this test is real, @pytest.mark.loom(clock="real"): leave that out to move it'
            )

    def check_advance(self, seconds: float, patience: float) -> None:
        """Refuses what is no time to move by.

        Raises:
            HarnessError: the seconds, or the patience, are no number that can be.
            NoControlError: as `check_virtual`.
        """
        if not is_number(seconds):
            raise HarnessError(f"advance({seconds!r}): give seconds as a number, as in advance(30)")
        if not 0 <= seconds < float("inf"):
            raise HarnessError(f"advance({seconds!r}): give seconds from 0 on; time does not go back")
        if seconds > MOST_S:
            raise HarnessError(f"advance({seconds!r}): at most a year at once, {MOST_S} seconds")
        if not is_number(patience) or not 0 < patience <= MOST_PATIENCE_S:
            raise HarnessError(f"patience={patience!r}: give seconds above 0, at most {MOST_PATIENCE_S:g}")
        self.check_virtual()

    def advance(self, seconds: float, patience: float = PATIENCE_S) -> int:
        """Moves the clock; see `LoomBridge.advance`."""
        self.check_advance(seconds, patience)
        with self.host.guarded():
            return self.host.control.advance(self.name, seconds, patience)

    def now(self) -> float:
        """The namespace's time, seconds since the Unix epoch."""
        return self.snapshot().now

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside, the test is at work on the bridge: a clock that moves by itself stands still."""
        self.group.hold(HELD)
        try:
            yield
        finally:
            self.group.release(HELD)

    def close(self) -> None:
        """Nobody of this process takes part any more, and nothing stands between."""
        self.group.close()
        if self.proxy is not None:
            self._client.close()
            self.proxy.close()

    def tell_of(self, what: str) -> None:
        """Has the transcript tell of something that the test did, where there is one to tell it."""
        if self.proxy is not None:
            self.proxy.recorder.fault(what)

    def snapshot(self) -> Snapshot:
        """What the namespace holds; see `LoomBridge.snapshot`."""
        with self.host.guarded():
            return self.host.control.snapshot(self.name)

    def disconnect(self, agent_id: str) -> None:
        """Breaks an agent's connection; see `LoomBridge.disconnect`."""
        with self.host.guarded():
            self.host.control.disconnect(self.name, agent_id)
