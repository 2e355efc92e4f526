"""Payloads: Python values to the bytes of an event or call, and back.

A payload is JSON in UTF-8. Bytes go as they are, and nothing (None) is no bytes at all. A `str` is a JSON
string, so that what one side encodes the other side decodes to the same value.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

import pydantic_core
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from loom.errors import DefinitionError, InvalidInput, InvalidOutput, PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "adapter_for",
    "all_finite",
    "decode_into",
    "decode_json",
    "encode_json",
    "encode_payload",
    "explain",
    "type_name",
]

T = TypeVar("T")
Misfit: TypeAlias = type[InvalidInput] | type[InvalidOutput]

_MAX_DETAILS = 20
"""So many fields at fault are named; the rest is counted."""


def encode_payload(value: object) -> bytes:
    """A value as a payload: bytes as they are, None as no bytes, all else as JSON (see `encode_json`).

    Raises:
        PayloadError: the value cannot be written as JSON.
    """
    if value is None:
        return b""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return encode_json(value)


def encode_json(value: object) -> bytes:
    """A value as JSON in UTF-8: Pydantic models, dataclasses, enums, dates, UUIDs, dict, list, set, scalars.

    Raises:
        PayloadError: the value cannot be written as JSON: it holds an object of another kind, NaN or an
            infinity, or itself.
    """
    try:
        data = pydantic_core.to_json(value)
    except (pydantic_core.PydanticSerializationError, ValueError, RecursionError) as error:
        raise PayloadError(
            f"a value of type {type(value).__name__} cannot be written as JSON: {_reason(error)}; "
            "send a model, a dataclass, a dict, a list or a scalar"
        ) from error
    if not all_finite(data, lambda: pydantic_core.to_jsonable_python(value)):
        raise PayloadError("NaN or an infinity cannot be written as JSON; send null or a text instead")
    return data


def all_finite(data: bytes, plain: Callable[[], object]) -> bool:
    """Whether no number of a value is NaN or an infinity, which are not JSON.

    Some are written as such, others (a model's) as null, which the reader would take for a value.

    Args:
        data: the value as JSON.
        plain: gives the value as plain data; only called where `data` leaves a doubt.
    """
    return not (b"null" in data or _may_hold_constants(data)) or _is_finite(plain())


def decode_json(data: bytes) -> Any:
    """A payload as plain Python data (dict, list, str, int, float, bool, None); no bytes give None.

    Raises:
        PayloadError: it is not JSON in UTF-8, or nested too deeply.
    """
    if not data:
        return None
    try:
        return pydantic_core.from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise _not_json(str(error)) from error


@overload
def decode_into(data: bytes, into: type[T], *, error: Misfit = ..., what: str = ...) -> T: ...
@overload
def decode_into(data: bytes, into: Any, *, error: Misfit = ..., what: str = ...) -> Any: ...
def decode_into(data: bytes, into: Any, *, error: Misfit = InvalidInput, what: str = "the payload") -> Any:
    """A payload, validated into a type: a model, a dataclass, or any annotation that Pydantic knows.

    Two types are taken by their name: `bytes` is the payload as it is; `str` is its text, or the value of
    the JSON string that it holds.

    Args:
        data: the payload; no bytes are validated as JSON null.
        into: the type.
        error: what to raise when the payload is JSON but does not fit.
        what: what the payload is, for the message.

    Raises:
        InvalidInput: (or `error`) it does not fit; `details` maps the path of each field at fault to what is
            wrong with it.
        PayloadError: it is not JSON in UTF-8.
        DefinitionError: `into` is not a type that Pydantic can validate.
    """
    if into is bytes:
        return data
    if into is str:
        return _decode_text(data)
    adapter = adapter_for(into)
    if _may_hold_constants(data):
        decode_json(data)  # raises where they stand outside a text; Pydantic alone would take them
    try:
        return adapter.validate_json(data) if data else adapter.validate_python(None)
    except ValidationError as problem:
        if problem.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
            raise _not_json(_json_problem(problem)) from problem
        message, details = explain(problem)
        raise error(f"{what} does not fit {type_name(into)}: {message}", details=details) from problem


def adapter_for(annotation: Any) -> TypeAdapter[Any]:
    """The validator of a type; made once for each.

    Raises:
        DefinitionError: Pydantic cannot validate the type.
    """
    try:
        hash(annotation)
    except TypeError:  # Annotated with something mutable: legal, but not to be remembered
        return _make_adapter(annotation)
    return _cached_adapter(annotation)


def explain(problem: ValidationError) -> tuple[str, dict[str, str]]:
    """A validation error as one line, and as path of the field -> what is wrong with it.

    The values that were refused appear in neither: they may be secret, and they may be large.
    """
    details: dict[str, str] = {}
    for item in problem.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(str(part) for part in item["loc"])
        details[path] = f"{details[path]}; {item['msg']}" if path in details else item["msg"]
    path, text = next(iter(details.items()))
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    kept = dict(list(details.items())[:_MAX_DETAILS])
    return (f"field {path!r}: {text}{more}" if path else f"{text}{more}"), kept


def type_name(annotation: Any) -> str:
    """A type as a person writes it: `Paper`, `list[int]`."""
    if isinstance(annotation, type) and not getattr(annotation, "__args__", None):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _make_adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        adapter.core_schema.get("type")  # a name that is not defined yet fails here, not at the first use
    except (PydanticUserError, NameError, TypeError) as error:
        raise DefinitionError(
            f"{type_name(annotation)} cannot be validated: {_reason(error)}; "
            "use a Pydantic model, a dataclass, or types made of dict, list and scalars"
        ) from error
    return adapter


_cached_adapter: Callable[[Any], TypeAdapter[Any]] = functools.lru_cache(maxsize=1024)(_make_adapter)


def _decode_text(data: bytes) -> str:
    if data.startswith(b'"'):
        try:
            value = pydantic_core.from_json(data)
        except ValueError:
            value = None  # a text that only begins with a quotation mark
        if isinstance(value, str):
            return value
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise PayloadError("the payload is not text in UTF-8; take it as bytes") from error


def _json_problem(problem: ValidationError) -> str:
    return problem.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Invalid JSON: ")


def _not_json(reason: str) -> PayloadError:
    return PayloadError(f"the payload is not JSON: {reason}; send JSON in UTF-8, or take it as bytes")


def _may_hold_constants(data: bytes) -> bool:
    """Whether NaN or an infinity, which are not JSON, may stand in it; perhaps they only stand in a text."""
    return b"NaN" in data or b"Infinity" in data


def _is_finite(plain: object) -> bool:
    if isinstance(plain, float):
        return math.isfinite(plain)
    if isinstance(plain, dict):
        return all(map(_is_finite, plain.values()))
    return not isinstance(plain, list | tuple | set | frozenset) or all(map(_is_finite, plain))


def _reason(error: Exception) -> str:
    """The first line of an exception's text, without the wrapping of the JSON writer."""
    text = str(error).removeprefix("Error serializing to JSON: ").strip()
    return text.splitlines()[0] if text else type(error).__name__
