"""`loom_bridge.clock`: the clock of a test's namespace, and the agents' timers with it (CTL-2, CTL-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from loom.threads import run_in_thread
from loom_testing.harness.beside import refuse_coroutine
from loom_testing.harness.entered import Entered
from loom_testing.harness.errors import HarnessError, speaks_for_itself
from loom_testing.harness.forgotten import expect_entered, was_entered
from loom_testing.harness.jumps import Jumps
from loom_testing.harness.running import check_loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loom_testing.harness.beside import Beside
    from loom_testing.harness.namespace import Namespace

__all__ = ["Auto", "LoomClock", "SyncAuto", "SyncLoomClock"]

__tracebackhide__ = speaks_for_itself

T = TypeVar("T")

PATIENCE_S = 10.0


class LoomClock:
    """The clock of a test's namespace. It stands still until it is moved, or moves by itself inside `auto`.

    Agents' own timers (time-outs of requests and calls, barriers, back-off, `ctx.sleep`) and those of the
    bridge (times to live, calls' deadlines, lapses) fire one after the other, in the order of their times;
    between two of them everything settles.

    Attributes:
        space: the namespace, for threads.

    Args:
        space: the namespace.
        failed: told when the clock can no longer move by itself, from another thread.
    """

    def __init__(self, space: Namespace, failed: Callable[[HarnessError], None]) -> None:
        self.space = space
        self._jumps = Jumps(space, failed)

    @property
    def is_auto(self) -> bool:
        """Whether it moves by itself now."""
        return self._jumps.is_running

    def now(self) -> Awaitable[float]:
        """The namespace's time, seconds since the Unix epoch; await it. Also of a real clock.

        Raises:
            NoControlError: the bridge was not started for testing.
        """
        check_loop("loom_bridge.clock.now")
        return self._held(self.space.now)

    def advance(self, seconds: float, *, patience: float = PATIENCE_S) -> Awaitable[int]:
        """Moves the clock; see `LoomBridge.advance`."""
        check_loop("loom_bridge.advance")
        self.space.check_advance(seconds, patience)
        return self._advance(seconds, patience)

    def settle(self, *, patience: float = PATIENCE_S) -> Awaitable[None]:
        """Waits until everything is idle and nothing is under way; see `LoomBridge.settle`."""
        check_loop("loom_bridge.settle")
        self.space.check_advance(0, patience)
        return self._settle(patience)

    def auto(self) -> Auto:
        """Has the clock move by itself, inside an `async with`.

        Whenever all agents are idle and one of them waits for a time, the clock goes there. What takes real
        time is waited for. An agent whose program takes no part in the clock (one of another SDK, say) makes
        that impossible; the test then fails and names it.
        """
        return Auto(self)

    def start_auto(self) -> None:
        """From now on the clock moves by itself.

        Raises:
            HarnessError: the clock is real, or moves by itself already.
        """
        self.space.check_virtual()
        if self._jumps.is_running:
            raise HarnessError("the clock moves by itself already: leave out clock.auto()")
        self.space.group.is_eager = True
        self._jumps.start()

    def stop_auto(self) -> None:
        """It does not any more."""
        self.space.group.is_eager = False
        self._jumps.stop()

    def check(self, *, once: bool = False) -> None:
        """Says why the clock could not move by itself, where it could not.

        Args:
            once: only where that was not raised before.

        Raises:
            HarnessError: it could not.
        """
        problem = self._jumps.problem
        if problem is not None and not (once and problem.__traceback__ is not None):
            raise problem

    async def join(self) -> None:
        """The agents of this process take part.

        Raises:
            LoomError: the bridge does not let them.
        """
        await self.space.group.join()

    async def _advance(self, seconds: float, patience: float) -> int:
        await self.join()
        try:
            return await run_in_thread(self.space.advance, seconds, patience)
        except HarnessError as error:
            raise error.with_traceback(None) from error.__cause__  # the thread's is of no interest

    async def _settle(self, patience: float) -> None:
        await self._advance(0, patience)

    async def _held(self, function: Callable[[], T]) -> T:
        with self.space.held():
            return await run_in_thread(function)


class Auto(Entered):
    """Inside its `async with` the clock moves by itself; see `LoomClock.auto`."""

    def __init__(self, clock: LoomClock) -> None:
        self._clock = clock
        self._awaits_entering("loom_bridge.clock.auto()")

    async def __aenter__(self) -> LoomClock:
        self.note_entered()
        check_loop("loom_bridge.clock.auto")
        self._clock.start_auto()
        await self._clock.join()
        return self._clock

    async def __aexit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self._clock.stop_auto()
        if kind is None:
            self._clock.check()


class SyncLoomClock:
    """`LoomClock` for plain tests; see there for each method."""

    def __init__(self, clock: LoomClock, beside: Beside) -> None:
        self._clock = clock
        self._beside = beside

    @property
    def is_auto(self) -> bool:
        """Whether it moves by itself now."""
        return self._clock.is_auto

    def now(self) -> float:
        """The namespace's time, seconds since the Unix epoch; see `LoomClock.now`."""
        refuse_coroutine()
        return self._clock.space.now()

    def advance(self, seconds: float, *, patience: float = PATIENCE_S) -> int:
        """Moves the clock; see `LoomBridge.advance`."""
        if self._beside.has_started:
            return self._beside.wait_for(_awaited(lambda: self._clock.advance(seconds, patience=patience)))
        refuse_coroutine()  # nobody of this process takes part
        return self._clock.space.advance(seconds, patience)

    def settle(self, *, patience: float = PATIENCE_S) -> None:
        """Waits until everything is idle; see `LoomBridge.settle`."""
        self.advance(0, patience=patience)

    def auto(self) -> SyncAuto:
        """Has the clock move by itself, inside a `with`; see `LoomClock.auto`."""
        return SyncAuto(self._clock, self._beside)


class SyncAuto:
    """Inside its `with` the clock moves by itself, whenever the test waits for something."""

    def __init__(self, clock: LoomClock, beside: Beside) -> None:
        self._clock = clock
        self._beside = beside
        expect_entered(self, "loom_bridge.clock.auto()")

    def __enter__(self) -> SyncLoomClock:
        was_entered(self)
        self._beside.hold()
        try:
            self._clock.start_auto()
            self._beside.wait_for(self._clock.join())
        except BaseException:
            self._clock.stop_auto()
            self._beside.let_go()
            raise
        return SyncLoomClock(self._clock, self._beside)

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self._clock.stop_auto()
        self._beside.let_go()
        if kind is None:
            self._clock.check()


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
