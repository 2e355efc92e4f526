"""The JSON of a result: written, read, and its published schema.

python -m loom_conformance.document      writes result.schema.json anew
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from loom_conformance.result import FORMAT, RunResult

__all__ = ["SCHEMA", "DocumentError", "dump", "load", "schema", "write_schema"]

SCHEMA = Path(__file__).resolve().with_name("result.schema.json")
"""The published schema (JSON Schema, 2020-12)."""


class DocumentError(Exception):
    """This is no result, or one that this version cannot read; the text says why in one line."""


def dump(result: RunResult) -> str:
    """The result as JSON, indented for those who look into it."""
    return f"{_adapter().dump_json(result, indent=2).decode()}\n"


def load(text: str, name: str) -> RunResult:
    """The result that a text holds.

    Args:
        text: JSON.
        name: what to call it in errors.

    Raises:
        DocumentError: it is none.
    """
    try:
        told = json.loads(text)
    except ValueError as error:
        raise DocumentError(f"{name} is not JSON: {error}") from None
    if not isinstance(told, dict) or "format" not in told:
        raise DocumentError(f"{name} is no conformance result: it has no format; `--report` writes one")
    if told["format"] != FORMAT:
        raise DocumentError(f"{name} has format {told['format']!r}; this version reads {FORMAT}")
    try:
        return _adapter().validate_python(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DocumentError(f"{name} is no conformance result: {place}: {first['msg']}") from None


def schema() -> dict[str, Any]:
    """The JSON schema of a result."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:loom:conformance:result:{FORMAT}",
        **_adapter().json_schema(mode="serialization"),
    }


def write_schema() -> None:
    """Writes the published schema anew."""
    SCHEMA.write_text(f"{json.dumps(schema(), indent=2, ensure_ascii=False)}\n", encoding="utf-8")


@cache
def _adapter() -> TypeAdapter[RunResult]:
    return TypeAdapter(RunResult)


if __name__ == "__main__":
    write_schema()
