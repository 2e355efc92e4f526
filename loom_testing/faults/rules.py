"""`Rules`: the faults in force in front of one bridge, and what they make of each message."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Protocol

from loom_testing.faults.chance import Chance
from loom_testing.faults.crossed import Crossed
from loom_testing.faults.effects import Corrupt, Disconnect, Drop, Fail, Stall
from loom_testing.faults.errors import FaultError, UnfiredError
from loom_testing.faults.verdict import Cut, Told, Verdict

if TYPE_CHECKING:
    from loom_testing.faults.effects import Effect
    from loom_testing.faults.fault import Fault
    from loom_testing.faults.message import WireMessage
    from loom_testing.faults.script import Script

__all__ = ["Rules", "Shell"]

MOST_FAULTS = 1_000


class Shell(Protocol):
    """What rules need of the proxy that they are for; called from any thread."""

    def cut(self, agent: str) -> int:
        """Breaks an agent's connections, or all of them; answers how many."""

    def stall(self, agent: str, fault: int) -> int:
        """Stops an agent's connections, or all of them; answers how many."""

    def let_go(self, fault: int) -> None:
        """What this fault holds back goes on."""


class Rules:
    """The faults in force. Safe in threads: a test adds and removes, the proxy asks.

    Attributes:
        chance: where chance comes from.
        shell: the proxy, once there is one.
        crossed: what has crossed so far.

    Args:
        seed: of the chance.
    """

    def __init__(self, seed: int = 0) -> None:
        self.chance = Chance(seed)
        self.shell: Shell | None = None
        self.crossed = Crossed()
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)
        self._used_chance = False
        self._lock = threading.Lock()
        self._made: list[Fault | Script] = []

    @property
    def used_chance(self) -> bool:
        """Whether anything was left to chance."""
        return self._used_chance

    @property
    def in_force(self) -> list[Fault]:
        """Those that are in force, in the order in which they have a say."""
        with self._lock:
            return list(self._faults)

    def note(self, made: Fault | Script) -> None:
        """Notes what a test made, until it begins."""
        self._made.append(made)

    def begin(self, made: Fault | Script) -> None:
        """It begins, or tries to."""
        if made in self._made:
            self._made.remove(made)

    def finish(self) -> None:
        """The test is over and has passed: ends what is still in force, and complains of what never was.

        Raises:
            FaultError: a function of the test's failed.
            UnfiredError: something never fired, or never began, and is not optional.
        """
        for fault in self.in_force:
            fault.end()
        for made in self._made:
            if not made.optional:
                raise UnfiredError(f"{made.called} was never begun: put it into a with")

    def add(self, fault: Fault) -> None:
        """A fault is in force from now on.

        Raises:
            FaultError: it is already, it contradicts another, or there are too many.
        """
        with self._lock:
            if fault in self._faults:
                raise FaultError(f"the fault {fault} is in force already: make another")
            if len(self._faults) >= MOST_FAULTS:
                raise FaultError(f"{MOST_FAULTS} faults are in force, as many as may: end some")
            for other in self._faults:
                _check_sense(fault, other)
            fault.number = next(self._numbers)
            self._faults.append(fault)
            self._used_chance |= fault.probability < 1 or isinstance(fault.effect, Corrupt)
        self._at_once(fault)

    def remove(self, fault: Fault) -> None:
        """It is not any more; what it holds back goes on."""
        with self._lock:
            if fault not in self._faults:
                return
            self._faults.remove(fault)
        if self.shell is not None:
            self.shell.let_go(fault.number)

    def judge(self, message: WireMessage) -> Verdict:
        """What becomes of a message."""
        verdict = Verdict(message.data)
        with self._lock:
            self.crossed.count(message)
        for fault in self.in_force:
            if verdict.is_final:
                fault.pass_over(message)
                continue
            told = fault.meet(message, verdict, self.chance)
            if told is not None:
                verdict.told.append(Told(fault.number, told))
        return verdict

    def what_crossed(self) -> str:
        """What has crossed so far, for whoever wonders why a fault did not fire."""
        with self._lock:
            return self.crossed.told()

    def _at_once(self, fault: Fault) -> None:
        """A fault of the connection itself does not wait for a message."""
        if self.shell is None or fault.which.names_messages or fault.probability < 1:
            return
        fired = 0
        if isinstance(fault.effect, Disconnect):
            fired = self.shell.cut(fault.which.agent)
        elif isinstance(fault.effect, Stall):
            fired = self.shell.stall(fault.which.agent, fault.number)
        if fired:
            fault.count(fired)


def _check_sense(fault: Fault, other: Fault) -> None:
    """Refuses a fault that another leaves nothing to do for, or that would leave the other nothing.

    Raises:
        FaultError: it contradicts the other.
    """
    if fault.which != other.which:
        return
    for one, rest in ((fault, other), (other, fault)):
        if one.takes_all and _ends_all(one.effect):
            raise FaultError(
                f"{fault} contradicts {other}, which is in force: {one} takes every such message, "
                f"and leaves {rest} nothing; give one of them nth= or times="
            )


def _ends_all(effect: Effect) -> bool:
    """Whether a message that it is done to goes no further."""
    return isinstance(effect, Drop | Fail) or (isinstance(effect, Disconnect) and effect.when == Cut.BEFORE)
