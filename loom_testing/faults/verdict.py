"""`Verdict`: what becomes of one message, after all faults have had their say."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Cut", "Status", "Told", "Verdict"]


class Cut(StrEnum):
    """When a connection is broken."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Status:
    """A gRPC status, by name, with its text."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the transcript about a fault.

    Attributes:
        fault: the fault's number.
        text: what was done.
    """

    fault: int
    text: str


@dataclass(slots=True)
class Verdict:
    """What becomes of a message.

    Attributes:
        data: its bytes, changed perhaps.
        copies: how often it goes on; 0 for never.
        delay: microseconds that it waits, and what is behind it with it.
        size_delay: microseconds that it takes on a slow link, beginning when the one before it is through.
        behind: how many later messages of its call overtake it.
        behind_by: the faults that hold it back until then.
        overtakes: the faults of which it overtakes what they hold back.
        cut: whether its connection is broken, and when.
        stalled_by: the faults that stop its connection, as a dead cable does.
        answered: the status that its call ends with instead.
        told: what the transcript says of it.
    """

    data: bytes
    copies: int = 1
    delay: int = 0
    size_delay: int = 0
    behind: int = 0
    behind_by: list[int] = field(default_factory=list)
    overtakes: list[int] = field(default_factory=list)
    cut: Cut | None = None
    stalled_by: list[int] = field(default_factory=list)
    answered: Status | None = None
    told: list[Told] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        """Whether nothing is left that a further fault could do something to."""
        return not self.copies or self.cut is Cut.BEFORE or self.answered is not None
