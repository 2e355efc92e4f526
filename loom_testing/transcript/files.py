"""Transcripts as files: JSON lines, a header first, then one line for each entry.

    {"transcript":1,"bridge":"loom-testing 0.1.0","clock":"virtual","started":"...","entries":12}
    {"who":"probe","rpc":"EventStream","sent":"publish","body":{"topic":"orders.new","event":{...}}}
    {"who":"shop","rpc":"EventStream","received":"delivery","body":{...}}
    {"at":30000000,"time":30}

Which of `sent`, `received`, `note`, `fault` and `time` an entry has says which way it went; what went is the
message's name, or `headers`, `half-close`, `reset`, `bytes`, `status`. By the header's `entries` a file that
was cut off is told from one that is whole.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loom_testing.transcript.entry import VERSION, Entry, Kind, Transcript, TranscriptError, Way

__all__ = ["decode", "encode", "is_transcript", "load", "save"]

MARKED = (Kind.BYTES, Kind.HEADERS, Kind.HALF_CLOSE, Kind.RESET)
"""Kinds that stand in place of a message's name."""

MEMBERS: dict[str, tuple[type, str]] = {
    "who": (str, "text"),
    "rpc": (str, "text"),
    "way": (str, "text"),
    "code": (str, "text"),
    "sent": (str, "text"),
    "received": (str, "text"),
    "note": (str, "text"),
    "fault": (str, "text"),
    "call": (int, "whole number"),
    "at": (int, "whole number of microseconds"),
}
"""What an entry's members must be; what it has besides is left alone."""


def encode(transcript: Transcript) -> str:
    """The transcript as text, ending in a newline. The same transcript gives the same text."""
    header: dict[str, Any] = {"transcript": VERSION}
    for name in ("about", "bridge", "started"):
        if getattr(transcript, name):
            header[name] = getattr(transcript, name)
    header["clock"] = "virtual" if transcript.virtual else "real"
    if transcript.left_out:
        header["left_out"] = transcript.left_out
    header["entries"] = len(transcript.entries)
    return "".join(f"{_dump(item)}\n" for item in (header, *map(_line, transcript.entries)))


def decode(text: str, name: str = "the transcript") -> Transcript:
    """Reads a transcript.

    Args:
        text: the file's text.
        name: what to call it in errors.

    Raises:
        TranscriptError: it is no transcript, of another version, cut off, or holds more than its header says.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    header = _header(lines[0] if lines else "", name)
    entries = tuple(_entry(line, number, name) for number, line in enumerate(lines[1:], 2))
    expected = header.get("entries")
    if not isinstance(expected, int) or isinstance(expected, bool):
        raise TranscriptError(f"{name} says nowhere how many entries it has: record it again")
    if len(entries) > expected:
        raise TranscriptError(
            f"{name} holds more than it says: its header promises {expected} entries and {len(entries)} are "
            "there; record it again"
        )
    if len(entries) != expected or not text.endswith("\n"):
        raise TranscriptError(
            f"{name} is cut off: its header promises {expected} entries and {len(entries)} are there; "
            "record it again"
        )
    return Transcript(
        entries=entries,
        virtual=header.get("clock") == "virtual",
        bridge=str(header.get("bridge", "")),
        started=str(header.get("started", "")),
        about=str(header.get("about", "")),
        left_out=int(header.get("left_out", 0)),
    )


def load(path: str | Path) -> Transcript:
    """Reads a transcript's file.

    Raises:
        TranscriptError: it cannot be read, or is no transcript.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise TranscriptError(f"{path} is no transcript: it is no text; give a recorded .jsonl") from None
    except OSError as error:
        raise TranscriptError(f"{path} cannot be read ({error.strerror}): check the path") from None
    return decode(text, str(path))


def save(transcript: Transcript, path: str | Path) -> None:
    """Writes a transcript's file, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(encode(transcript), encoding="utf-8", newline="\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def is_transcript(first_line: str) -> bool:
    """Whether a file that begins so is a transcript, of whatever version."""
    try:
        data = json.loads(first_line)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and "transcript" in data


def _line(entry: Entry) -> dict[str, Any]:
    line: dict[str, Any] = {}
    if entry.at is not None:
        line["at"] = entry.at
    if entry.who:
        line["who"] = entry.who
    if entry.rpc:
        line["rpc"] = entry.rpc
    if entry.call > 1:
        line["call"] = entry.call
    what = entry.kind.value if entry.kind in MARKED else entry.name
    if entry.kind is Kind.STATUS:
        line[entry.way.value] = Kind.STATUS.value
        line["code"] = entry.name
    elif entry.kind in (Kind.NOTE, Kind.FAULT, Kind.TIME):
        line[entry.kind.value] = json.loads(what) if entry.kind is Kind.TIME else what
        if entry.way is not Way.BESIDE:
            line["way"] = entry.way.value
    else:
        line[entry.way.value] = what
    if entry.body is not None:
        line["body"] = entry.body
    return line


def _header(line: str, name: str) -> dict[str, Any]:
    if not is_transcript(line):
        raise TranscriptError(f"{name} is no transcript: its first line is no header; give a recorded .jsonl")
    header: dict[str, Any] = json.loads(line)
    if header["transcript"] != VERSION:
        raise TranscriptError(
            f"{name} is of version {header['transcript']!r} and this Loom reads version {VERSION}: "
            "record it again, or use the Loom that wrote it"
        )
    return header


def _entry(line: str, number: int, name: str) -> Entry:
    try:
        data = json.loads(line)
        return _read(data)
    except RecursionError:
        problem = "it is nested too deeply"
    except json.JSONDecodeError:
        problem = "it is no JSON; the file may be cut off there"
    except (ValueError, TypeError, AttributeError) as error:
        problem = str(error)
    raise TranscriptError(f"{name}, line {number}: {problem}: record it again")


def _read(data: Any) -> Entry:
    if not isinstance(data, dict):
        raise TypeError("it is no JSON object")
    marks = [key for key in ("sent", "received", "note", "fault", "time") if key in data]
    if len(marks) != 1:
        raise ValueError("it needs one of sent, received, note, fault, time")
    mark, what = marks[0], str(data[marks[0]])
    if mark == "time" and not isinstance(data[mark], int | float):
        raise ValueError("its time is no number of seconds")
    for key, (cls, wanted) in MEMBERS.items():
        if key in data and (not isinstance(data[key], cls) or isinstance(data[key], bool)):
            raise TypeError(f"its {key} is {json.dumps(data[key])[:60]}, and no {wanted}")
    beside = mark in ("note", "fault", "time")
    kind = Kind(mark) if beside else _kind(what)
    return Entry(
        who=str(data.get("who", "")),
        way=Way(data.get("way", "beside") if beside else mark),
        kind=kind,
        name=str(data["code"]) if kind is Kind.STATUS and "code" in data else what if _is_named(kind) else "",
        rpc=str(data.get("rpc", "")),
        call=int(data.get("call", 1)) if "rpc" in data else 0,
        body=data.get("body"),
        at=data.get("at"),
    )


def _kind(what: str) -> Kind:
    marked = {kind.value: kind for kind in (*MARKED, Kind.STATUS)}
    return marked.get(what, Kind.MESSAGE)


def _is_named(kind: Kind) -> bool:
    return kind not in (*MARKED, Kind.STATUS)


def _dump(item: dict[str, Any]) -> str:
    """One line; members in their order: the entry's, the fields' of the wire, the author's in a payload."""
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
