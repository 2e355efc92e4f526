"""What is different between two transcripts, so that a person sees it at once.

- probe  publish orders.new  {id: 7}              what was expected, and is missing
+ probe  publish orders.now  {id: 7}              what is there instead
  shop  publish orders.priced                     the same message, with another content:
      event.payload.total: expected 12.5, got 25.0
"""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from loom_testing.transcript.cells import beside, cut, width_of
from loom_testing.transcript.labels import label_of
from loom_testing.transcript.shown import show, show_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loom_testing.transcript.entry import Entry, Transcript

__all__ = ["differences"]

WIDTH = 100
LONGEST = 60
CONTEXT = 2
"""How many equal entries are shown before and after a difference."""

_NOTHING = object()


def differences(expected: Transcript, got: Transcript) -> list[str]:
    """The differences, line by line; none where the two are the same.

    Compared is what is the same in every run: `Transcript.comparable()`.
    """
    one, other = expected.comparable(), got.comparable()
    lines = [
        f"{name}: expected {getattr(one, name)!r}, got {getattr(other, name)!r}"
        for name in ("about", "virtual", "left_out")
        if getattr(one, name) != getattr(other, name)
    ]
    matcher = SequenceMatcher(None, [_key(e) for e in one.entries], [_key(e) for e in other.entries], False)
    told = list(_told(matcher, one.entries, other.entries))
    return lines + list(_with_context(told))


def _key(entry: Entry) -> tuple[str, ...]:
    """By what an entry is known again: not by all of its content."""
    return entry.who, entry.way, entry.kind, entry.rpc, entry.name, label_of(entry)[0]


def _told(
    matcher: SequenceMatcher[tuple[str, ...]], one: Sequence[Entry], other: Sequence[Entry]
) -> Iterator[tuple[bool, list[str]]]:
    """Each entry as lines, and whether they tell of a difference."""
    for what, start, end, from_, to in matcher.get_opcodes():
        if what == "equal":
            for left, right in zip(one[start:end], other[from_:to], strict=True):
                misfits = list(_misfits("", left.body, right.body))
                if left.at != right.at:
                    misfits.insert(0, f"at: expected {_time(left.at)}, got {_time(right.at)}")
                head = _who(left) + label_of(left)[0] if misfits else _line(left)
                yield bool(misfits), [f"  {head}", *(f"      {misfit}" for misfit in misfits)]
            continue
        for entry in one[start:end]:
            yield True, [f"- {_line(entry)}"]
        for entry in other[from_:to]:
            yield True, [f"+ {_line(entry)}"]


def _with_context(told: Sequence[tuple[bool, list[str]]]) -> Iterator[str]:
    shown = {
        near
        for place, (differs, _) in enumerate(told)
        if differs
        for near in range(place - CONTEXT, place + CONTEXT + 1)
    }
    left_out = False
    for place, (_, lines) in enumerate(told):
        if place in shown:
            if left_out:
                yield "  …"
            left_out = False
            yield from lines
        elif not left_out:
            left_out = bool(shown)
    if left_out:
        yield "  …"


def _misfits(path: str, left: Any, right: Any) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in dict.fromkeys((*left, *right)):
            where = f"{path}.{name}" if path else name
            yield from _misfits(where, left.get(name, _NOTHING), right.get(name, _NOTHING))
    elif isinstance(left, list) and isinstance(right, list):
        for number, (one, other) in enumerate(zip_longest(left, right, fillvalue=_NOTHING)):
            yield from _misfits(f"{path}[{number}]", one, other)
    elif type(left) is not type(right) or left != right:
        yield f"{path or 'content'}: expected {_value(left)}, got {_value(right)}"


def _value(value: Any) -> str:
    return "nothing" if value is _NOTHING else cut(show_text(show(value)), LONGEST)


def _line(entry: Entry) -> str:
    label, detail = label_of(entry)
    who = _who(entry)
    return who + beside(label, detail, WIDTH - width_of(who))


def _who(entry: Entry) -> str:
    arrow = {"sent": "→", "received": "←"}.get(entry.way, "·")
    return f"{show_text(entry.who)} {arrow} " if entry.who else ""


def _time(at: int | None) -> str:
    return "no time" if at is None else f"{at / 1_000_000:g} s"
