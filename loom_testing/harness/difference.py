"""How a probe says that it was not given what it expected: the nearest miss first, then what else came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_testing.harness.expected import UNSET, WHERE, payload_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.event import Event
    from loom_testing.harness.expected import Expected, Misfit
    from loom_testing.harness.seen import SeenCall

__all__ = ["describe_call_miss", "describe_event", "describe_miss"]

LONGEST = 120
"""Characters of one value that are shown."""
BEFORE = 30
"""Characters that are shown before the place where two long texts part."""
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


def describe_call_miss(arguments: Any, calls: Sequence[SeenCall]) -> str:
    """What was called instead of an expected call, several lines.

    Args:
        arguments: what the arguments were to hold.
        calls: the calls that came, oldest first.
    """
    if not calls:
        return "  it was not called"
    nearest = min(reversed(calls), key=lambda call: len(call.misfits(arguments)))
    lines = [f"nearest: {_short(nearest.arguments)}", *_misfit_lines(nearest.misfits(arguments))]
    others = [call for call in calls if call is not nearest]
    lines += [f"also came: {_short(call.arguments)}" for call in others[-MOST_EVENTS:]]
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
    wanted, got = _beside(misfit.wanted, misfit.got)
    wanted = "nothing" if misfit.wanted is UNSET else wanted
    return f"{path}  expected {wanted}, {'nothing is there' if misfit.got is UNSET else f'got {got}'}"


def _beside(wanted: Any, got: Any) -> tuple[str, str]:
    """Two values, short; of long texts the place where they part."""
    if not (isinstance(wanted, str) and isinstance(got, str)):
        return _short(wanted), _short(got)
    if max(len(repr(wanted)), len(repr(got))) <= LONGEST:
        return repr(wanted), repr(got)
    pairs = enumerate(zip(wanted, got, strict=False))
    same = next((place for place, (one, other) in pairs if one != other), min(len(wanted), len(got)))
    begin = max(0, same - BEFORE)
    return _from(wanted, begin), _from(got, begin)


def _from(text: str, begin: int) -> str:
    """A text from a place on: what is left out at either end is dots."""
    shown = repr(text[begin : begin + LONGEST])
    left = "..." if begin else ""
    right = "..." if len(text) > begin + LONGEST else ""
    return f"{left}{shown}{right}"


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
