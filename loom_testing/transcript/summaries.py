"""Entries that belong together, told as one: how an agent joins and leaves, what came of a publish."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loom_testing.transcript.entry import Entry, Kind, Way

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MATCHED", "summarized"]

MATCHED = "$matched"
"""How many received a publish, told by its receipt."""

STREAM = "EventStream"
REGISTER = "RegisterAgent"
OF_CALLS = frozenset({"action_call", "action_result", "action_cancel", "action_chunk", "action_credit"})
"""What names a call by its id."""


def summarized(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with what belongs together made one. What went wrong is never hidden."""
    hidden: set[int] = set()
    changed: dict[int, Entry] = {}
    for place, entry in enumerate(entries):
        if place in hidden:
            continue
        if entry.rpc == REGISTER and entry.name == "request":
            _join(entries, place, hidden, changed)
        elif entry.name == "publish" and entry.kind is Kind.MESSAGE:
            _receipt(entries, place, hidden, changed)
        elif entry.name == "goodbye" or entry.kind is Kind.HALF_CLOSE:
            _leave(entries, place, hidden, changed)
        elif _is_dull(entry):
            hidden.add(place)
        elif entry.name == "action_cancel":
            _cancelled(entries, place, hidden)
    told = [changed.get(place, entry) for place, entry in enumerate(entries) if place not in hidden]
    return _without_numbers(_with_whole_times(told))


def _with_whole_times(entries: Sequence[Entry]) -> list[Entry]:
    """A clock that moved on and on with nothing to show in between moved once."""
    told: list[Entry] = []
    for entry in entries:
        if entry.kind is Kind.TIME and told and told[-1].kind is Kind.TIME:
            seconds = Decimal(told[-1].name) + Decimal(entry.name)
            told[-1] = replace(entry, name=f"{seconds:f}")
        else:
            told.append(entry)
    return told


def _join(entries: Sequence[Entry], place: int, hidden: set[int], changed: dict[int, Entry]) -> None:
    """Registration, handshake, headers and welcome, where all of it went well."""
    request = entries[place]
    own = [
        (at, item)
        for at, item in enumerate(entries[place + 1 :], place + 1)
        if item.who == request.who and at not in hidden
    ]
    # What follows its next registration belongs to that one.
    again = next((at for at, item in own if item.rpc == REGISTER and item.name == "request"), len(entries))
    own = [(at, item) for at, item in own if at < again]
    steps: list[int] = []
    answer = next(((at, item) for at, item in own if item.rpc == REGISTER and item.name == "response"), None)
    if answer is None or not _said(answer[1], "success"):
        return
    steps.append(answer[0])
    ack = next(((at, item) for at, item in own if at > answer[0] and item.name == "ack"), None)
    if ack is None or any(_ends(item) for at, item in own if at < ack[0]):
        return
    hidden.update(steps)
    hidden.add(ack[0])
    for at, item in own:
        if at > ack[0] and item.rpc == STREAM:
            if item.kind is Kind.HEADERS or item.name == "welcome":
                hidden.add(at)
            elif item.way is Way.RECEIVED:
                break
    changed[place] = replace(request, name="joins", rpc=STREAM)


def _receipt(entries: Sequence[Entry], place: int, hidden: set[int], changed: dict[int, Entry]) -> None:
    publish = entries[place]
    number = _said(publish, "pub_seq")
    if not number:
        return
    for at, item in enumerate(entries[place + 1 :], place + 1):
        same_stream = item.who == publish.who and item.rpc == publish.rpc and item.call == publish.call
        if same_stream and item.name == "receipt" and _said(item, "ref") == number:
            if not _said(item, "code"):
                hidden.add(at)
                body = {**publish.body, MATCHED: _said(item, "matched") or 0}
                changed[place] = replace(publish, body=body)
            return


