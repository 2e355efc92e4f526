"""Payloads: bytes as something to read. JSON stays JSON, other text is text, the rest is base64.

What is no JSON is wrapped; both directions are exact: `{"$text": "..."}`, `{"$base64": "..."}`. JSON
that looks like such a wrapping is wrapped itself: `{"$json": ...}`. Of JSON its value is kept.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

__all__ = ["BASE64", "JSON", "TEXT", "dump_json", "payload_bytes", "read_payload"]

TEXT = "$text"
BASE64 = "$base64"
JSON = "$json"


def read_payload(data: bytes) -> Any:
    """The payload as JSON."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return {BASE64: base64.b64encode(data).decode("ascii")}
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
        dump_json(value).encode("utf-8")
    except (ValueError, RecursionError):
        return {TEXT: text}
    return {JSON: value} if _looks_wrapped(value) else value


def payload_bytes(value: Any) -> bytes:
    """The payload that reads as this.

    Raises:
        ValueError: a wrapping holds no text or no base64.
    """
    if _looks_wrapped(value):
        ((kind, inner),) = value.items()
        if kind == JSON:
            return dump_json(inner).encode("utf-8")
        if not isinstance(inner, str):
            raise ValueError(f"{kind} holds {type(inner).__name__}, not text")
        if kind == TEXT:
            return inner.encode("utf-8")
        try:
            return base64.b64decode(inner, validate=True)
        except binascii.Error:
            raise ValueError(f"{kind} holds no base64: {inner[:40]!r}") from None
    return dump_json(value).encode("utf-8")


def dump_json(value: Any) -> str:
    """JSON in one line, its members in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _looks_wrapped(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in (TEXT, BASE64, JSON)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
