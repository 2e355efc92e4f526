"""Values of a transcript as a picture shows them: with few quotes, and in the end with readable placeholders.

`{"id": "${id:1}", "note": "fine"}` is shown as `{id: <id 1>, note: "fine"}`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from loom_testing.transcript.payloads import BASE64, JSON, TEXT

__all__ = ["show", "show_payload", "show_text"]

_PLACEHOLDER = re.compile(r"(?<!\$)\$\{([a-z_]+)(?::([a-z0-9_.]+))?\}")
_NAME = re.compile(r"[A-Za-z_$][\w.$-]*")
HIDDEN = "•••"
OWN = frozenset({"agent", "namespace", "topic"})
"""Kinds whose number alone is enough behind a name: `worker:1`."""


def show_text(text: str) -> str:
    """The last step of all: a text with its placeholders readable."""
    if "${" not in text:
        return text
    return _PLACEHOLDER.sub(_shown, text).replace("$${", "${")


def show(value: Any) -> str:
    """JSON in one line, with as few quotes as can be."""
    match value:
        case dict():
            return f"{{{', '.join(f'{_name(name)}: {show(item)}' for name, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(show, value))}]"
        case str():
            return value if _PLACEHOLDER.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def show_payload(value: Any) -> str:
    """A payload in one line."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == TEXT:
            return show(inner)
        if kind == BASE64:
            return f"base64 {inner}"
        if kind == JSON:
            return show(inner)
    return show(value)


def _shown(match: re.Match[str]) -> str:
    kind, number = match[1], (match[2] or "").partition(".")[0]
    if kind == "redacted":
        return HIDDEN
    before = match.string[match.start() - 1 : match.start()]
    if kind in OWN and (before.isalnum() or before in {*":-_./@"}):
        return number
    return f"<{kind} {number}>" if number else f"<{kind}>"


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) or "${" in name else json.dumps(name, ensure_ascii=False)