def _leave(entries: Sequence[Entry], place: int, hidden: set[int], changed: dict[int, Entry]) -> None:
    """A goodbye and the stream's good end."""
    goodbye = entries[place]
    before = [at for at in range(place) if entries[at].who == goodbye.who]
    for at in reversed(before):
        if not _is_preparing(entries[at]):
            break
        hidden.add(at)
        changed.pop(at, None)
    for at, item in enumerate(entries[place + 1 :], place + 1):
        if item.who != goodbye.who or item.rpc != goodbye.rpc or item.call != goodbye.call:
            continue
        if item.kind is Kind.HALF_CLOSE:
            hidden.add(at)
        if item.kind is Kind.STATUS:
            if item.name == "OK":
                hidden.add(at)
                changed[place] = replace(goodbye, name="leaves", kind=Kind.MESSAGE)
            return


def _cancelled(entries: Sequence[Entry], place: int, hidden: set[int]) -> None:
    """An answer to a call that was taken back: that nobody wants it any more is no news."""
    cancel = entries[place]
    answered = False
    for at, item in enumerate(entries[place + 1 :], place + 1):
        if item.who != cancel.who or item.rpc != STREAM:
            continue
        if item.name == "action_result" and _said(item, "id") == _said(cancel, "id"):
            answered = True
        elif answered and _said(item, "code") == "UNKNOWN_CALL" and _said(item, "ref") == _said(cancel, "id"):
            hidden.add(at)
            return


def _without_numbers(entries: list[Entry]) -> list[Entry]:
    """Calls of an agent that has one at a time, without their ids: nobody needs to tell them apart."""
    crowded = _crowded(entries)
    return [entry if entry.who in crowded else _without_number(entry) for entry in entries]


def _without_number(entry: Entry) -> Entry:
    """The entry without the id of a call, also where a fault met it."""
    if entry.name in OF_CALLS and _said(entry, "id"):
        return replace(entry, body=_without_id(entry.body))
    met = _said(entry, "message") if entry.kind is Kind.FAULT else None
    if isinstance(met, dict) and OF_CALLS & met.keys():
        told = {name: _without_id(body) if name in OF_CALLS else body for name, body in met.items()}
        return replace(entry, body={**entry.body, "message": told})
    return entry


def _without_id(body: Any) -> Any:
    return {name: value for name, value in body.items() if name != "id"} if isinstance(body, dict) else body


def _crowded(entries: Sequence[Entry]) -> set[str]:
    """The agents that were given a call while another one was open."""
    is_open: dict[str, set[str]] = {}
    crowded = set()
    for entry in entries:
        mine = is_open.setdefault(entry.who, set())
        if entry.name == "action_call":
            mine.add(str(_said(entry, "id")))
        elif entry.name in ("action_result", "action_cancel"):
            # A late answer to a call that was taken back could be taken for the next one's.
            mine.discard(str(_said(entry, "id")))
        if len(mine) > 1:
            crowded.add(entry.who)
    return crowded


def _is_dull(entry: Entry) -> bool:
    """Metadata, barriers, and the good end of a call whose answer is shown."""
    if entry.kind is Kind.HEADERS or _is_barrier(entry):
        return True
    return entry.kind is Kind.STATUS and entry.name == "OK" and entry.rpc != STREAM


def _is_preparing(entry: Entry) -> bool:
    """An SDK that leaves registers for nothing any more, and lets come in what is on its way."""
    if entry.rpc == REGISTER:
        return not (
            _said(entry, "subscriptions") or _said(entry, "capabilities") or _said(entry, "error_code")
        )
    return _is_barrier(entry)


def _is_barrier(entry: Entry) -> bool:
    """An SDK waits until everything has come in (HB-2)."""
    number = _said(entry, "timestamp_ms")  # of a sign of life a placeholder
    return entry.name in ("ping", "pong") and isinstance(number, int) and number < 0


def _ends(entry: Entry) -> bool:
    return entry.kind in (Kind.STATUS, Kind.RESET) and entry.name != "OK"


def _said(entry: Entry, name: str) -> Any:
    return entry.body.get(name) if isinstance(entry.body, dict) else None
