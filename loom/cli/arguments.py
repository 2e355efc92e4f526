"""What a call or an event carries, as it stands on the command line.

One JSON text, `@FILE` or `-` (stdin) for one, or any number of `key=value`. A value is JSON where it reads as
JSON (`limit=5`, `deep=true`, `tags=["a"]`), else text (`name=Ada`). Where a schema says that a field is text,
it stays text (`zip=12345`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from loom.cli.exits import Exit, Failure

__all__ = ["has_pairs", "read_arguments", "read_json"]

QUOTED = 40


def read_arguments(words: tuple[str, ...], schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """The arguments of a call: an object.

    Args:
        words: what stands on the command line.
        schema: the capability's input schema, where it is known.

    Raises:
        Failure: they are malformed; the message quotes what is.
    """
    if not words:
        return {}
    if len(words) == 1 and not _is_pair(words[0]):
        value = read_json(words[0])
        if not isinstance(value, dict):
            raise Failure(f"arguments are a JSON object, and this is {_quoted(words[0])}", Exit.USAGE)
        return value
    return dict(_pair(word, schema or {}) for word in words)


def has_pairs(words: tuple[str, ...]) -> bool:
    """Whether they are key=value, which a schema helps to read."""
    return any(_is_pair(word) for word in words)


def read_json(text: str) -> Any:
    """One JSON text; `@FILE` reads it from a file, `-` from stdin.

    Raises:
        Failure: it cannot be read, or is no JSON; the message says where it breaks.
    """
    source = text
    if text == "-":
        source = sys.stdin.read()
    elif text.startswith("@"):
        try:
            source = Path(text[1:]).expanduser().read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise Failure(f"cannot read {text[1:]}: {why}; check the path after @", Exit.USAGE) from None
    try:
        return _loads(source)
    except ValueError as error:
        raise Failure(
            f'{_quoted(source)} is no JSON ({error}); in a shell, quote it: \'{{"name": "Ada"}}\'', Exit.USAGE
        ) from None


def _is_pair(word: str) -> bool:
    """Whether it is key=value: JSON never begins as a key does."""
    return "=" in word and not word.startswith(("{", "[", '"', "@"))


def _pair(word: str, schema: dict[str, Any]) -> tuple[str, Any]:
    key, _, text = word.partition("=")
    if not _is_pair(word) or not key:
        raise Failure(f"{_quoted(word)} is not key=value; give one JSON object or only key=value", Exit.USAGE)
    if _is_text(schema.get("properties", {}).get(key)):
        return key, text
    try:
        return key, _loads(text)
    except ValueError:
        return key, text


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _is_text(field: Any) -> bool:
    return isinstance(field, dict) and field.get("type") == "string"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= QUOTED else text[: QUOTED - 1] + "…")
