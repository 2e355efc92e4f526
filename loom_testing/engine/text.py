"""How foreign text is shown in a message: short, on one line, the same in both engines."""

from __future__ import annotations

__all__ = ["quote", "utf8_size"]

SHOWN = 80


def quote(text: str) -> str:
    """`text` in double quotes, at most 80 characters of it, everything but plain ASCII escaped."""
    shown = "".join(_escape(character) for character in text[:SHOWN])
    more = "..." if len(text) > SHOWN else ""
    return f'"{shown}"{more}'


def utf8_size(text: str) -> int:
    """How many bytes `text` has on the wire."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    return f"\\u{{{ord(character):x}}}"
