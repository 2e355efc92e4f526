"""An event loop in a thread beside a plain test: its agents and probes live there, while the test waits.

The thread begins with the first that needs it and ends with the test, so that no two event loops of a run are
alive at once (grpc.aio shares one queue among all of a process).
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from loom_testing.harness.errors import (
    ExpectationError,
    HarnessError,
    WrongPlaceError,
    speaks_for_itself,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from loom.joining import Group

__all__ = ["Beside", "refuse_coroutine"]

__tracebackhide__ = speaks_for_itself

T = TypeVar("T")

HELD = "the test itself is at work between two uses of loom_bridge.sync"


class Beside:
    """An event loop in a thread of its own, from the first coroutine it is given until `close`.

    Args:
        group: who of this process takes part in the test's clock.
    """

    def __init__(self, group: Group | None = None) -> None:
        self._group = group
        self._is_held = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs the coroutine there and waits for it.

        Raises:
            WrongPlaceError: called on an event loop, which would stand still meanwhile.
            Exception: whatever the coroutine raises.
        """
        try:
            refuse_coroutine()
        except WrongPlaceError:
            coroutine.close()
            raise
        if self._group is not None and self._is_held:
            coroutine = _letting_go(self._group, coroutine)
        future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        try:
            return future.result()
        except (HarnessError, ExpectationError) as error:
            raise error.with_traceback(None) from error.__cause__
        except BaseException:
            future.cancel()
            raise

    @property
    def has_started(self) -> bool:
        """Whether there is an event loop."""
        return self._loop is not None

    def hold(self) -> None:
        """From now on a clock that moves by itself stands still, except while the test waits here."""
        if self._group is not None and not self._is_held:
            self._is_held = True
            self._group.hold(HELD)

    def let_go(self) -> None:
        """It does not any more."""
        if self._group is not None and self._is_held:
            self._is_held = False
            self._group.release(HELD)

    def close(self) -> None:
        """Cancels what still runs there, and ends the thread."""
        if self._loop is None or self._stop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop = None

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            ready = threading.Event()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._live(ready)), name="loom-beside-the-test", daemon=True
            )
            self._thread.start()
            ready.wait()
        assert self._loop is not None
        return self._loop

    async def _live(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        ready.set()
        await self._stop.wait()


async def _letting_go(group: Group, coroutine: Coroutine[Any, Any, T]) -> T:
    """The test waits while the coroutine runs."""
    group.release(HELD)
    try:
        return await coroutine
    finally:
        group.hold(HELD)  # here, on the loop: before anybody can find it at rest


def refuse_coroutine() -> None:
    """Refuses to block where an event loop runs, which would stand still meanwhile.

    Raises:
        WrongPlaceError: one does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise WrongPlaceError(
        "loom_bridge.sync was used in a coroutine, where it would stop the event loop: "
        "leave out .sync, and await"
    )
