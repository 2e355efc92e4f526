"""What faults do to a message: one small class for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import grpc

from loom_testing.faults.errors import FaultError
from loom_testing.faults.verdict import Cut, Status, Verdict

if TYPE_CHECKING:
    from loom_testing.faults.chance import Chance
    from loom_testing.faults.message import WireMessage

__all__ = [
    "Corrupt",
    "Delay",
    "Disconnect",
    "Drop",
    "Duplicate",
    "Effect",
    "Fail",
    "Reorder",
    "Slow",
    "Stall",
]

MICROS = 1_000_000
MOST_S = 86_400.0
MOST_COPIES = 100
MOST_BEHIND = 10_000


class Effect(Protocol):
    """What one fault does."""

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """Changes the verdict; answers what was done, for the transcript."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The message never arrives."""

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """The message never arrives."""
        verdict.copies = 0
        return "dropped"


@dataclass(frozen=True, slots=True)
class Delay:
    """The message arrives later, and so does what is behind it on its call.

    Raises:
        FaultError: the seconds are no time to wait.
    """

    seconds: float

    def __post_init__(self) -> None:
        _check_seconds("delay", self.seconds)

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """It waits."""
        verdict.delay += round(self.seconds * MICROS)
        return f"delayed by {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The message arrives more than once.

    Raises:
        FaultError: the number of copies is none, or too many.
    """

    copies: int = 1

    def __post_init__(self) -> None:
        _check_number("duplicate(copies=...)", self.copies, MOST_COPIES)

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """Once more, and perhaps again."""
        verdict.copies += self.copies
        return "duplicated" if self.copies == 1 else f"duplicated {self.copies} times"


@dataclass(frozen=True, slots=True)
class Reorder:
    """Later messages of the same call and direction that the fault is about, too, overtake it.

    One that overtakes another is not held back itself, unless it was named by `nth`: else nothing would ever
    overtake anything.

    Raises:
        FaultError: nothing overtakes it, or too much.
    """

    by: int = 1

    def __post_init__(self) -> None:
        _check_number("reorder(by=...)", self.by, MOST_BEHIND)

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """It lets others go first."""
        fault = about[0]
        assert isinstance(fault, int)
        verdict.behind += self.by
        verdict.behind_by.append(fault)
        return "held until the next has passed" if self.by == 1 else f"held until {self.by} have passed"


@dataclass(frozen=True, slots=True)
class Corrupt:
    """The message arrives with other bytes.

    `how` is `flip` (one bit), `truncate` (the end is missing), `garbage` (bytes that are no message), or a
    function from bytes to bytes.

    Raises:
        FaultError: there is no such way.
    """

    how: str | Callable[[bytes], bytes] = "flip"

    def __post_init__(self) -> None:
        if not callable(self.how) and self.how not in ("flip", "truncate", "garbage"):
            raise FaultError(
                f"corrupt(how={self.how!r}): write flip, truncate or garbage, or give a function of bytes"
            )

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """Its bytes become others."""
        data = verdict.data
        if callable(self.how):
            verdict.data = _bytes_of(self.how(data))
            return "changed by the test"
        if not data or self.how == "garbage":
            # A field whose length says that it goes on for ever: no protobuf library reads that.
            verdict.data = b"\xff" * 9 + chance.number(2**32, *about, "garbage").to_bytes(4)
            return "replaced by garbage"
        place = chance.number(len(data), *about, "place")
        if self.how == "truncate":
            verdict.data = data[:place]
            return f"cut to {place} of {len(data)} bytes"
        bit = chance.number(8, *about, "bit")
        verdict.data = data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]
        return f"bit {bit} of byte {place} flipped"


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The connection is lost: both sides see it reset.

    Raises:
        FaultError: `when` is neither before nor after.
    """

    when: str = "before"

    def __post_init__(self) -> None:
        if self.when not in tuple(Cut):
            raise FaultError(f"disconnect(when={self.when!r}): write before or after (the message)")

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """The connection is lost, with the message or right after it."""
        verdict.cut = Cut(self.when)
        return "disconnected" if self.when == Cut.BEFORE else "disconnected after it"


@dataclass(frozen=True, slots=True)
class Stall:
    """From this message on nothing crosses the connection, either way, and nobody is told."""

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """The connection is dead, though open."""
        fault = about[0]
        assert isinstance(fault, int)
        verdict.stalled_by.append(fault)
        return "stalled"


@dataclass(frozen=True, slots=True)
class Slow:
    """The link passes so many bytes in a second, one message after the other.

    Raises:
        FaultError: it passes nothing.
    """

    bytes_per_second: float

    def __post_init__(self) -> None:
        if not _is_number(self.bytes_per_second) or not 0 < self.bytes_per_second < float("inf"):
            raise FaultError(
                f"slow({self.bytes_per_second!r}): give bytes per second, above 0; stall() passes nothing"
            )

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """It takes its time."""
        seconds = min(len(verdict.data) / self.bytes_per_second, MOST_S)
        verdict.size_delay += round(seconds * MICROS)
        return f"took {seconds:.3g} s on a slow link"


@dataclass(frozen=True, slots=True)
class Fail:
    """The call that the message belongs to ends with a gRPC status; the bridge never sees the message.

    Raises:
        FaultError: there is no such status.
    """

    status: str = "UNAVAILABLE"
    message: str = "a fault was injected"
    word: str = "failed"

    def __post_init__(self) -> None:
        names = [code.name for code in grpc.StatusCode if code.name != "OK"]
        if self.status not in names:
            raise FaultError(f"fail({self.status!r}): there is {', '.join(names)}")

    def apply(self, verdict: Verdict, message: WireMessage, chance: Chance, *about: object) -> str:
        """Its call is over."""
        verdict.answered = Status(self.status, self.message)
        return f"{self.word}: {self.status}"


def _check_seconds(name: str, seconds: Any) -> None:
    if not _is_number(seconds) or not 0 < seconds <= MOST_S:
        raise FaultError(f"{name}({seconds!r}): give seconds above 0, at most {MOST_S:g}")


def _check_number(name: str, number: Any, most: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
        raise FaultError(f"{name} is {number!r}: give a number from 1 to {most}")


def _bytes_of(made: Any) -> bytes:
    if not isinstance(made, bytes | bytearray | memoryview):
        raise FaultError(f"was given {type(made).__name__} by its function: let it give bytes")
    return bytes(made)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
