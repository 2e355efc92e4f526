"""Hosts: a bridge that serves a whole test run, from which each test gets a namespace of its own."""

from __future__ import annotations

import contextlib
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from loom.errors import BridgeError, LoomError
from loom_testing.harness import warm
from loom_testing.harness.control import Control, NamespaceOptions
from loom_testing.harness.errors import BridgeDiedError, NoControlError, speaks_for_itself

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Host", "RemoteHost"]

__tracebackhide__ = speaks_for_itself

ORDINARY = NamespaceOptions()
DYING_S = 0.5


class Host:
    """A bridge, as a test run sees it; what the kinds have in common.

    Namespaces are made and reset by one thread in the background, so that a test waits for neither: the next
    test's is made while this one runs. Under load that is two milliseconds a test.

    Attributes:
        address: where the bridge is.
        control: its testing control.
        controlled: whether it has one; found out by the first namespace.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.control = Control(address)
        self.controlled = True
        self._background = ThreadPoolExecutor(1, thread_name_prefix="loom-namespaces")
        self._next: Future[str] | None = None

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
            if options != ORDINARY:
                return self._background.submit(self._create, options).result()
            ready, self._next = self._next, None
            name = (ready or self._background.submit(self._create, ORDINARY)).result()
        except NoControlError:
            self.controlled = False
            return self._plain(options)
        self._next = self._background.submit(self._create, ORDINARY)
        return name

    def release(self, namespace: str) -> None:
        """Ends a namespace soon, and everything in it."""
        if self.controlled:
            self._background.submit(self._reset, namespace)

    def close(self) -> None:
        """Ends what is open. The bridge of somebody else goes on."""
        if self._next is not None:
            self._next.add_done_callback(self._drop_unused)
        self._background.shutdown(wait=True)
        warm.let_go()
        self.control.close()

    def _plain(self, options: NamespaceOptions) -> str:
        """A name of its own is all that a bridge without control can give; it is made on first use."""
        if options != ORDINARY and (options.virtual or options.liveness or options.limits):
            raise NoControlError(
                f"the bridge at {self.address} was not started for testing: a namespace's clock and limits "
                "cannot be chosen there; use --loom-bridge=fake for this test"
            )
        return _fresh_name()

    def _create(self, options: NamespaceOptions) -> str:
        name = _fresh_name()
        self.control.create(name, options)
        return name

    def _reset(self, namespace: str) -> None:
        try:
            self.control.reset(namespace)
        except LoomError:
            if not self.is_gone:
                raise

    def _drop_unused(self, ready: Future[str]) -> None:
        if ready.exception() is None:
            self._reset(ready.result())


class RemoteHost(Host):
    """A bridge that somebody else started."""


def _fresh_name() -> str:
    # Not from `random`: plugins that seed it would give every worker the same names.
    return f"test-{secrets.token_hex(6)}"
