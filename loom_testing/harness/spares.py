"""`Spares`: namespaces made before they are needed, and reset once some are over, many in one call each.

A test waits for neither then, and a call for each would be a tenth of what a small test costs.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from loom.errors import LoomError
from loom_testing.harness.control import NamespaceOptions
from loom_testing.harness.errors import HarnessError, NoControlError, speaks_for_itself

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.harness.control import Control

__all__ = ["ORDINARY", "Spares", "fresh_name"]

__tracebackhide__ = speaks_for_itself

ORDINARY = NamespaceOptions()
MOST = 8
"""So many at once; a run begins with one, and doubles that each time. Many workers may share one bridge."""
FRESH_S = 60.0
"""What nobody has taken for so long is not given out: a bridge forgets what nobody uses, after 600 s."""


class Spares:
    """Ordinary namespaces of one bridge. Used by one thread; the calls are made by another.

    Args:
        control: the bridge's.
        is_gone: whether the bridge has ended: nothing can be reset there, and need not.
        now: the time, seconds.
    """

    def __init__(
        self,
        control: Control,
        is_gone: Callable[[], bool],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._control = control
        self._is_gone = is_gone
        self._now = now
        self._background = ThreadPoolExecutor(1, thread_name_prefix="loom-namespaces")
        self._ready: deque[tuple[str, float]] = deque()
        self._coming: tuple[Future[list[str]], float] | None = None
        self._over: list[str] = []
        self._size = 1
        self._most = MOST
        self._losses = control.losses

    def take(self) -> str:
        """A fresh namespace.

        Raises:
            NoControlError: the bridge was not started for testing.
            HarnessError: the bridge refuses it.
            LoomError: the bridge cannot be reached.
        """
        self._forget_old()
        self._collect()
        if not self._ready:
            self._ready.append((self._asked_for_one(ORDINARY), self._now()))
        name, _ = self._ready.popleft()
        if not self._ready:
            self._size = min(2 * self._size, self._most)
            self._reset_what_is_over()  # first, so that there is room
            self._coming = self._background.submit(self._made, self._size, ORDINARY), self._now()
        return name

    def make(self, options: NamespaceOptions) -> str:
        """A fresh namespace that is like no other.

        Raises:
            NoControlError, HarnessError, LoomError: as `take`.
        """
        self._forget_old()
        return self._asked_for_one(options)

    def give_back(self, namespace: str, *, at_once: bool = False) -> None:
        """A namespace is over, and is reset soon; at once where something may live in it."""
        self._over.append(namespace)
        if at_once or len(self._over) >= self._size:
            self._reset_what_is_over()

    def close(self) -> None:
        """Resets whatever is left."""
        self._collect()
        self._free()
        self._background.shutdown(wait=True)

    def _asked_for_one(self, options: NamespaceOptions) -> str:
        """One namespace. Where it is refused there may be room once what is held here is given up."""
        try:
            return self._background.submit(self._made, 1, options).result()[0]
        except NoControlError:
            raise
        except HarnessError:
            self._collect()
            if not self._free():
                raise
            return self._background.submit(self._made, 1, options).result()[0]

    def _free(self) -> bool:
        """Resets what is over and what nobody has taken. Answers whether there was anything."""
        self._over += [name for name, _ in self._ready]
        self._ready.clear()
        return self._reset_what_is_over()

    def _forget_old(self) -> None:
        """What was made too long ago, or before the connection was lost, may be gone: it is over."""
        losses = self._control.losses
        if losses != self._losses:
            self._losses = losses
            self._collect()
            self._over += [name for name, _ in self._ready]
            self._ready.clear()
        while self._ready and self._ready[0][1] < self._now() - FRESH_S:
            self._over.append(self._ready.popleft()[0])

    def _collect(self) -> None:
        """What was asked for ahead is ready, unless that was too long ago.

        Where it could not be had, it may be had by now: whoever asks again is told.
        """
        coming, self._coming = self._coming, None
        if coming is None:
            return
        made, since = coming
        with contextlib.suppress(HarnessError, LoomError):
            if since < self._now() - FRESH_S:
                self._over += made.result()
            else:
                self._ready += [(name, since) for name in made.result()]

    def _reset_what_is_over(self) -> bool:
        over, self._over = self._over, []
        if over:
            self._background.submit(self._reset, over)
        return bool(over)

    # In the background.

    def _made(self, count: int, options: NamespaceOptions) -> list[str]:
        names = [fresh_name() for _ in range(count)]
        if count > 1:
            try:
                made = self._control.create(*names, options=options)
            except NoControlError:
                raise
            except HarnessError:  # it takes no more than one, perhaps
                made = 0
            if made == count:
                return names
            self._most = self._size = 1
            if made:  # a bridge that does not know of `others`
                return names[:made]
        self._control.create(names[0], options=options)
        return names[:1]

    def _reset(self, names: list[str]) -> None:
        try:
            if self._most > 1:
                self._control.reset(*names)
            else:
                for name in names:
                    self._control.reset(name)
        except LoomError:
            if not self._is_gone():
                raise


def fresh_name() -> str:
    """The name of a namespace that nobody has."""
    # Not from `random`: plugins that seed it would give every worker the same names.
    return f"test-{secrets.token_hex(6)}"
