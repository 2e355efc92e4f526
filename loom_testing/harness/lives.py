"""`loom_bridge.process`: the bridge's own process, to be killed, frozen and started anew by a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.threads import run_in_thread
from loom_testing.harness.beside import refuse_coroutine
from loom_testing.harness.errors import HarnessError, speaks_for_itself
from loom_testing.harness.own import OwnHost
from loom_testing.harness.running import check_loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loom_testing.harness.namespace import Namespace

__all__ = ["BridgeLife", "SyncBridgeLife"]

__tracebackhide__ = speaks_for_itself


class BridgeLife:
    """The bridge's process. A test that uses it has a bridge of its own, behind a proxy.

    The proxy's address stays the same, so agents come back by themselves once there is a bridge again. It
    knows nothing of the one before: a crash loses what a bridge holds.

    Args:
        space: the test's namespace.

    Raises:
        HarnessError: the test's bridge is shared.
    """

    def __init__(self, space: Namespace) -> None:
        if not isinstance(space.host, OwnHost):
            raise HarnessError(
                "this test shares its bridge with others: @pytest.mark.loom(process=True) gives it one of "
                "its own, to be killed and started anew"
            )
        self.space = space
        self.host = space.host

    @property
    def pid(self) -> int:
        """Its process; with Docker, that which keeps the container."""
        return self.host.pid

    def kill(self) -> Awaitable[None]:
        """Kills the bridge, as SIGKILL does: nobody is told; await it.

        Raises:
            HarnessError: it is dead already.
        """
        return self._done("kill", self.host.kill)

    def freeze(self) -> Awaitable[None]:
        """Stops the process where it stands, as SIGSTOP does; await it. Its connections stay open.

        A frozen bridge moves no clock. A test in which agents are to notice says
        `@pytest.mark.loom(clock="real")`.

        Raises:
            HarnessError: it is dead, or frozen already.
        """
        return self._done("freeze", self.host.freeze)

    def thaw(self) -> Awaitable[None]:
        """A frozen bridge goes on; await it.

        Raises:
            HarnessError: it is not frozen.
        """
        return self._done("thaw", self.host.thaw)

    def restart(self) -> Awaitable[None]:
        """Kills the bridge unless it is dead, and starts another in its place; await it.

        Agents come back after their back-off: on a test's clock `advance` lets that pass.

        Raises:
            HarnessError: it did not come up.
        """
        return self._done("restart", self.host.restart)

    def _done(self, name: str, act: Callable[[], None]) -> Awaitable[None]:
        check_loop(f"loom_bridge.process.{name}")
        return self._held(act)

    async def _held(self, act: Callable[[], None]) -> None:
        with self.space.held():
            await run_in_thread(act)


class SyncBridgeLife:
    """`BridgeLife` for plain tests; see there for each method."""

    def __init__(self, life: BridgeLife) -> None:
        self._life = life

    @property
    def pid(self) -> int:
        """Its process."""
        return self._life.pid

    def kill(self) -> None:
        """Kills the bridge; see `BridgeLife.kill`."""
        refuse_coroutine()
        self._life.host.kill()

    def freeze(self) -> None:
        """Stops the process where it stands; see `BridgeLife.freeze`."""
        refuse_coroutine()
        self._life.host.freeze()

    def thaw(self) -> None:
        """A frozen bridge goes on; see `BridgeLife.thaw`."""
        refuse_coroutine()
        self._life.host.thaw()

    def restart(self) -> None:
        """Starts another bridge in its place; see `BridgeLife.restart`."""
        refuse_coroutine()
        self._life.host.restart()
