"""From what was recorded to a transcript: taken apart, ordered, secrets removed, what is generated bound."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from loom_testing.transcript.calls import with_calls
from loom_testing.transcript.entry import Entry, Kind, Transcript, Way
from loom_testing.transcript.ordering import in_causal_order
from loom_testing.transcript.payloads import BASE64, dump_json
from loom_testing.transcript.placeholders import Names, escape
from loom_testing.transcript.plain import Reader
from loom_testing.transcript.redaction import REDACTED, Redactor
from loom_testing.transcript.wire import Crossing, crossings, method_of

if TYPE_CHECKING:
    from loom_testing.transcript.recorder import Recorded, Recorder

__all__ = ["finish"]

NAMESPACE = "loom-namespace"
KEPT_HEADERS = ("authorization", "loom-", "traceparent", "tracestate", "x-")
"""The metadata that is the parties' own; the rest is gRPC's, and differs from one gRPC to the next."""
MOST_RAW_BYTES = 1024
"""How much is shown of bytes that are no message."""


def finish(
    recorder: Recorder, recorded: list[Recorded], left_out: int, missed: int, *, causal: bool
) -> Transcript:
    """The transcript of what was recorded.

    Args:
        recorder: where it was recorded, and how it is to be told.
        recorded: what there is.
        left_out: how many are missing from its middle.
        missed: how many are missing before it.
        causal: as for `Recorder.transcript`.
    """
    taken = [crossing for item in with_calls(recorded) for crossing in crossings(item)]
    if not recorder.heartbeats:
        taken = [crossing for crossing in taken if not _is_heartbeat(crossing)]
    if causal:
        taken = in_causal_order(taken)
    gap = _gap(taken, recorded)
    names = Names(recorder.names)
    reader = Reader(names, recorder.began, timeouts=recorder.timeouts)
    drafts = [_draft(crossing, reader, names) for crossing in taken]
    redactor = Redactor(recorder.redaction)
    for draft in drafts:
        redactor.see(draft.body)
    calls: dict[tuple[str, str, int], int] = {}
    seen: dict[tuple[str, str], int] = {}
    entries = []
    for place, (crossing, draft) in enumerate(zip(taken, drafts, strict=True)):
        if place == gap:
            entries.append(_left_out(left_out))
        entries.append(_clean(crossing, draft, redactor, names, calls, seen))
    if gap == len(taken):
        entries.append(_left_out(left_out))
    return Transcript(
        entries=tuple(entries),
        virtual=recorder.virtual,
        bridge=recorder.bridge or _bridge(taken),
        started=recorder.began.isoformat(timespec="seconds"),
        about=redactor.text(recorder.about),
        left_out=left_out + missed,
    )


def _draft(crossing: Crossing, reader: Reader, names: Names) -> Entry:
    """The entry, its secrets still in it, and texts not yet bound."""
    item = crossing.item
    names.identity("agent", item.who)
    name, body = _content(crossing, reader)
    return Entry(
        who=escape(item.who),
        way=item.way,
        kind=crossing.kind,
        name=name,
        rpc=method_of(item.rpc),
        body=body,
        at=item.at,
    )


def _content(crossing: Crossing, reader: Reader) -> tuple[str, Any]:
    item = crossing.item
    match crossing.kind:
        case Kind.MESSAGE:
            return crossing.name, None if crossing.message is None else reader.message(crossing.message)
        case Kind.BYTES:
            return "", _raw(bytes(item.what))
        case Kind.HEADERS:
            return "", _headers(item.what, reader)
        case Kind.STATUS:
            code, details = item.what
            return str(code), {"details": reader.loose(details)} if details else None
        case Kind.NOTE | Kind.FAULT:
            text, body, message = item.what
            return str(reader.loose(text)), _about(crossing, message, reader.loose(body), reader)
        case Kind.TIME:
            return dump_json(int(item.what) if item.what == int(item.what) else item.what), None
        case _:
            return "", None


def _clean(
    crossing: Crossing,
    draft: Entry,
    redactor: Redactor,
    names: Names,
    calls: dict[tuple[str, str, int], int],
    seen: dict[tuple[str, str], int],
) -> Entry:
    body = _without_tainted_bytes(draft.body, redactor)
    item = crossing.item
    who, rpc = names.text(draft.who), draft.rpc
    call = 0
    if rpc:
        # Calls are numbered for each agent and method, in the order of the transcript.
        key = (who, rpc, item.call)
        if key not in calls:
            seen[who, rpc] = calls[key] = seen.get((who, rpc), 0) + 1
        call = calls[key]
    return Entry(
        who=redactor.text(who),
        way=draft.way,
        kind=draft.kind,
        name=names.text(redactor.text(draft.name)),
        rpc=rpc,
        call=call,
        body=names.json(redactor.json(body)),
        at=draft.at,
    )


def _about(crossing: Crossing, message: Any, body: Any, reader: Reader) -> Any:
    """What a note or a fault is about: its own body, and the message that the fault met."""
    if message is None:
        return body
    if crossing.message is not None:
        met: dict[str, Any] = {crossing.name: reader.message(crossing.message)}
    else:
        met = {Kind.BYTES.value: _raw(bytes(message))}
    return {"message": met} if body is None else {"message": met, "about": body}


def _headers(metadata: list[tuple[str, str | bytes]], reader: Reader) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in sorted(metadata, key=lambda pair: pair[0].lower()):
        name = name.lower()
        if not name.startswith(KEPT_HEADERS):
            continue
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode("ascii")
        if name == NAMESPACE:
            reader.namespace(value)
        kept[name] = reader.entry(name, value)
    return kept


def _raw(data: bytes) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "bytes": len(data),
        BASE64: base64.b64encode(data[:MOST_RAW_BYTES]).decode("ascii"),
    }
    return shown


def _without_tainted_bytes(body: Any, redactor: Redactor) -> Any:
    """Bytes that hold a secret go as a whole: they cannot be cleaned."""
    if isinstance(body, dict):
        encoded = body.get(BASE64)
        if isinstance(encoded, str) and redactor.is_tainted(base64.b64decode(encoded)):
            return {**body, BASE64: REDACTED}
        return {name: _without_tainted_bytes(item, redactor) for name, item in body.items()}
    return [_without_tainted_bytes(item, redactor) for item in body] if isinstance(body, list) else body


def _is_heartbeat(crossing: Crossing) -> bool:
    """An SDK's sign of life, which comes by the real clock; a barrier's ping has a time before the epoch."""
    is_one = crossing.name in ("ping", "pong") or method_of(crossing.item.rpc) == "Heartbeat"
    return is_one and getattr(crossing.message, "timestamp_ms", 0) > 0


def _gap(taken: list[Crossing], recorded: list[Recorded]) -> int:
    """Where entries are missing: before the first that was recorded after them; -1 for nowhere."""
    after = next((item.number for place, item in enumerate(recorded) if item.number != place), None)
    if after is None:
        return -1
    return next((place for place, crossing in enumerate(taken) if crossing.item.number >= after), len(taken))


def _left_out(count: int) -> Entry:
    plural = "entry was" if count == 1 else "entries were"
    return Entry("", Way.BESIDE, Kind.NOTE, f"{count} {plural} left out here: the recorder was full")


def _bridge(taken: list[Crossing]) -> str:
    for crossing in taken:
        server = getattr(crossing.message, "server", None)
        if server is not None and server.name:
            return f"{server.name} {server.version}".strip()
    return ""
