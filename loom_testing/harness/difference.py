"""How a probe says that it was not given what it expected: the nearest miss first, then what else came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_testing.harness.expected import UNSET, WHERE, payload_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.event import Event
    from loom_testing.harness.expected import Expected, Misfit

__all__ = ["describe_event", "describe_miss"]

LONGEST = 120
"""Characters of one value that are shown."""
MOST_EVENTS = 12
MOST_MISFITS = 12


def describe_miss(expected: Expected, open_events: Sequence[Event], taken: int) -> str:
    """What came instead of an expected event, several lines.

    Args:
        expected: what was looked for.
        open_events: what came and was not given out yet, oldest first.
        taken: how many events were given out before.
    """
    lines = []
    nearest = _nearest(expected, open_events)
    if nearest is not None:
        event, misfits = nearest
        lines += [f"nearest: {describe_event(event)}", *_misfit_lines(misfits)]
    others = [event for event in open_events if nearest is None or event is not nearest[0]]
    lines += _other_lines(others, nearest is not None)
    if taken:
        lines.append(f"({taken} more {_events(taken)} given out before)")
    return "\n".join(f"  {line}" for line in lines)


def describe_event(event: Event) -> str:
    """An event in one line."""
    kind = f" type={event.type}" if event.type and event.type != event.topic else ""
    sender = f" from {event.sender}" if event.sender else ""
    return f"{event.topic}{kind}{sender}: {_short(payload_of(event))}"


def _nearest(expected: Expected, events: Sequence[Event]) -> tuple[Event, list[Misfit]] | None:
    """The event with the least wrong about it, the latest of several; none if every topic is another."""
    best: tuple[int, Event, list[Misfit]] | None = None
    for event in events:
        misfits = expected.misfits(event)
        weight = sum(misfit.weight for misfit in misfits)
        if best is None or weight <= best[0]:
            best = (weight, event, misfits)
    if best is None or (len(events) > 1 and any(misfit.path == "topic" for misfit in best[2])):
        return None
    return best[1], best[2]


def _misfit_lines(misfits: Sequence[Misfit]) -> list[str]:
    width = max(len(misfit.path) for misfit in misfits)
    lines = [_misfit_line(misfit, width) for misfit in misfits[:MOST_MISFITS]]
    if len(misfits) > MOST_MISFITS:
        lines.append(f"    and {len(misfits) - MOST_MISFITS} more differences")
    return lines


def _misfit_line(misfit: Misfit, width: int) -> str:
    path = f"    {misfit.path:{width}}"
    if misfit.path == WHERE:
        return f"{path}  {misfit.wanted} says no"
    got = "nothing is there" if misfit.got is UNSET else f"got {_short(misfit.got)}"
    return f"{path}  expected {_short(misfit.wanted)}, {got}"


def _other_lines(events: Sequence[Event], besides: bool) -> list[str]:
    if not events:
        return [] if besides else ["nothing came"]
    shown = events[-MOST_EVENTS:]
    left_out = f", the last {len(shown)}" if len(shown) < len(events) else ""
    what = "also came" if besides else "came"
    return [
        f"{what} ({len(events)} {_events(len(events))}{left_out}):",
        *(f"    {describe_event(event)}" for event in shown),
    ]


def _events(number: int) -> str:
    return "event" if number == 1 else "events"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
