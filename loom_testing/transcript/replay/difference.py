"""How a replay says that an agent did something else: where, what, and what had happened up to there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_testing.transcript.cells import beside, cut
from loom_testing.transcript.drawing import draw
from loom_testing.transcript.labels import label_of
from loom_testing.transcript.replay.bindings import UNSET
from loom_testing.transcript.shown import show, show_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_testing.transcript.entry import Entry, Transcript
    from loom_testing.transcript.replay.bindings import Misfit

__all__ = ["ReplayError"]

LONGEST = 70
MOST_MISFITS = 12
TAIL = 12


class ReplayError(AssertionError):
    """An agent did something else than was recorded; the text says what.

    Attributes:
        place: the number of the recorded entry, from 1; 0 where the recording has no such entry.
        recorded: that entry; None where there is none.
        came: what came instead; None where nothing came.
        misfits: where the two differ.
        happened: what had happened up to there.
    """

    def __init__(
        self,
        summary: str,
        *,
        place: int = 0,
        recorded: Entry | None = None,
        came: Entry | None = None,
        misfits: Sequence[Misfit] = (),
        happened: Transcript | None = None,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.place = place
        self.recorded = recorded
        self.came = came
        self.misfits = list(misfits)
        self.happened = happened

    def __str__(self) -> str:
        return self.report()

    def report(self, *, width: int = 100, colour: bool = False) -> str:
        """The whole story, several lines."""
        lines = [self.summary]
        if self.recorded is not None:
            lines.append(_entry("recorded", self.recorded, width))
        if self.came is not None:
            lines.append(_entry("now     ", self.came, width))
        lines += [_misfit(misfit) for misfit in self.misfits[:MOST_MISFITS]]
        if len(self.misfits) > MOST_MISFITS:
            lines.append(f"    and {len(self.misfits) - MOST_MISFITS} more differences")
        if self.happened is not None and self.happened.entries:
            lines.append("  what had happened:")
            picture = draw(self.happened.tail(4 * TAIL), most_rows=TAIL, width=width - 4, colour=colour)
            lines += [f"    {line}" for line in picture.splitlines()]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "summary": self.summary,
            "entry": self.place,
            "recorded": None if self.recorded is None else self.recorded.body,
            "came": None if self.came is None else self.came.body,
            "differences": [
                {
                    "path": misfit.path,
                    **({} if misfit.recorded is UNSET else {"recorded": misfit.recorded}),
                    **({} if misfit.came is UNSET else {"came": misfit.came}),
                }
                for misfit in self.misfits
            ],
        }


def _entry(what: str, entry: Entry, width: int) -> str:
    label, detail = label_of(entry)
    start = f"  {what} "
    return start + beside(label, detail, width - len(start))


def _misfit(misfit: Misfit) -> str:
    return f"    {misfit.path}: recorded {_value(misfit.recorded)}, now {_value(misfit.came)}"


def _value(value: Any) -> str:
    return "nothing" if value is UNSET else cut(show_text(show(value)), LONGEST)
