"""From the tape of a check to a transcript, as data for the result."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from loom_testing.transcript import Recorder, Way, encode

if TYPE_CHECKING:
    from loom_conformance.tape import Crossing, Tape

__all__ = ["transcribe"]

_END = re.compile(r"end: (?P<code>[A-Z_]+) ?(?P<details>.*)", re.DOTALL)
_CONTROL = "loom.testing.v1."


def transcribe(tape: Tape) -> list[dict[str, Any]]:
    """What crossed the wire, in the order in which the check saw it: the lines of a transcript."""
    now = 0
    recorder = Recorder(heartbeats=True, timeouts=True, clock=lambda: now)
    for crossing in tape.crossings:
        now = crossing.at
        _record(recorder, crossing)
    if tape.left_out:
        recorder.note(f"{tape.left_out} more were not kept")
    return [json.loads(line) for line in encode(recorder.transcript(causal=False)).splitlines()]


def _record(recorder: Recorder, crossing: Crossing) -> None:
    who, rpc, what = crossing.who, crossing.rpc, crossing.what
    sent = crossing.direction == "sent"
    if isinstance(what, Message):
        if what.DESCRIPTOR.full_name.startswith(_CONTROL):
            _control(recorder, rpc, what, sent=sent)
        elif sent:
            recorder.sent(who, rpc, what)
        else:
            recorder.received(who, rpc, what)
    elif crossing.direction == "note":
        recorder.note(what)
    elif what == "response headers":
        recorder.headers(who, rpc, way=Way.RECEIVED)
    elif what == "half-close":
        recorder.half_close(who, rpc)
    elif what in ("reset", "cancel"):
        recorder.reset(who, rpc)
    elif end := _END.fullmatch(what):
        recorder.status(who, rpc, end["code"], end["details"])
    else:
        recorder.fault(what, who, way=Way.SENT if sent else Way.RECEIVED, rpc=rpc)


def _control(recorder: Recorder, rpc: str, what: Message, *, sent: bool) -> None:
    """The testing control is beside the protocol: what was asked of it is a note."""
    if sent:
        said = {
            field.name: value if isinstance(value, str | int | bool) else str(value).strip()
            for field, value in what.ListFields()
            if field.name != "namespace"
        }
        recorder.note(f"control: {rpc}", body=said or None)
