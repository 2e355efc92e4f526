"""Traces: what happened to an engine and what it answered, one JSON object per line.

A line is `{"at": now, "in": INPUT, "out": [OUTPUT, ...]}`; `at` is engine time in microseconds. An input,
output or message is an object whose `kind` is its class name in snake_case and whose other members are
its fields; a field that has its default is left out, bytes are base64. The first line of a file is a
header: `{"trace": 1, "created": ..., "limits": {...}, "liveness": ..., "about": ...}`.

A trace is replayed by feeding each input at its time to a fresh engine and comparing the outputs as data. The
format is the same for both engines.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from loom_testing.engine import inputs, messages, outputs
from loom_testing.engine.inputs import Input
from loom_testing.engine.limits import Limits
from loom_testing.engine.outputs import Output

__all__ = [
    "VERSION",
    "Header",
    "Step",
    "TraceError",
    "decode_header",
    "decode_step",
    "encode_header",
    "encode_step",
    "read_trace",
]

VERSION = 1


class TraceError(ValueError):
    """A line is no part of a trace of this version; the text says which and why."""


@dataclass(slots=True)
class Header:
    """What engine a trace was written by. `limits` holds only those that differ from the defaults."""

    created: int
    limits: dict[str, int]
    liveness: bool = True
    about: str = ""

    def engine_limits(self) -> Limits:
        """The limits to replay with."""
        return Limits().with_overrides(self.limits)


@dataclass(slots=True)
class Step:
    """One step: the time, what came in, what went out."""

    at: int
    input: Input
    outputs: list[Output]


def encode_header(header: Header) -> str:
    """The first line of a trace."""
    return _dumps({"trace": VERSION, **dataclasses.asdict(header)})


def decode_header(line: str) -> Header:
    """Reads the first line of a trace.

    Raises:
        TraceError: it is not a header of this version.
    """
    data = _loads(line)
    version = data.pop("trace", None)
    if version != VERSION:
        raise TraceError(f"trace version {version!r} is not {VERSION}; write the trace anew")
    try:
        return Header(**data)
    except TypeError as error:
        raise TraceError(f"bad header: {error}") from None


def encode_step(at: int, came_in: Input, went_out: Iterable[Output]) -> str:
    """One step as a line, without the newline."""
    return _dumps({"at": at, "in": _encode(came_in), "out": [_encode(output) for output in went_out]})


def decode_step(line: str) -> Step:
    """Reads one step.

    Raises:
        TraceError: the line is no step.
    """
    data = _loads(line)
    try:
        return Step(
            data["at"],
            cast("Input", _decode(data["in"], _INPUTS)),
            [cast("Output", _decode(item, _OUTPUTS)) for item in data["out"]],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TraceError(f"not a step: {error!r} in {line[:120]!r}") from None


def read_trace(lines: Iterable[str]) -> tuple[Header, Iterator[Step]]:
    """A trace's header, and its steps one by one.

    Raises:
        TraceError: there is no header; later, from the iterator, a line is no step.
    """
    remaining = iter(lines)
    first = next(remaining, None)
    if first is None:
        raise TraceError("the trace is empty")
    return decode_header(first), (decode_step(line) for line in remaining if line.strip())


def _dumps(data: dict[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=True)


def _loads(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise TraceError("not a JSON object")
    return data


# Encoding follows the dataclasses; nothing is listed twice.


def _kind(cls: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        cls = type(value)
        encoded: dict[str, Any] = {"kind": _kind(cls)} if cls in _KINDS else {}
        for name, default in _defaults(cls):
            item = getattr(value, name)
            if item != default:
                encoded[name] = _encode(item)
        return encoded
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {key: _encode(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value


_REQUIRED = object()
_defaults_of: dict[type, list[tuple[str, Any]]] = {}


def _defaults(cls: type) -> list[tuple[str, Any]]:
    known = _defaults_of.get(cls)
    if known is None:
        known = []
        for field in dataclasses.fields(cls):
            default: Any = field.default
            if field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            known.append((field.name, _REQUIRED if default is dataclasses.MISSING else default))
        _defaults_of[cls] = known
    return known


def _members(union: Any) -> dict[str, type]:
    return {_kind(member): member for member in typing.get_args(union)}


_INPUTS = _members(inputs.Input)
_OUTPUTS = _members(outputs.Output)
_CLIENT_MESSAGES = _members(messages.ClientMessage)
_SERVER_MESSAGES = _members(messages.ServerMessage)
_KINDS = frozenset(
    [*_INPUTS.values(), *_OUTPUTS.values(), *_CLIENT_MESSAGES.values(), *_SERVER_MESSAGES.values()]
)


def _decode(data: Any, kinds: dict[str, type]) -> Any:
    kind = data.get("kind")
    if kind not in kinds:
        raise ValueError(f"unknown kind {kind!r}")
    return _decode_class(data, kinds[kind])


def _decode_class(data: dict[str, Any], cls: type) -> Any:
    decoders = _decoders(cls)
    unknown = data.keys() - decoders.keys() - {"kind"}
    if unknown:
        raise ValueError(f"{_kind(cls)} has no {sorted(unknown)}")
    return cls(**{name: decoders[name](item) for name, item in data.items() if name != "kind"})


_decoders_of: dict[type, dict[str, Callable[[Any], Any]]] = {}


def _decoders(cls: type) -> dict[str, Callable[[Any], Any]]:
    known = _decoders_of.get(cls)
    if known is None:
        hints = typing.get_type_hints(cls)
        known = {field.name: _decoder(hints[field.name]) for field in dataclasses.fields(cls)}
        _decoders_of[cls] = known
    return known


def _decoder(hint: Any) -> Callable[[Any], Any]:
    """How a field of this type is read."""
    if hint == messages.ClientMessage:
        return lambda item: _decode(item, _CLIENT_MESSAGES)
    if hint == messages.ServerMessage:
        return lambda item: _decode(item, _SERVER_MESSAGES)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        inner = _decoder(next(member for member in arguments if member is not types.NoneType))
        return lambda item: None if item is None else inner(item)
    if origin is list:
        each = _decoder(arguments[0])
        return lambda item: [each(member) for member in item]
    if origin is tuple:
        return tuple
    if hint is bytes:
        return lambda item: base64.b64decode(item, validate=True)
    if dataclasses.is_dataclass(hint):
        return lambda item: _decode_class(item, cast("type", hint))
    return lambda item: item
