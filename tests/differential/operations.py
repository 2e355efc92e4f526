"""What the fuzzer does to a bridge, step by step, as data that can be kept and played again.

An operation is an input of the engine: what a shell makes of what a client or a test does. The lane over gRPC
turns it back into that: `Register` into a call of RegisterAgent, `Break` into a cancelled stream, a later
`at` into an Advance. It also has a few of its own: bytes that are no message, and messages sent without
waiting in between.

A case is kept in the form of the engine's traces: a header, then a line for each step.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from loom_testing.engine.inputs import Input, Receive
from loom_testing.engine.messages import ClientMessage
from loom_testing.engine.trace import (
    Header,
    TraceError,
    decode_header,
    decode_step,
    encode_header,
    encode_step,
)

__all__ = ["LANES", "Burst", "Case", "Operation", "RawCall", "RawMessage", "Step", "describe"]

LANES = ("engine", "grpc")
SHOWN = 60


@dataclass(slots=True)
class RawCall:
    """A unary call whose request is these bytes."""

    call: int
    method: str
    data: bytes


@dataclass(slots=True)
class RawMessage:
    """A stream's message that is these bytes."""

    stream: int
    data: bytes


@dataclass(slots=True)
class Burst:
    """Messages on one stream, one right after the other."""

    stream: int
    messages: list[ClientMessage]


Operation = Input | RawCall | RawMessage | Burst


@dataclass(slots=True)
class Step:
    """An operation and its time, microseconds."""

    at: int
    does: Operation

    @property
    def size(self) -> int:
        """As how many operations it counts."""
        return len(self.does.messages) if isinstance(self.does, Burst) else 1

    def inputs(self) -> list[Input]:
        """The same for an engine."""
        if isinstance(self.does, Burst):
            return [Receive(self.does.stream, message) for message in self.does.messages]
        return [] if isinstance(self.does, RawCall | RawMessage) else [self.does]


@dataclass(slots=True)
class Case:
    """What was done in one namespace, from its beginning."""

    lane: str
    header: Header
    steps: list[Step] = field(default_factory=list)

    @property
    def operations(self) -> int:
        """How many operations it has."""
        return sum(step.size for step in self.steps)

    def text(self) -> str:
        """The case as it is kept."""
        header = {"lane": self.lane, **json.loads(encode_header(self.header))}
        lines = [json.dumps(header, separators=(",", ":")), *map(_line, self.steps)]
        return "\n".join([*lines, ""])

    @property
    def name(self) -> str:
        """A name that the same case has every time."""
        body = self.text().partition("\n")[2]
        return f"{self.lane}-{hashlib.sha256(body.encode()).hexdigest()[:10]}"

    @classmethod
    def read(cls, path: Path) -> Case:
        """A case that was kept.

        Raises:
            TraceError: the file holds none; the text says where and why.
        """
        first, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
        try:
            data = json.loads(first)
            lane = data.pop("lane")
        except (ValueError, AttributeError, KeyError):
            raise TraceError(f"{path}: the first line is no header of a kept case") from None
        if lane not in LANES:
            raise TraceError(f"{path}: there is no lane {lane!r}; there are {', '.join(LANES)}")
        return cls(lane, decode_header(json.dumps(data)), [_read(line) for line in lines if line.strip()])


def _line(step: Step) -> str:
    match step.does:
        case RawCall(call, method, data):
            raw = {"call": call, "method": method, "data": base64.b64encode(data).decode()}
            return json.dumps({"at": step.at, "raw": raw}, separators=(",", ":"))
        case RawMessage(stream, data):
            raw = {"stream": stream, "data": base64.b64encode(data).decode()}
            return json.dumps({"at": step.at, "raw": raw}, separators=(",", ":"))
        case Burst(stream, messages):
            lines = [json.loads(encode_step(step.at, Receive(stream, message), [])) for message in messages]
            return json.dumps({"at": step.at, "burst": [line["in"] for line in lines]}, separators=(",", ":"))
        case came_in:
            return encode_step(step.at, came_in, [])


def _read(line: str) -> Step:
    try:
        data = json.loads(line)
        if "raw" in data:
            raw = {**data["raw"], "data": base64.b64decode(data["raw"]["data"], validate=True)}
            return Step(data["at"], RawMessage(**raw) if "stream" in raw else RawCall(**raw))
        if "burst" in data:
            each = [json.dumps({"at": data["at"], "in": item, "out": []}) for item in data["burst"]]
            taken = [decode_step(item).input for item in each]
            messages = [item.message for item in taken if isinstance(item, Receive)]
            return Step(data["at"], Burst(data["burst"][0]["stream"], messages))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise TraceError(f"not a step: {error!r} in {line[:120]!r}") from None
    step = decode_step(line)
    return Step(step.at, step.input)


# For people.


def describe(value: Any) -> str:
    """An operation, message or part of one, on one line: its kind and what is not as it is by default."""
    if is_dataclass(value) and not isinstance(value, type):
        told = [_told(value, item.name) for item in fields(value)]
        return f"{type(value).__name__}({', '.join(part for part in told if part)})"
    if isinstance(value, bytes):
        return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}... {len(value)} bytes"
    if isinstance(value, str):
        return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}... {len(value)} characters"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(describe, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{describe(k)}: {describe(v)}' for k, v in value.items())}}}"
    return repr(value)


def _told(value: Any, name: str) -> str:
    item = getattr(value, name)
    empty = item is None or item in ("", b"", 0) or (isinstance(item, Iterable) and not list(item))
    return "" if empty and name != "event" else f"{name}={describe(item)}"
