"""`OwnHost`: a bridge for one test alone, which may be killed, frozen and started anew under its agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.endpoint import Endpoint
from loom_testing.harness.errors import HarnessError, speaks_for_itself
from loom_testing.harness.host import Host
from loom_testing.harness.process import BridgeProcess
from loom_testing.harness.spares import ORDINARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.harness.control import Control, NamespaceOptions
    from loom_testing.harness.errors import BridgeDiedError

__all__ = ["OwnHost"]

__tracebackhide__ = speaks_for_itself


class OwnHost(Host):
    """One bridge after another, as one `Host`. An end that the test asked for is none that fails it.

    Attributes:
        moved: told where the bridge is after each start, by address.
        tells: told what is about to be done to the bridge: it stands in a transcript before what comes of it.
        until_lost: waits until its end is told of as well: before what the test does next.

    Args:
        launch: starts a bridge.

    Raises:
        HarnessError: the bridge is none of this machine's processes, or did not come up.
        LoomError: there is none, and none can be built.
    """

    def __init__(self, launch: Callable[[], Host]) -> None:
        self.moved: Callable[[Endpoint], object] = lambda endpoint: None
        self.tells: Callable[[str], object] = lambda what: None
        self.until_lost: Callable[[], object] = lambda: None
        self._launch = launch
        self._listeners: list[Callable[[BridgeDiedError], None]] = []
        self._lines: list[str] = []
        self._name = ""
        self._options = ORDINARY
        self._is_down = self._is_frozen = False
        self._current = self._launched()

    # As a host.

    @property
    def address(self) -> str:  # type: ignore[override]  # it changes with each start
        """Where the bridge is now."""
        return self._current.address

    @property
    def control(self) -> Control:  # type: ignore[override]  # as above
        """Its testing control.

        Raises:
            HarnessError: the test has killed or frozen it.
        """
        self.check()
        return self._current.control

    def has_left(self, control: Control) -> bool:
        """Whether the test has killed or frozen that bridge, or another stands in its place."""
        return self._is_down or self._is_frozen or self._current.control is not control

    def check(self) -> None:
        """Refuses what needs the bridge where the test itself has taken it away.

        Raises:
            HarnessError: it has.
        """
        if self._is_down:
            raise HarnessError("the bridge was killed by the test: await loom_bridge.process.restart() first")
        if self._is_frozen:
            raise HarnessError("the bridge was frozen by the test: await loom_bridge.process.thaw() first")

    @property
    def controlled(self) -> bool:  # type: ignore[override]  # as above
        """Whether it has one."""
        return self._current.controlled

    @property
    def pid(self) -> int:
        """The process."""
        return self._current.pid

    @property
    def death(self) -> str:
        """How the bridge ended by itself; empty where it did not."""
        return self._current.death

    def wait_for_death(self, seconds: float) -> str:
        """How the bridge ended by itself, waiting a little for it to do so."""
        return "" if self._is_down else self._current.wait_for_death(seconds)

    def log_since(self, mark: int) -> list[str]:
        """The log's lines since a mark, those of earlier bridges included."""
        return [*self._lines, *self._current.log_since(0)][mark:]

    @property
    def log_mark(self) -> int:
        """Where the log ends now."""
        return len(self._lines) + self._current.log_mark

    def on_death(self, tell: Callable[[BridgeDiedError], None]) -> None:
        """Calls `tell`, from any thread, when the bridge ends by itself."""
        self._listeners.append(tell)
        self._current.on_death(tell)

    def forget(self, tell: Callable[[BridgeDiedError], None]) -> None:
        """Calls it no more."""
        if tell in self._listeners:
            self._listeners.remove(tell)
        self._current.forget(tell)

    def namespace(self, options: NamespaceOptions = ORDINARY) -> str:
        """A fresh namespace, which each bridge of this test has."""
        self._options = options
        self._name = self._current.namespace(options)
        return self._name

    def release(self, namespace: str, *, at_once: bool = True) -> None:
        """Ends a namespace."""
        if not self._is_down and not self._is_frozen:
            self._current.release(namespace, at_once=at_once)

    def close(self) -> None:
        """Stops the bridge."""
        if self._is_frozen:
            self.thaw()
        self._current.close()

    # What a test does to it. These block.

    def kill(self) -> None:
        """Kills the bridge, as SIGKILL does: nobody is told.

        Raises:
            HarnessError: it is dead already.
        """
        if self._is_down:
            raise HarnessError("the bridge is dead already: await loom_bridge.process.restart() first")
        self.tells("the bridge: kill")
        self._end()

    def _end(self) -> None:
        self._is_down, self._is_frozen = True, False
        self._current.kill()
        self.until_lost()

    def freeze(self) -> None:
        """Stops the bridge's process where it stands, as SIGSTOP does: its connections stay open.

        Raises:
            HarnessError: it is dead, or frozen already.
        """
        if self._is_down or self._is_frozen:
            state = "dead" if self._is_down else "frozen already"
            raise HarnessError(f"the bridge is {state}: it cannot be frozen")
        self.tells("the bridge: freeze")
        self._is_frozen = True
        self._current.freeze()

    def thaw(self) -> None:
        """A frozen bridge goes on.

        Raises:
            HarnessError: it is not frozen.
        """
        if not self._is_frozen:
            raise HarnessError("the bridge is not frozen: await loom_bridge.process.freeze() first")
        self.tells("the bridge: thaw")
        self._is_frozen = False
        self._current.thaw()

    def restart(self) -> None:
        """Starts a bridge in the place of the one before, which is killed unless it is dead.

        It knows nothing of the one before, as after a crash. Agents find it under the same address.

        Raises:
            HarnessError: it did not come up.
        """
        self.tells("the bridge: restart")
        if not self._is_down:
            self._end()
        self._current.close()
        before, self._current = self._current, self._launched()
        self._lines += before.log_since(0)
        if self._current.controlled and self._name:
            self._current.control.create(self._name, options=self._options)
        for tell in self._listeners:
            self._current.on_death(tell)
        if self._name:
            self.moved(Endpoint(self._current.address, self._name))
        self._is_down = False  # only now: whoever waits for it finds the namespace, and all who take part

    def _launched(self) -> BridgeProcess:
        host = self._launch()
        if isinstance(host, BridgeProcess):
            return host
        address = host.address
        host.close()
        raise HarnessError(
            f"the bridge at {address} is not the test's own: loom_bridge.process needs "
            "--loom-bridge=fake, rust or docker"
        )
