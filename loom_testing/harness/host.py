"""Hosts: a bridge that serves a whole test run, from which each test gets a namespace of its own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from loom.errors import BridgeError, LoomError
from loom_testing.harness import warm
from loom_testing.harness.control import Control
from loom_testing.harness.errors import BridgeDiedError, NoControlError, speaks_for_itself
from loom_testing.harness.spares import ORDINARY, Spares, fresh_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loom_testing.harness.control import NamespaceOptions

__all__ = ["Host", "RemoteHost"]

__tracebackhide__ = speaks_for_itself

DYING_S = 0.5


class Host:
    """A bridge, as a test run sees it; what the kinds have in common.

    Namespaces are made and reset in the background, so that a test waits for neither.

    Attributes:
        address: where the bridge is.
        control: its testing control.
        controlled: whether it has one; found out by the first namespace.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.control = Control(address)
        self.controlled = True
        self._spares = Spares(self.control, lambda: self.is_gone)

    @property
    def death(self) -> str:
        """How the bridge ended; empty while it lives, or where nobody can know."""
        return ""

    @property
    def is_gone(self) -> bool:
        """Whether the bridge has ended, in whatever way."""
        return bool(self.death)

    def has_left(self, control: Control) -> bool:
        """Whether the test itself has taken away the bridge that this is the control of."""
        return False

    def check(self) -> None:
        """Refuses what needs the bridge where the test itself has taken it away.

        Raises:
            HarnessError: it has.
        """

    def log_since(self, mark: int) -> list[str]:
        """The log's lines since a mark; none where it cannot be read."""
        return []

    @property
    def log_mark(self) -> int:
        """Where the log ends now."""
        return 0

    def on_death(self, tell: Callable[[BridgeDiedError], None]) -> None:
        """Calls `tell`, from any thread, when the bridge ends by itself."""

    def forget(self, tell: Callable[[BridgeDiedError], None]) -> None:
        """Calls it no more."""

    def wait_for_death(self, seconds: float) -> str:
        """How the bridge ended, waiting a little for it to do so; empty if it lives."""
        return self.death

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Inside, an error that comes of the bridge's death says so.

        Raises:
            BridgeDiedError: instead of what it made fail.
        """
        try:
            yield
        except LoomError as error:
            # The connection breaks a moment before the process is seen to have ended.
            death = self.wait_for_death(DYING_S) if isinstance(error, BridgeError) else self.death
            if death:
                raise BridgeDiedError(death) from error
            raise

    def namespace(self, options: NamespaceOptions = ORDINARY) -> str:
        """A fresh namespace.

        Raises:
            NoControlError: the bridge was not started for testing, and the options ask for more than a name.
            HarnessError: the bridge refuses the options.
            LoomError: the bridge cannot be reached.
        """
        warm.begin_test(self.address)
        if not self.controlled:
            return self._plain(options)
        try:
            return self._spares.take() if options == ORDINARY else self._spares.make(options)
        except NoControlError:
            self.controlled = False
            return self._plain(options)

    def release(self, namespace: str, *, at_once: bool = True) -> None:
        """Ends a namespace, and everything in it.

        Args:
            namespace: its name.
            at_once: without it some more may be over first; for those that hold nothing any more.
        """
        if self.controlled:
            self._spares.give_back(namespace, at_once=at_once)

    def close(self) -> None:
        """Ends what is open. The bridge of somebody else goes on."""
        self._spares.close()
        warm.let_go()
        self.control.close()

    def _plain(self, options: NamespaceOptions) -> str:
        """A name of its own is all that a bridge without control can give; it is made on first use."""
        if options != ORDINARY and (options.virtual or options.liveness or options.limits):
            raise NoControlError(
                f"the bridge at {self.address} was not started for testing: a namespace's clock and limits "
                "cannot be chosen there; use --loom-bridge=fake for this test"
            )
        return fresh_name()


class RemoteHost(Host):
    """A bridge that somebody else started."""
