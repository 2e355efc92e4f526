"""A clock that moves by itself: a thread that asks the bridge for one jump after the other."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import grpc

from loom_testing.harness.errors import HarnessError, NoControlError

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.harness.control import Control
    from loom_testing.harness.namespace import Namespace

__all__ = ["Jumps"]

MOST_JUMPS = 100_000
PAUSE_S = 0.01


class Jumps:
    """Jumps, as long as it runs.

    Attributes:
        problem: why there can be no more of them; None while there can.

    Args:
        space: the namespace.
        failed: told of the problem, from this thread.
    """

    def __init__(self, space: Namespace, failed: Callable[[HarnessError], None]) -> None:
        self.problem: HarnessError | None = None
        self._space = space
        self._failed = failed
        self._thread: threading.Thread | None = None
        self._call: grpc.Future[Any] | None = None
        self._lock = threading.Lock()
        self._stopping = False

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped."""
        return self._thread is not None

    def start(self) -> None:
        """Begins."""
        self._stopping, self.problem = False, None
        self._thread = threading.Thread(target=self._run, name="loom-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._lock:
            self._stopping = True
            if self._call is not None:
                self._call.cancel()
        thread.join()

    def _run(self) -> None:
        host = self._space.host
        for _ in range(MOST_JUMPS):
            control = self._there()
            with self._lock:
                if self._stopping or control is None:
                    return
                self._call = control.jumping(self._space.name)
            try:
                self._call.result()
            except grpc.FutureCancelledError:
                return
            except grpc.RpcError as error:
                if host.has_left(control):
                    continue  # the test itself has taken the bridge away: the next one has a clock as well
                self._fail(control.problem(error))
                return
        self._fail(
            HarnessError(
                f"the clock moved by itself {MOST_JUMPS} times: an agent sets another timer whenever one "
                "fires; use loom_bridge.advance(seconds), which has an end"
            )
        )

    def _there(self) -> Control | None:
        """The bridge's control, once there is a bridge; None where this ends before."""
        while not self._stopping:
            try:
                return self._space.host.control
            except HarnessError:  # the test has killed it, or frozen it
                time.sleep(PAUSE_S)
        return None

    def _fail(self, error: Exception) -> None:
        # What the bridge's end, or that of the namespace, makes fail is told by others.
        if isinstance(error, HarnessError) and not isinstance(error, NoControlError) and not self._stopping:
            self.problem = HarnessError(f"the clock cannot move by itself: {error}")
            self._failed(self.problem)
