"""`Fault`: one fault, from when it is made until it ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, NoReturn, Self

from loom_testing.faults.effects import Duplicate, Reorder
from loom_testing.faults.errors import FaultError, UnfiredError
from loom_testing.harness.errors import HarnessError, WrongPlaceError, speaks_for_itself

if TYPE_CHECKING:
    from loom_testing.faults.chance import Chance
    from loom_testing.faults.effects import Effect
    from loom_testing.faults.message import WireMessage
    from loom_testing.faults.rules import Rules
    from loom_testing.faults.verdict import Verdict
    from loom_testing.faults.which import Which

__all__ = ["Fault"]

__tracebackhide__ = speaks_for_itself

HAPPEN_S = 5.0


class Fault:
    """One fault. It is in force inside its `with`, in async tests and plain ones alike.

    A fault that has not fired when its `with` ends fails the test, unless it is `optional`.

    Attributes:
        name: what it does: `drop`.
        which: what messages it is about.
        effect: what it does to them.
        times: how often it fires at the most; 0 for always.
        probability: how likely it fires at each message that fits.
        optional: whether it may end without having fired.
        words: what else it was given, for people.
        number: its number among the faults of its bridge, from 1; 0 before it is in force.
        met: how many messages fitted so far.
        fired: how often it has fired so far.
        problem: what a function of the test's raised when it was asked of a message; empty for nothing.

    Args:
        rules: where it is in force.
        name, which, effect, times, probability, optional, words: as above.

    Raises:
        FaultError: it asks for what cannot be.
    """

    def __init__(
        self,
        rules: Rules,
        name: str,
        which: Which,
        effect: Effect,
        *,
        times: int = 0,
        probability: float = 1.0,
        optional: bool = False,
        words: tuple[str, ...] = (),
    ) -> None:
        _check(which, times, probability, optional)
        self.name = name
        self.which = which
        self.effect = effect
        self.times = times
        self.probability = probability
        self.optional = optional
        self.words = words
        self.number = 0
        self.met = 0
        self.fired = 0
        self.problem = ""
        self._rules = rules
        self._passed_over = 0
        self._lanes: dict[tuple[str, str, str], int] = {}
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def __repr__(self) -> str:
        return f"<Fault {self}: fired {self.fired} times>"

    def __str__(self) -> str:
        limits = [*self.words, *([str(self.which)] if str(self.which) else [])]
        if self.times:
            limits.append(f"times={self.times}")
        if self.probability < 1:
            limits.append(f"probability={self.probability:g}")
        return f"{self.name}({', '.join(limits)})"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self.end(check=kind is None)

    async def __aenter__(self) -> NoReturn:
        self._rules.begin(self)
        raise WrongPlaceError(
            f"{self.called} begins at once: write `with`, and not `async with`, also in coroutines"
        )

    async def __aexit__(self, *exc: object) -> None:
        """Never reached: `__aenter__` refuses."""

    @property
    def called(self) -> str:
        """What to call it in errors."""
        return f"the fault {self}"

    @property
    def takes_all(self) -> bool:
        """Whether it fires at every message that fits."""
        return not self.times and not self.which.nth and self.probability >= 1

    # Its life.

    def start(self) -> None:
        """From now on it is in force.

        Raises:
            FaultError: it is in force already, or contradicts another that is.
        """
        self._rules.begin(self)
        self._rules.add(self)

    def end(self, *, check: bool = True) -> None:
        """It is not any more; what it holds back goes on.

        Args:
            check: whether to complain of one that never fired.

        Raises:
            FaultError: a function of the test's failed.
            UnfiredError: it never fired, and is not optional.
        """
        self._rules.remove(self)
        if check:
            self.check()

    def check(self) -> None:
        """Complains of a fault that never fired, or of its function.

        Raises:
            FaultError: a function of the test's failed.
            UnfiredError: it never fired, and is not optional.
        """
        if self.problem:
            raise FaultError(f"the fault {self} {self.problem}")
        if self.fired or self.optional:
            return
        fitted = f"{self.met} messages fitted it" if self.met else "nothing that crossed fitted it"
        if self.which.nth and self.met:
            fitted = f"only {self.met} messages fitted it"
        if self._passed_over:
            fitted += f", but for {self._passed_over} answers of which gRPC takes no second"
        raise UnfiredError(
            f"the fault {self} never fired: {fitted}{self._nearest()}. {self._rules.what_crossed()}\n"
            "If it may well not fire, say optional=True"
            f"{'' if self.met else '; where it may come late, settle() inside its with'}."
        )

    def _nearest(self) -> str:
        """What was perhaps meant, where nothing fitted."""
        missed = "" if self.met else self._rules.crossed.nearest(self.which)
        return f" ({missed})" if missed else ""

    # What it does. Called by the rules, in the proxy's thread.

    def meet(self, message: WireMessage, verdict: Verdict, chance: Chance) -> str | None:
        """Does to a message what it is there for. Answers what was done; None where nothing was."""
        try:
            return self._meet(message, verdict, chance)
        except Exception as error:  # of a function that the test gave
            self.problem = self.problem or _problem_of(error)
            return None

    def pass_over(self, message: WireMessage) -> None:
        """Counts a message that another fault has ended: `nth` is about all that fit."""
        try:
            self._count_in(message)
        except Exception as error:  # of a function that the test gave
            self.problem = self.problem or _problem_of(error)

    def _count_in(self, message: WireMessage) -> int:
        """The number of the message in its lane; 0 where it does not fit."""
        if not self.which.fits(message):
            return 0
        if isinstance(self.effect, Duplicate) and message.is_only_answer:
            self._passed_over += 1
            return 0
        self.met += 1
        lane = _lane_of(message)
        self._lanes[lane] = self._lanes.get(lane, 0) + 1
        return self._lanes[lane]

    def _meet(self, message: WireMessage, verdict: Verdict, chance: Chance) -> str | None:
        number, lane = self._count_in(message), _lane_of(message)
        if not number:
            return None
        if isinstance(self.effect, Reorder):
            verdict.overtakes.append(self.number)
        if self.which.nth and self.met != self.which.nth:
            return None
        if self.times and self.fired >= self.times:
            return None
        if self.number in message.held_back and not self.which.nth:
            return None
        if self.probability < 1 and chance.draw(self.number, *lane, number) >= self.probability:
            return None
        told = self.effect.apply(verdict, message, chance, self.number, *lane, number)
        self.count()
        return told

    def count(self, firings: int = 1) -> None:
        """It has fired."""
        with self._changed:
            self.fired += firings
            self._changed.notify_all()
            reached = [each for each in self._waiting if each[0] <= self.fired]
            self._waiting = [each for each in self._waiting if each[0] > self.fired]
        for _, loop, future in reached:
            with contextlib.suppress(RuntimeError):  # the test's loop is closed
                loop.call_soon_threadsafe(_resolve, future)

    # Waiting for it.

    async def happened(self, times: int = 1, *, timeout: float = HAPPEN_S) -> None:
        """Waits until it has fired so often.

        Args:
            times: how often.
            timeout: seconds of real time.

        Raises:
            UnfiredError: it has not, in that time.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._changed:
            if self.fired >= times:
                return
            self._waiting.append((times, loop, future))
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            raise self._late(times, timeout) from None

    def wait(self, times: int = 1, *, timeout: float = HAPPEN_S) -> None:
        """`happened` for plain tests.

        Raises:
            UnfiredError: it has not, in that time.
            WrongPlaceError: called in a coroutine, which would stand still meanwhile.
        """
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            raise WrongPlaceError("fault.wait() was used in a coroutine: await fault.happened()")
        with self._changed:
            if not self._changed.wait_for(lambda: self.fired >= times, timeout):
                raise self._late(times, timeout)

    def _late(self, times: int, timeout: float) -> HarnessError:
        if self.problem:
            return FaultError(f"the fault {self} {self.problem}")
        return UnfiredError(
            f"the fault {self} fired {self.fired} times within {timeout:g} s, not {times}{self._nearest()}. "
            f"{self._rules.what_crossed()}"
        )


def _check(which: Which, times: Any, probability: Any, optional: Any) -> None:
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        raise FaultError(f"times={times!r}: give a number from 1 on, or leave it out")
    if not isinstance(probability, int | float) or not 0 < probability <= 1:
        raise FaultError(f"probability={probability!r}: give a number above 0, at most 1")
    if not isinstance(optional, bool):
        raise FaultError(f"optional={optional!r}: give True or False")
    if which.nth and times > 1:
        raise FaultError(f"nth={which.nth} is one message, and times={times} are more: leave one out")
    if which.nth and probability < 1:
        raise FaultError("nth names the message, probability leaves it to chance: leave one out")


def _problem_of(error: Exception) -> str:
    """What a function of the test's got wrong, to be said behind the fault's name."""
    if isinstance(error, FaultError):  # which says itself what is wrong
        return str(error)
    return f"could not be asked of a message: {type(error).__name__}: {error}"


def _lane_of(message: WireMessage) -> tuple[str, str, str]:
    return message.agent, message.direction.value, message.rpc


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
