"""`Lane`: one direction of one call. What enters it leaves in order, unless a fault says otherwise."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from loom_testing.proxy.clocks import LaneClock, Waiting
    from loom_testing.proxy.framing import Frame
    from loom_testing.proxy.wire import Headers

__all__ = ["Exit", "Lane", "Parcel"]


@dataclass(slots=True, eq=False)
class Parcel:
    """One thing in a lane.

    Attributes:
        frame: a message; None for headers and ends.
        headers: what begins an answer, or ends it (`ends`).
        ends: whether it is the last.
        due: when it may leave, by the lane's clock; 0 for at once.
        cuts: whether the connection is lost right after it.
        behind: how many must overtake it first.
        held_by: the faults that hold it back.
        overtakes: the faults of which it overtakes what they hold back.
        breaks_off: whether it is the beginning of a message whose rest never comes.
    """

    frame: Frame | None = None
    headers: Headers | None = None
    ends: bool = False
    due: int = 0
    cuts: bool = False
    behind: int = 0
    held_by: list[int] = field(default_factory=list)
    overtakes: list[int] = field(default_factory=list)
    breaks_off: bool = False


class Exit(Protocol):
    """Where a lane leads."""

    def may_leave(self) -> bool:
        """Whether there is room, and the connection is not stopped."""

    def leave(self, parcel: Parcel) -> None:
        """It goes out."""

    def is_free(self) -> None:
        """Nothing waits for room any more: whoever sends may send more."""


class Lane:
    """One direction of one call.

    Attributes:
        last_due: when what was put in last may leave; later things not before it.
        is_ended: whether its end has been put in, or the call was broken.

    Args:
        exit_: where it leads.
        clock: by which messages wait.
    """

    def __init__(self, exit_: Exit, clock: LaneClock) -> None:
        self.last_due = 0
        self.is_ended = False
        self._exit = exit_
        self._clock = clock
        self._queue: deque[Parcel] = deque()
        self._aside: list[Parcel] = []
        self._timer: Waiting | None = None
        self._wakes = 0
        self._is_cleared = self._is_within = self._is_hurried = False
        self._owner = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits in it."""
        return not self._queue and not self._aside

    @property
    def holding(self) -> frozenset[int]:
        """The faults that hold something back in it, to be overtaken."""
        return frozenset(fault for parcel in self._aside for fault in parcel.held_by)

    @property
    def is_blocked(self) -> bool:
        """Whether its sender has to wait: for room, or for a slow link.

        What waits for a test's clock does not hold up its sender: the clock moves only when all is settled,
        and a sender that waits is not.
        """
        return bool(self._queue) and not (self._clock.is_virtual and self._waits())

    @property
    def ready(self) -> int:
        """How many messages would leave now, were there room.

        None of them while the first waits for its timer, also when its time has come: a test's clock is at a
        time before it fires what is due then, and fires nothing while something is said to be under way.
        """
        if self._timer is not None:
            return 0
        now = self._clock.now()
        due = [parcel.frame for parcel in self._queue if parcel.due <= now]
        return sum(frame is not None and frame.completes for frame in due)

    def put(self, parcel: Parcel, *, owner: str = "", delay: int = 0, size_delay: int = 0) -> None:
        """Something enters. Where the call was broken it is lost.

        Args:
            parcel: what.
            owner: whose it is: that orders what is due at the same time.
            delay: microseconds that it waits.
            size_delay: microseconds that it takes, from when the one before it is through.
        """
        if self._is_cleared:
            return
        if (delay or size_delay or self.last_due) and not self._is_hurried:
            now = self._clock.now()
            through = max(now, self.last_due) + size_delay if size_delay else now
            parcel.due = self.last_due = max(through + delay, self.last_due)
        self._owner = owner or self._owner
        self.is_ended = self.is_ended or parcel.ends
        if parcel.ends or parcel.breaks_off:
            self._queue.extend(self._aside)  # nothing can overtake them any more
            self._aside.clear()
        if parcel.behind:
            self._aside.append(parcel)
            return
        self._queue.append(parcel)
        if parcel.frame is not None:
            self._is_within = not parcel.frame.completes
            if self._aside and not self._is_within:
                self._overtaken(parcel)
        self.pump()

    def pump(self) -> None:
        """What may leave, leaves."""
        while self._queue and self._exit.may_leave():
            if self._waits():
                self._wake_at(self._queue[0].due)
                break
            self._exit.leave(self._queue.popleft())
        if not self.is_blocked and not self._is_cleared:
            self._exit.is_free()

    def hurry(self) -> None:
        """From now on nothing in it waits for a test's clock: whose it is leaves."""
        if not self._clock.is_virtual:
            return
        self._is_hurried = True
        for parcel in self._queue:
            parcel.due = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.pump()

    def let_go(self, fault: int) -> None:
        """What this fault holds back goes on, in the order in which it came."""
        freed = [parcel for parcel in self._aside if fault in parcel.held_by]
        if self._is_within:
            for parcel in freed:  # a large message is passing in pieces: right after it
                parcel.behind = 0
        elif freed:
            self._aside = [parcel for parcel in self._aside if parcel not in freed]
            self._queue.extend(freed)
            self.pump()

    def clear(self) -> None:
        """The call was broken: what is in it is lost."""
        self.is_ended = self._is_cleared = True
        self._queue.clear()
        self._aside.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _waits(self) -> bool:
        """Whether what comes first waits for its time."""
        due = self._queue[0].due
        return due > 0 and due > self._clock.now()

    def _overtaken(self, passing: Parcel) -> None:
        """A message has passed those that are held back for it."""
        for parcel in self._aside:
            if not set(parcel.held_by).isdisjoint(passing.overtakes):
                parcel.behind -= 1
        free = [parcel for parcel in self._aside if parcel.behind <= 0]
        self._aside = [parcel for parcel in self._aside if parcel.behind > 0]
        self._queue.extend(free)

    def _wake_at(self, due: int) -> None:
        if self._timer is not None:
            if self._wakes == due:
                return
            self._timer.cancel()
        self._wakes = due
        self._timer = self._clock.call_at(due, self._owner, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.pump()
