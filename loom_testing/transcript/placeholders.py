"""Placeholders: `${event:1}` for what differs from run to run. The same value is the same placeholder.

What is generated is known by where it stands (an event's id, an epoch) and, for ids that a program may choose
itself, by its looks: long runs of hexadecimal digits, UUIDs and the like. `order-7` stays as it is; of
`worker:3f9a01bc` only the end is replaced. A `${` that was there before is written as `$${`.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["Names", "escape", "is_placeholder", "unescape"]

_GENERATED = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|(?<![0-9A-Za-z])[0-9a-fA-F]{8,}(?:-[0-9]+)?(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])[0-9A-Za-z]{16,}(?![0-9A-Za-z])"
    r"|(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{20,}(?![\w-])"
)
"""What looks generated where an id stands."""
_CERTAIN = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[0-9a-f]{32}|[0-7][0-9A-HJKMNP-TV-Z]{25})(?![0-9A-Za-z])"
)
"""What looks generated wherever it stands: UUIDs, in either spelling, and ULIDs."""
_PLACEHOLDER = re.compile(r"(?<!\$)\$\{([a-z_]+)(?::([a-z0-9_.]+))?\}")
_SHORTEST = 4


class Names:
    """The placeholders of one transcript. First everything is bound, then replaced (`text`, `json`)."""

    def __init__(self, given: dict[str, str] | None = None) -> None:
        self._counts: dict[str, int] = {}
        self._keys: dict[tuple[str, object], str] = {}
        self._texts: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        for value, kind in (given or {}).items():
            if value:
                self._bind_text(kind, value)

    def number(self, kind: str, value: object) -> str:
        """The placeholder of a value that is known by its place alone: a number, or a pair that names it."""
        known = self._keys.get((kind, value))
        if known is None:
            known = self._keys[kind, value] = self._fresh(kind)
        return known

    def identity(self, kind: str, text: str) -> None:
        """Binds what is generated in an id."""
        for match in _GENERATED.finditer(text):
            self._bind_text(kind, match[0])

    def whole(self, kind: str, text: str) -> None:
        """Binds an id that is generated whatever it looks like."""
        if text:
            self._bind_text(kind, text)

    def anywhere(self, text: str) -> None:
        """Binds what is surely generated in a text of any kind."""
        for match in _CERTAIN.finditer(text):
            self._bind_text("id", match[0])

    def text(self, text: str) -> str:
        """The text, placeholders in place of what is bound."""
        if not self._texts:
            return text
        if self._pattern is None:
            longest_first = sorted(self._texts, key=lambda value: (-len(value), value))
            either = "|".join(map(re.escape, longest_first))
            self._pattern = re.compile(rf"(?<![0-9A-Za-z])(?:{either})(?![0-9A-Za-z])")
        return self._pattern.sub(lambda match: self._texts[match[0]], text)

    def json(self, value: Any) -> Any:
        """The JSON, placeholders in place of what is bound."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(name): self.json(item) for name, item in value.items()}
        return [self.json(item) for item in value] if isinstance(value, list) else value

    def _bind_text(self, kind: str, value: str) -> None:
        if value not in self._texts and len(value) >= _SHORTEST:
            self._texts[value] = self._fresh(kind)
            self._pattern = None

    def _fresh(self, kind: str) -> str:
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"${{{kind}:{count}}}"


def escape(text: str) -> str:
    """A text in which nothing reads as a placeholder."""
    return text.replace("${", "$${") if "${" in text else text


def unescape(text: str) -> str:
    """The text that was escaped."""
    return text.replace("$${", "${") if "$${" in text else text


def is_placeholder(value: Any) -> bool:
    """Whether a value is nothing but a placeholder."""
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value) is not None
